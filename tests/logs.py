"""What a test puts on a log and reads from it beside a running service, by the log's address."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tieup.bootstrap import open_log
from tieup.cli.reading import read_from
from tieup.config import load_settings
from tieup.log.base import Log, NewRecord
from tieup.log.topics import CATALOGUE

T = TypeVar("T")


def on_log(url: str, work: Callable[[Log], Awaitable[T]], partitions: int = 1) -> T:
    """Open the log, do the work, close it."""

    async def run() -> T:
        async with await open_log(load_settings({}, {"log": url, "partitions": str(partitions)})) as log:
            return await work(log)

    return asyncio.run(run())


def append(url: str, records: Sequence[NewRecord], partitions: int = 1) -> None:
    """Append records; topics that are missing are made."""

    async def work(log: Log) -> None:
        await log.create(CATALOGUE)
        await log.append(records)

    on_log(url, work, partitions)


def values(url: str, topic: str) -> list[dict]:
    """The values of all records of a topic, which are JSON."""

    async def work(log: Log) -> list[dict]:
        return [json.loads(record.value or b"null") async for record in read_from(log, topic, "begin", follow=False)]

    return on_log(url, work)
