"""The work done with tieup: fetch worker, runner and embedded log, everything as it runs in service."""

import asyncio
import cProfile
import gc
import logging
import math
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from tests.benchmarks.phases import Timed, Work, read_work

from tieup.events.validate import SchemaValidator
from tieup.feeds.entries.memory import SeenMemory
from tieup.feeds.http import FetchShell
from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import fetch_spec
from tieup.log.base import TopicPartition
from tieup.log.runner import Runner, RunnerBounds, settle_process
from tieup.log.sqlite import SqliteLog
from tieup.log.task import TaskBounds
from tieup.log.topics import ARTICLES, CATALOGUE, FEED_STATES
from tieup.metrics import Metrics

START = datetime(2026, 2, 3, 12, tzinfo=UTC)
BETWEEN = timedelta(days=40)  # whatever the schedule, everything is due again
SAMPLE_S = 0.005
LOOK_S = 0.05


class Clock:
    """The time that the service is told; it moves between rounds only."""

    def __init__(self) -> None:
        self.now = START - BETWEEN

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def watched(timed: Timed) -> AsyncIterator[None]:
    """Note how late the event loop comes to a timer, and how much processor time one callback holds it at most.

    The first tells what a user would see, the machine's other work included; the second what the code itself does.
    """
    late: list[float] = []
    held: list[float] = []
    original = asyncio.Handle._run

    def run(handle: asyncio.Handle) -> None:
        started = time.thread_time()
        original(handle)
        held.append(time.thread_time() - started)

    async def watch() -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            late.append(clock() - due)

    asyncio.Handle._run = run
    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        asyncio.Handle._run = original
    late.sort()
    timed.more["loop_late_ms"] = {"worst": _ms(late[-1]), "p99": _ms(late[int(len(late) * 0.99)])}
    timed.more["loop_held_ms"] = {"worst": _ms(max(held)), "over 50": sum(moment > 0.05 for moment in held)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


async def run(work: Work) -> Timed:
    """Do the rounds with one runner that goes on; a round ends when every feed has one state more on its topic.

    The event loop is watched in rounds of their own afterwards, since watching it costs a tenth of a poll.
    """
    timed, clock = Timed(), Clock()
    settings = FetchSettings(allow_private=True)
    async with await SqliteLog.open(work.folder / "tieup.db", exclusive=True) as log:
        await log.create(CATALOGUE)
        stopping = asyncio.Event()
        runner = _runner(log, settings, clock)
        running = asyncio.create_task(runner.run(stopping))
        await log.append(feeds_to_records([feed_from_url(url, START) for url in work.urls]))
        kinds = [*["new"] * work.rounds, "not modified", "same body"]
        await _rounds(work, log, clock, kinds, timed)
        timed.more["entries"] = await _count(log, ARTICLES)
        async with watched(timed):
            await _rounds(
                replace(work, rounds=work.rounds + 1), log, clock, ["new", "not modified"], Timed(remembered=None)
            )
        stopping.set()
        await running
    return timed


async def _rounds(work: Work, log: SqliteLog, clock: Clock, kinds: Sequence[str], timed: Timed) -> None:
    shown, wanted = work.rounds - kinds.count("new"), await _count(log, FEED_STATES)
    for kind in kinds:
        shown, wanted = shown + (kind == "new"), wanted + work.feeds
        work.begin(shown, validators=kind != "same body")
        with timed.round(kind):
            clock.now += BETWEEN
            while await _count(log, FEED_STATES) < wanted:  # noqa: ASYNC110 - the log is asked, as anyone could
                await asyncio.sleep(LOOK_S)
        if timed.remembered is not None:
            timed.remembered.append(remembered_bytes())


def remembered_bytes() -> int:
    """Return what this process remembers of entries: what grows by each that is new, until `feeds.max_seen`.

    Looking through all objects holds the event loop, so no round is watched meanwhile.
    """
    return sum(found.held_bytes() for found in gc.get_objects() if isinstance(found, SeenMemory))


def _runner(log: SqliteLog, settings: FetchSettings, clock: Clock) -> Runner:
    return Runner(
        log,
        [fetch_spec(settings, FetchShell(settings, clock))],
        app="benchmark",
        validator=SchemaValidator(),
        clock=clock,
        metrics=Metrics(CollectorRegistry()),
        bounds=RunnerBounds(task=TaskBounds(away_s=math.inf)),  # the clock jumps, but nobody was away
    )


async def _count(log: SqliteLog, topic: str) -> int:
    places = [TopicPartition(topic, number) for number in range(await log.partitions(topic))]
    return sum((await log.end_offsets(places)).values())


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    settle_process()
    profile = os.environ.get("BENCH_PROFILE")
    if profile:
        with cProfile.Profile(time.thread_time) as found:
            asyncio.run(run(read_work()))
        found.dump_stats(profile)
    else:
        asyncio.run(run(read_work())).report()
