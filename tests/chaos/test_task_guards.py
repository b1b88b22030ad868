"""The guards of the runner and its tasks, and beside each the same check with the guard switched off."""

import asyncio
import io
import time
import uuid
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from aiokafka.protocol import fetch
from prometheus_client import CollectorRegistry

from tests.chaos.guarding import WAIT_S, Sleeper, ends_within, eventually, guarded
from tests.contract.kafka_storage import KafkaStorage
from tests.contract.reading import at, drain
from tests.tally import AnyValue, TallyWorker
from tieup.log.base import NewRecord, TaskId, WorkerSpec
from tieup.log.kafka import KafkaBounds, KafkaLog
from tieup.log.kafka_reader import KafkaReader
from tieup.log.runner import Runner, RunnerBounds, WorkerRun
from tieup.log.sqlite import SqliteLog
from tieup.log.task import Task, TaskBounds
from tieup.log.topics import BY_NAME, DEAD_LETTERS, Topic
from tieup.metrics import Metrics

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)

FETCH = 1
"""Kafka's number of the request for records."""


class Slow(TallyWorker):
    """Blocks its thread for longer than the group's session, at its first record."""

    def process(self, record):
        time.sleep(3.0 if record.offset == 0 else 0)
        return super().process(record)


class SlowToRestore(TallyWorker):
    """The same while it restores."""

    def apply(self, change):
        if not self.sums:
            time.sleep(3.0)
        super().apply(change)


def runner(log, group, topics, build, **bounds):
    numbers, _, tallies = topics
    spec = WorkerSpec("tally", build, (numbers.name,), state=(tallies.name,))
    bounds = RunnerBounds(first_pause_s=0.05, task=TaskBounds(tick_s=0.02), **bounds)
    metrics = Metrics(CollectorRegistry())
    return Runner(
        log, [spec], app=group, validator=AnyValue(), clock=lambda: NOON, metrics=metrics, bounds=bounds
    ), metrics


async def topics_of(log):
    mark = uuid.uuid4().hex
    topics = [Topic(f"guards.{mark}.{name}.v1", single=True) for name in ("numbers", "totals", "tallies")]
    await log.create([*topics, BY_NAME[DEAD_LETTERS]])
    return topics


class OnTheLoop(Executor):
    """Has no threads: whoever hands work to it does the work."""

    def __init__(self, **_):
        pass

    def submit(self, function, /, *arguments, **named):
        done = Future()
        done.set_result(function(*arguments, **named))
        return done


@guarded
@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("build", [Slow, SlowToRestore])
async def test_long_work_and_a_long_restore_keep_the_membership(kafka, monkeypatch, build, guarded):
    """Trap: heartbeats share the loop. Work on it for longer than the session, and the group has moved on.

    A busy machine may delay a heartbeat as well, so the guarded get three tries; the others need but one.
    """
    if not guarded:
        monkeypatch.setattr("tieup.log.runner.ThreadPoolExecutor", OnTheLoop)
    told = []
    start = WorkerRun.start

    async def counted(self, partitions):
        told.append(partitions)
        await start(self, partitions)

    monkeypatch.setattr(WorkerRun, "start", counted)
    for _ in range(3 if guarded else 1):
        told.clear()
        await work_for_long(kafka, build, told)
        if len(told) == 1:
            break
    assert (len(told) == 1) == guarded


async def work_for_long(kafka, build, told):
    """Run the worker until it has said something, or its membership was told a second time."""
    bounds = KafkaBounds(session_s=1.5, heartbeat_s=0.3)
    async with await KafkaLog.open(f"kafka://{kafka}", bounds=bounds) as log:
        topics = await topics_of(log)
        numbers, totals, tallies = topics
        await log.append([NewRecord(numbers.name, b"a", b"1", 1), NewRecord(tallies.name, b"b", b"1", 1)])
        one, _ = runner(log, uuid.uuid4().hex, topics, lambda p: build(totals.name, tallies.name))
        stopping = asyncio.Event()
        running = asyncio.create_task(one.run(stopping))

        async def said_or_told_again():
            return len(told) > 1 or (await log.end_offsets([at(totals)]))[at(totals)] > 0

        await eventually(said_or_told_again)
        await asyncio.sleep(1.0)  # the group's answer to a heartbeat that came too late
        stopping.set()
        await running


@contextmanager
def without_records(proxy):
    """Let the broker answer every fetch, and well, but with no records: nothing is wrong, and nothing comes."""

    def emptied(api, version, body):
        if api != FETCH:
            return body
        told = getattr(fetch, f"FetchResponse_v{version}").decode(io.BytesIO(body))
        told.topics = [(name, [(*more, b"") for *more, _ in parts]) for name, parts in told.topics]
        return told.encode()

    honest, proxy.retold = proxy.retold, emptied
    try:
        yield
    finally:
        proxy.retold = honest


@guarded
@pytest.mark.kafka
async def test_a_reader_that_is_stuck_fails_liveness(proxied_kafka, monkeypatch, guarded):
    """Trap: a consumer that gives nothing more and no error. Turns go on; only the lag shows that nothing comes."""
    if not guarded:
        turn = Task._turn

        async def counts_as_progress(self, hold):
            self._moved()
            await turn(self, hold)

        monkeypatch.setattr(Task, "_turn", counts_as_progress)
    async with await KafkaLog.open(f"kafka://{proxied_kafka.cluster.bootstrap}") as log:
        topics = await topics_of(log)
        numbers, totals, tallies = topics
        group, stall = uuid.uuid4().hex, {"stall_s": 1.0, "watch_s": 0.05}
        one, _ = runner(log, group, topics, lambda p: TallyWorker(totals.name, tallies.name), **stall)
        stopping = asyncio.Event()
        running = asyncio.create_task(one.run(stopping))

        async def said(count):
            return len(await drain(log, [at(totals)])) == count

        async def is_told():
            return bool(one.stalled())

        await log.append([NewRecord(numbers.name, b"a", b"1", 1)])
        await eventually(lambda: said(1))
        with without_records(proxied_kafka.proxy):
            await log.append([NewRecord(numbers.name, b"a", b"2", 1)])
            told = await ends_within(WAIT_S if guarded else 3.0, eventually(is_told))
        assert told == guarded
        await eventually(lambda: said(2))
        stopping.set()
        await running


@guarded
async def test_an_idle_task_is_not_taken_for_stuck(tmp_path, monkeypatch, guarded):
    """A task with nothing to do makes no progress either, and must not fail liveness for it."""
    if not guarded:
        monkeypatch.setattr(Task, "_moved", lambda self: None)
    async with await SqliteLog.open(tmp_path / "log.db", exclusive=True) as log:
        topics = await topics_of(log)
        _, totals, tallies = topics
        one, _ = runner(log, "g", topics, lambda p: TallyWorker(totals.name, tallies.name), watch_s=0.02)
        stopping = asyncio.Event()
        running = asyncio.create_task(one.run(stopping))
        await eventually(lambda: is_ready(one))
        ready_at = time.monotonic()

        async def taken_for_idle():
            for_s = time.monotonic() - ready_at
            return for_s > 0.5 and one.health()[0].idle_s < for_s / 2

        seen = await ends_within(WAIT_S if guarded else 1.5, eventually(taken_for_idle))
        assert seen == guarded
        stopping.set()
        await running


class Follower(TallyWorker):
    """Follows a table: what stands on it is what it remembers."""

    made: ClassVar[list["Follower"]] = []

    def __init__(self, totals):
        super().__init__(totals, "")
        self.made.append(self)


@guarded
async def test_a_table_left_unread_for_longer_than_its_tombstones_live_is_rebuilt(tmp_path, guarded):
    """Trap: a key and its tombstone are both compacted away meanwhile, and the reader remembers the key for ever."""
    now = [NOON]
    async with await SqliteLog.open(tmp_path / "log.db", exclusive=True) as real:
        log = Sleeper(real)
        numbers, totals, _ = await topics_of(log)
        table = Topic("guards.table.v1", single=True, compact=True)
        await log.create([table])
        await log.append([NewRecord(table.name, b"gone", b"1", 1), NewRecord(table.name, b"kept", b"2", 1)])
        Follower.made.clear()
        spec = WorkerSpec("tally", lambda p: Follower(totals.name), (numbers.name,), tables=(table.name,))
        task = TaskBounds(tick_s=0.02, **({} if guarded else {"away_s": float("inf")}))
        bounds = RunnerBounds(first_pause_s=0.05, task=task)
        told = {"validator": AnyValue(), "clock": lambda: now[0], "metrics": Metrics(CollectorRegistry())}
        one, stopping = Runner(log, [spec], app="g", bounds=bounds, **told), asyncio.Event()
        running = asyncio.create_task(one.run(stopping))
        await eventually(lambda: remembers({b"gone": 1, b"kept": 2}))
        log.awake.clear()
        await log.asleep.wait()
        await log.append([NewRecord(table.name, b"gone", None, 1)])
        for day in (0, 2):
            await log.clean(NOON + timedelta(days=day))
        assert [r.key for r in await drain(real, [at(table)])] == [b"kept"]
        now[0] = NOON + timedelta(days=2)
        log.awake.set()
        await log.append([NewRecord(table.name, b"new", b"3", 1)])
        wanted = {b"kept": 2, b"new": 3}
        await eventually(lambda: remembers(wanted if guarded else {b"gone": 1, **wanted}))
        assert len(Follower.made) == 1 + guarded
        stopping.set()
        await running


async def remembers(wanted):
    return bool(Follower.made) and Follower.made[-1].sums == wanted


@guarded
@pytest.mark.kafka
async def test_a_position_below_what_is_held_is_moved_up(kafka, monkeypatch, guarded):
    """Trap: retention passes the committed position, and the consumer gives nothing for ever."""
    if not guarded:

        async def as_committed(self, hold):
            return {at: position or 0 for at, position in (await hold.committed(self._own(self._spec.streams))).items()}

        monkeypatch.setattr(Task, "_start_positions", as_committed)
        monkeypatch.setattr(KafkaReader, "_move_up", lambda self, refused: asyncio.sleep(0))
    storage = KafkaStorage(kafka)
    log = await storage.open()
    topics = await topics_of(log)
    numbers, totals, tallies = topics
    group = uuid.uuid4().hex
    await log.append([NewRecord(numbers.name, b"a", b"%d" % n, 1) for n in range(6)])
    hold = await log.open_task(TaskId(f"{group}-tally", "tally", 0))
    await hold.commit([], {at(numbers): 1})
    await hold.close()
    await storage.expire(log, at(numbers), 4)
    one, _ = runner(log, group, topics, lambda p: TallyWorker(totals.name, tallies.name))
    stopping = asyncio.Event()
    running = asyncio.create_task(one.run(stopping))
    await eventually(lambda: is_ready(one))

    async def both_told():
        while (await log.end_offsets([at(totals)]))[at(totals)] < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    assert await ends_within(WAIT_S if guarded else 2.0, both_told()) == guarded
    stopping.set()
    await running
    await storage.close()


async def is_ready(runner):
    return runner.ready()
