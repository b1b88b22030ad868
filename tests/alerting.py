"""The alerting workers on the embedded log, run in this process until a test has seen what it waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.receiver import Receiver
from tieup.alerting import delivery_shell
from tieup.alerts.deliver import deliver_spec
from tieup.alerts.match import match_spec
from tieup.alerts.settings import NO_MAIL, AlertSettings, MailSettings
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.events.validate import SchemaValidator
from tieup.log.base import NewRecord, Record, TopicPartition
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.sqlite import SqliteLog
from tieup.log.task import TaskBounds
from tieup.log.topics import CATALOGUE
from tieup.metrics import Metrics

KEY = "a key for tests that is long enough"


def alert_settings(**changed: object) -> AlertSettings:
    return AlertSettings(**{"allow_private": True, "total_s": 2.0, **changed})  # type: ignore[arg-type]


def settled(receiver: Receiver, count: int) -> Callable[[], bool]:
    """Whether so many messages have come, and then none for a third of a second: answers are taken in by then."""
    seen: list[int] = []

    def check() -> bool:
        seen.append(len(receiver.received))
        return len(seen) > 16 and seen[-1] == seen[-16] and seen[-1] >= count

    return check


async def append(path: Path, records: Sequence[NewRecord]) -> None:
    async with await SqliteLog.open(path) as log:
        await log.create(CATALOGUE)
        await log.append(records)


async def read(path: Path, topic: str) -> list[Record]:
    async with await SqliteLog.open(path) as log:
        places = [TopicPartition(topic, number) for number in range(await log.partitions(topic))]
        ends = await log.end_offsets(places)
        reader = await log.reader(await log.first_offsets(places))
        records: list[Record] = []
        while any(reader.positions()[at] < ends[at] for at in places):
            records += await reader.poll(500, 0.1)
        await reader.close()
    return records


async def alerting(
    path: Path,
    settings: AlertSettings,
    until: Callable[[], bool | Awaitable[bool]],
    *,
    speed: float = 1.0,
    within_s: float = 20.0,
    gazetteer: Gazetteer | None = None,
    validator: SchemaValidator | None = None,
    mail: MailSettings = NO_MAIL,
    tick_s: float = 0.05,
    since: datetime | None = None,
    opened: Callable[[SqliteLog], None] = lambda log: None,
) -> None:
    """Match and deliver until the test has seen enough; with `speed` the clock runs so many times faster, from `since`
    on. `opened` is handed the log.
    """
    began = since or datetime.now(UTC)

    def clock() -> datetime:
        return began + (datetime.now(UTC) - began) * speed

    async with await SqliteLog.open(path, exclusive=True) as log:
        await log.create(CATALOGUE)
        opened(log)
        shell = delivery_shell(settings, KEY, clock, mail=mail)
        specs = [match_spec(gazetteer or load_gazetteer()), deliver_spec(settings, shell)]
        bounds = RunnerBounds(task=TaskBounds(tick_s=tick_s))
        runner = Runner(
            log,
            specs,
            app="test",
            validator=SchemaValidator(),
            clock=clock,
            metrics=Metrics(CollectorRegistry()),
            bounds=bounds,
        )
        stopping = asyncio.Event()
        running = asyncio.create_task(runner.run(stopping))
        try:
            async with asyncio.timeout(within_s):
                while not await _answer(until) and not running.done():  # noqa: ASYNC110 - what is awaited is a test's
                    await asyncio.sleep(0.02)
        finally:
            stopping.set()
            with suppress(asyncio.CancelledError):
                await running
            await shell.close()


async def _answer(until: Callable[[], bool | Awaitable[bool]]) -> bool:
    found = until()
    return found if isinstance(found, bool) else await found
