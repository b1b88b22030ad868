"""The steps of the benchmark of scale, each run in a process of its own: make a log of many feeds, start on it."""

import argparse
import asyncio
import base64
import random
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import orjson
from prometheus_client import CollectorRegistry
from tests.benchmarks.phases import processor_seconds

from tieup.events.validate import SchemaValidator
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import NAME, FetchWorker, fetch_spec
from tieup.log.base import OUTCOME_OFFSET, Act, NewRecord, Record, TopicPartition, Worker
from tieup.log.runner import Runner
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE, FEED_STATES, SEEN_ENTRIES
from tieup.metrics import Metrics
from tieup.model.codec import encode, to_millis
from tieup.model.feed import Feed, FeedState, FetchOutcome, SeenEntries

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
AT_ONCE = 5_000
POLLED = 1_000
PARTITIONS = 4


def feeds_of(count: int) -> Iterator[Feed]:
    """Each on a site of its own, as most feeds of the web are."""
    return (feed_from_url(f"https://site{number}.example/feed.xml", NOON) for number in range(count))


def records_of(feed: Feed, number: int, entries: int, chance: random.Random) -> Iterator[NewRecord]:
    """The feed, its state after some polls, and its entries seen; one in a hundred is due soon, the rest much later."""
    yield feed_record(feed)
    place, at = feed.domain.encode(), to_millis(NOON)
    due = NOON + (timedelta(hours=1) if number < POLLED else timedelta(days=1, seconds=number % 3_600))
    state = FeedState(
        feed_id=feed.id,
        url=feed.url,
        domain=feed.domain,
        next_poll_at=due,
        etag=f'"{number:x}-5f3c9a"',
        last_modified="Mon, 02 Feb 2026 10:15:00 GMT",
        body_hash=chance.randbytes(32).hex(),
        last_poll_at=NOON,
        last_success_at=NOON,
        last_status=200,
        polls=7,
        entries=entries,
        title="Motor news",
        language="en",
        entries_per_day=4.2,
        window=entries,
    )
    yield NewRecord(FEED_STATES, feed.id.encode(), encode(state), at, place_by=place)
    packed = b"".join(chance.randbytes(32) + b"\x00\x01\x01" + chance.randbytes(8) for _ in range(entries))
    seen = SeenEntries(feed.id, base64.b64encode(packed).decode("ascii"))
    yield NewRecord(SEEN_ENTRIES, feed.id.encode(), encode(seen), at, place_by=place)


async def make(path: Path, feeds: int, entries: int) -> dict[str, float]:
    """Write the log as so many polled feeds leave it."""
    chance = random.Random(1)
    made = (
        record for number, feed in enumerate(feeds_of(feeds)) for record in records_of(feed, number, entries, chance)
    )
    async with await SqliteLog.open(path, partitions=PARTITIONS) as log:
        await log.create(CATALOGUE)
        while records := list(islice(made, AT_ONCE)):
            await log.append(records)
    return {}


def not_modified(request: PollRequest, at: datetime) -> bytes:
    """What a server says that has nothing new."""
    return encode(FetchOutcome(request.feed_id, request.url, request.url, at, status=304, etag=request.etag))


class StillShell:
    """Answers every poll on the spot."""

    def __init__(self) -> None:
        self.now = NOON

    async def perform(self, act: Act) -> bytes:
        return not_modified(act.payload, self.now)

    async def close(self) -> None:
        return None


async def start(path: Path) -> dict[str, float]:
    """Start the service on the log, poll what is due, then measure a poll in the worker alone."""
    shell, workers, settings = StillShell(), [], FetchSettings()
    spec = fetch_spec(settings, shell)

    def build(partition: int) -> Worker:
        workers.append(spec.build(partition))
        return workers[-1]

    began, before = time.perf_counter(), processor_seconds()
    async with await SqliteLog.open(path, exclusive=True) as log:
        runner = Runner(
            log,
            [replace(spec, build=build)],
            app="scale",
            validator=SchemaValidator(),
            clock=lambda: shell.now,
            metrics=Metrics(CollectorRegistry()),
        )
        stopping = asyncio.Event()
        running = asyncio.create_task(runner.run(stopping))
        while not (runner.health() and runner.ready()):  # noqa: ASYNC110 - asked as a liveness probe asks
            await asyncio.sleep(0.01)
        found = {"start_s": time.perf_counter() - began, "start_processor_s": processor_seconds() - before}
        found["service_us"] = await _polls(log, shell)
        stopping.set()
        await running
    found["poll_us"] = _worker_us(workers, NOON + timedelta(hours=30))
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


async def _polls(log: SqliteLog, shell: StillShell) -> float:
    """Let the service poll what is due in an hour, and return the processor time of a poll in µs."""
    places = [TopicPartition(FEED_STATES, partition) for partition in range(PARTITIONS)]
    wanted = sum((await log.end_offsets(places)).values()) + POLLED
    before = processor_seconds()
    shell.now = NOON + timedelta(hours=2)
    while sum((await log.end_offsets(places)).values()) < wanted:  # noqa: ASYNC110 - the log is asked, as anyone could
        await asyncio.sleep(0.05)
    return (processor_seconds() - before) / POLLED * 1e6


def _worker_us(workers: list[FetchWorker], now: datetime) -> float:
    """Poll as many feeds through one task's worker by hand, and return the time of a poll in µs."""
    worker, done = workers[0], 0
    worker.wake(now)  # the first one also counts what is due, for the metrics, as one in ten seconds does
    began = time.thread_time()
    while done < POLLED // PARTITIONS and (acts := worker.wake(now).acts):
        for act in acts:
            value = not_modified(act.payload, now)
            outcome = Record(NAME, 0, OUTCOME_OFFSET, act.id.encode(), value, to_millis(now))
            for change in worker.process(outcome).changes:
                worker.apply(change)
        done += len(acts)
    return (time.thread_time() - began) / done * 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=("make", "start"))
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--feeds", type=int, required=True)
    parser.add_argument("--entries", type=int, required=True)
    asked = parser.parse_args()
    work = make(asked.path, asked.feeds, asked.entries) if asked.step == "make" else start(asked.path)
    print(orjson.dumps(asyncio.run(work) | {"bytes": asked.path.stat().st_size}).decode())
