"""Every guard against a measured trap of the client, and beside it the same check with the guard switched off.

The check must find the fault then: a guard that nobody would miss is none.
"""

import asyncio
import itertools
import time
import uuid
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from prometheus_client import CollectorRegistry

from tests.chaos.proxy import END_TXN
from tests.contract.reading import at, drain, record, values
from tests.tally import AnyValue, TallyWorker
from tieup.errors import InvalidOutput, LogError, LogUnavailable
from tieup.log import kafka_transactions
from tieup.log.base import NewRecord, TaskId, WorkerSpec
from tieup.log.kafka import KafkaBounds, KafkaLog
from tieup.log.kafka_topics import Cluster
from tieup.log.kafka_transactions import Transactor
from tieup.log.runner import Runner, RunnerBounds, WorkerRun
from tieup.log.sqlite import SqliteLog
from tieup.log.task import Task, TaskBounds
from tieup.log.topics import BY_NAME, DEAD_LETTERS, Topic
from tieup.metrics import Metrics

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
WAIT_S = 40.0

guarded = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])


@pytest.fixture
async def log(kafka):
    async with await KafkaLog.open(f"kafka://{kafka}") as one:
        yield one


async def made(log):
    topic = Topic(f"guards.{uuid.uuid4().hex}.v1", single=True)
    await log.create([topic])
    return topic, TaskId(uuid.uuid4().hex, "w", 0)


async def reopened(log, task_id):
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await log.open_task(task_id)
            except LogUnavailable:
                await asyncio.sleep(0.1)


@guarded
@pytest.mark.kafka
async def test_the_end_of_a_transaction_that_comes_late_ends_no_other(proxied_kafka, monkeypatch, guarded):
    """Trap: EndTxn is repeated after a broken connection; the first then tears the next transaction in two."""
    if not guarded:
        monkeypatch.setattr(kafka_transactions, "end_once", lambda producer: None)
    async with await KafkaLog.open(f"kafka://{proxied_kafka.cluster.bootstrap}") as log:
        topic, task_id = await made(log)
        hold = await log.open_task(task_id)
        await hold.commit([record(topic, b"k", b"one")], {at(topic): 1})
        proxied_kafka.proxy.hold(END_TXN)
        try:
            await hold.commit([record(topic, b"k", b"two")], {at(topic): 2})
        except LogUnavailable:
            assert guarded
            await hold.close()
            hold = await reopened(log, task_id)
        assert await asyncio.to_thread(proxied_kafka.proxy.held.wait, 10)
        producer = hold._transactor._producer
        await producer.begin_transaction()
        await producer.send_and_wait(topic.name, b"half", partition=0)
        await asyncio.to_thread(proxied_kafka.proxy.let_go)
        torn = b"half" in values(await drain(log, [at(topic)]))
        assert torn != guarded
        await hold.close()


@guarded
@pytest.mark.kafka
async def test_a_zombie_commits_nothing(log, monkeypatch, guarded):
    """Trap: offsets are sent without the group's generation, so a member that lost its partition can still commit."""
    if not guarded:
        numbers = itertools.count()
        own = property(lambda self: f"{self.group}-{self.partition}-{next(numbers)}")
        monkeypatch.setattr(TaskId, "transactional_id", own)
    topic, task_id = await made(log)
    zombie = await log.open_task(task_id)
    owner = await log.open_task(task_id)
    await owner.commit([record(topic, b"k", b"0")], {at(topic): 1})
    try:
        await zombie.commit([record(topic, b"k", b"0")], {at(topic): 1})
    except LogError:
        assert guarded
    doubled = len(await drain(log, [at(topic)])) > 1
    assert doubled != guarded


@guarded
@pytest.mark.kafka
async def test_a_send_that_failed_is_not_committed_over(log, monkeypatch, guarded):
    """Trap: commit_transaction() succeeds over a send whose future nobody awaited."""
    if not guarded:
        send = Transactor._send

        async def unawaited(self, placed):
            sent = await send(self, placed)
            sent.add_done_callback(lambda future: future.cancelled() or future.exception())
            other = asyncio.get_running_loop().create_future()
            other.set_result(type("Unknown", (), {"offset": -1}))
            return other

        monkeypatch.setattr(Transactor, "_send", unawaited)
    topic, task_id = await made(log)
    hold = await log.open_task(task_id)
    try:
        await hold.commit([record(topic, b"k", b"x" * 2_000_000)], {at(topic): 1})
    except InvalidOutput:
        assert guarded
    again = await log.open_task(task_id)
    position = (await again.committed([at(topic)]))[at(topic)] or 0
    lost = position > len(await drain(log, [at(topic)]))
    assert lost != guarded


@guarded
@pytest.mark.kafka
async def test_the_position_is_read_after_the_former_owner_is_fenced(log, monkeypatch, guarded):
    """Trap: between a look at the position and the take-over the former owner may commit once more."""
    topic, task_id = await made(log)
    former = await log.open_task(task_id)
    early = await log._cluster.committed(task_id.group, [at(topic)])
    await former.commit([record(topic, b"k", b"0")], {at(topic): 1})
    hold = await log.open_task(task_id)
    found = await hold.committed([at(topic)]) if guarded else early
    for offset in range(found[at(topic)] or 0, 2):
        await hold.commit([record(topic, b"k", b"%d" % offset)], {at(topic): offset + 1})
    doubled = values(await drain(log, [at(topic)])) != [b"0", b"1"]
    assert doubled != guarded


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


async def eventually(condition):
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110 - another process's log has no event to wait for
            await asyncio.sleep(0.02)


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
    """Trap: heartbeats share the loop. Work on it for longer than the session, and the group has moved on."""
    if not guarded:
        monkeypatch.setattr("tieup.log.runner.ThreadPoolExecutor", OnTheLoop)
    bounds = KafkaBounds(session_s=1.5, heartbeat_s=0.3)
    async with await KafkaLog.open(f"kafka://{kafka}", bounds=bounds) as log:
        topics = await topics_of(log)
        numbers, totals, tallies = topics
        await log.append([NewRecord(numbers.name, b"a", b"1", 1), NewRecord(tallies.name, b"b", b"1", 1)])
        told = []
        start = WorkerRun.start

        async def counted(self, partitions):
            told.append(partitions)
            await start(self, partitions)

        monkeypatch.setattr(WorkerRun, "start", counted)
        one, _ = runner(log, uuid.uuid4().hex, topics, lambda p: build(totals.name, tallies.name))
        stopping = asyncio.Event()
        running = asyncio.create_task(one.run(stopping))

        async def said_or_told_again():
            return len(told) > 1 or (await log.end_offsets([at(totals)]))[at(totals)] > 0

        await eventually(said_or_told_again)
        await asyncio.sleep(1.0)  # the group's answer to a heartbeat that came too late
        stopping.set()
        await running
        assert (len(told) == 1) == guarded


@guarded
async def test_a_reader_that_is_stuck_fails_liveness(tmp_path, monkeypatch, guarded):
    """Trap: a consumer that gives nothing more and no error. Turns go on; only the lag shows that nothing comes."""
    if not guarded:
        turn = Task._turn

        async def counts_as_progress(self, hold):
            self._moved()
            await turn(self, hold)

        monkeypatch.setattr(Task, "_turn", counts_as_progress)
    async with await SqliteLog.open(tmp_path / "log.db", exclusive=True) as log:
        topics = await topics_of(log)
        numbers, totals, tallies = topics
        await log.append([NewRecord(numbers.name, b"a", b"1", 1)])
        monkeypatch.setattr(log, "reader", stuck)
        one, _ = runner(log, "g", topics, lambda p: TallyWorker(totals.name, tallies.name), stall_s=0.5, watch_s=0.02)
        stopping = asyncio.Event()
        running = asyncio.create_task(one.run(stopping))
        told = False
        async with asyncio.timeout(WAIT_S):
            deadline = time.monotonic() + 1.5
            while not told and (guarded or time.monotonic() < deadline):
                told = bool(one.stalled())
                await asyncio.sleep(0.02)
        stopping.set()
        await running
        assert told == guarded


async def stuck(positions):
    class Stuck:
        async def poll(self, limit, wait_s):
            await asyncio.sleep(wait_s)
            return []

        def positions(self):
            return positions

        async def close(self):
            pass

    return Stuck()


async def test_an_idle_task_is_not_taken_for_stuck(tmp_path):
    async with await SqliteLog.open(tmp_path / "log.db", exclusive=True) as log:
        topics = await topics_of(log)
        _, totals, tallies = topics
        one, _ = runner(log, "g", topics, lambda p: TallyWorker(totals.name, tallies.name), stall_s=0.3, watch_s=0.02)
        stopping = asyncio.Event()
        running = asyncio.create_task(one.run(stopping))
        await asyncio.sleep(1.0)
        assert one.stalled() == []
        assert one.ready()
        stopping.set()
        await running


class Follower(TallyWorker):
    """Follows a table: what stands on it is what it remembers."""

    made: ClassVar[list["Follower"]] = []

    def __init__(self, totals):
        super().__init__(totals, "")
        self.made.append(self)


class Sleeper:
    """A log whose readers stand still while the machine sleeps."""

    def __init__(self, log):
        self._log, self.awake, self.asleep = log, asyncio.Event(), asyncio.Event()
        self.awake.set()

    def __getattr__(self, name):
        return getattr(self._log, name)

    async def reader(self, positions):
        reader = await self._log.reader(positions)
        poll = reader.poll

        async def when_awake(limit, wait_s):
            if not self.awake.is_set():
                self.asleep.set()
            await self.awake.wait()
            return await poll(limit, wait_s)

        reader.poll = when_awake
        return reader


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
async def test_the_leaders_are_learnt_anew_before_a_restore(log, monkeypatch, guarded):
    """Trap: a broker that hung may still think that it leads, and tell an end that lies before the last commit."""
    if not guarded:
        monkeypatch.setattr(Cluster, "look_anew", lambda self: asyncio.sleep(0))
    _, task_id = await made(log)
    asked = []
    client = log._cluster._stable._client
    update = client._metadata_update

    async def counted(*arguments):
        asked.append(arguments)
        return await update(*arguments)

    monkeypatch.setattr(client, "_metadata_update", counted)
    await log.open_task(task_id)
    assert bool(asked) == guarded
