"""Which feeds are wanted, known beside the fetch worker: a process that answers hubs may have none of their tasks."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

import orjson

from tieup.errors import LogError
from tieup.log.base import Clock, Log, Reader, Record, TopicPartition
from tieup.log.last_read import LastRead
from tieup.log.topics import FEEDS

BATCH: Final = 1_000
WAIT_S: Final = 1.0
AGAIN_S: Final = 5.0

_log: Final = logging.getLogger("tieup.feeds")


class WantedFeeds:
    """Follows the feeds topic in all its partitions and remembers ids, about 100 bytes a feed."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._ids: set[bytes] = set()
        self._reader: Reader | None = None
        self._read_on = asyncio.Event()

    async def follow(self) -> None:
        """Read until cancelled; a log that is away is tried again, from the start: keys may be removed meanwhile."""
        while True:
            try:
                await self._read()
            except Exception as error:  # noqa: BLE001 - whatever it is, the list must not stop for good, unseen
                _log.warning("which feeds are wanted is not known to the door for hubs, which lets all in: %s", error)
            finally:
                reader, self._reader = self._reader, None
                if reader is not None:
                    await reader.close()
            await asyncio.sleep(AGAIN_S)

    async def lacks(self, feed_id: str) -> bool:
        """Whether the feed is surely not wanted: not even in what was asked for up to this moment."""
        key = feed_id.encode()
        if key in self._ids or self._reader is None:
            return False
        try:
            async with asyncio.timeout(WAIT_S):
                ends = await self._log.end_offsets(await self._partitions())
                while self._reader is not None and _is_behind(self._reader, ends):
                    self._read_on.clear()
                    await self._read_on.wait()
        except (LogError, TimeoutError):
            return False
        return self._reader is not None and key not in self._ids

    async def _read(self) -> None:
        self._ids.clear()
        reader = await self._log.reader(await self._log.first_offsets(await self._partitions()))
        self._reader = reader
        last_read = LastRead(self._clock)
        while True:
            records = await reader.poll(BATCH, WAIT_S)
            last_read.note("hubs")
            for record in records:
                self._take(record)
            self._read_on.set()

    async def _partitions(self) -> list[TopicPartition]:
        return [TopicPartition(FEEDS, number) for number in range(await self._log.partitions(FEEDS))]

    def _take(self, record: Record) -> None:
        if record.key is not None and _is_wanted(record.value):
            self._ids.add(record.key)
        elif record.key is not None:
            self._ids.discard(record.key)


def _is_wanted(value: bytes | None) -> bool:
    if value is None:
        return False
    try:
        return not orjson.loads(value).get("paused")
    except (orjson.JSONDecodeError, AttributeError):
        return False


def _is_behind(reader: Reader, ends: Mapping[TopicPartition, int]) -> bool:
    positions = reader.positions()
    return any(positions[at] < end for at, end in ends.items())
