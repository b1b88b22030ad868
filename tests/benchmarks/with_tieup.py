"""The work done with tieup: fetch worker, runner and embedded log, everything as it runs in service."""

import asyncio
import cProfile
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from tests.benchmarks.phases import Timed, Work, read_work

from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import fetch_spec
from tieup.log.base import TopicPartition
from tieup.log.runner import Runner
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import ARTICLES, CATALOGUE
from tieup.metrics import Metrics

START = datetime(2026, 2, 3, 12, tzinfo=UTC)
BETWEEN = timedelta(days=40)  # whatever the schedule, everything is due again
SAMPLE_S = 0.005


class Clock:
    """The time that the service is told; it moves between rounds only."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def watched(timed: Timed) -> AsyncIterator[None]:
    """Note how late the event loop comes to a timer, at worst and at the 99th percentile."""
    late: list[float] = []

    async def watch() -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            late.append(clock() - due)

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    late.sort()
    timed.more["loop_worst_ms"] = round(late[-1] * 1000, 1)
    timed.more["loop_p99_ms"] = round(late[int(len(late) * 0.99)] * 1000, 1)
    timed.more["loop_over_50_ms"] = sum(moment > 0.05 for moment in late)


async def run(work: Work) -> Timed:
    """Do the rounds. Before each the runner stands still, since nothing is due."""
    timed, clock = Timed(), Clock()
    settings = FetchSettings(allow_private=True)
    async with await SqliteLog.open(work.folder / "tieup.db", exclusive=True) as log:
        await log.create(CATALOGUE)
        await log.append(feeds_to_records([feed_from_url(url, START) for url in work.urls]))
        poll = _poller(log, settings, clock, timed)
        async with watched(timed):
            for number in range(1, work.rounds + 1):
                work.begin(number, validators=True)
                await poll("new")
            await poll("not modified")
            work.begin(work.rounds, validators=False)
            await poll("same body")
        timed.more["entries"] = await _count(log)
    return timed


def _poller(log: SqliteLog, settings: FetchSettings, clock: Clock, timed: Timed):
    async def poll(kind: str) -> None:
        shell = FetchShell(settings, clock)
        runner = Runner(
            log,
            [fetch_spec(settings, shell)],
            app="benchmark",
            validator=SchemaValidator(),
            clock=clock,
            metrics=Metrics(CollectorRegistry()),
        )
        with timed.round(kind):
            await runner.run(asyncio.Event(), once=True)
        clock.now += BETWEEN

    return poll


async def _count(log: SqliteLog) -> int:
    places = [TopicPartition(ARTICLES, number) for number in range(await log.partitions(ARTICLES))]
    return sum((await log.end_offsets(places)).values())


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    profile = os.environ.get("BENCH_PROFILE")
    if profile:
        with cProfile.Profile(time.thread_time) as found:
            asyncio.run(run(read_work()))
        found.dump_stats(profile)
    else:
        asyncio.run(run(read_work())).report()
