"""The guards of the embedded log and of a runner on it, and beside each the same check with the guard switched off."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime

import orjson
import pytest
from prometheus_client import CollectorRegistry

from tests.chaos.guarding import ends_within, eventually, guarded
from tests.contract.reading import at, drain, record, values
from tests.tally import AnyValue, TallyWorker
from tieup.errors import Fenced, LogBusy, LogCorrupt, LogError, LogFull, LogUnavailable
from tieup.log import sqlite, sqlite_file, sqlite_records
from tieup.log.base import NewRecord, TaskId, WorkerSpec
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.sqlite import SqliteLog
from tieup.log.sqlite_file import PAGE_BYTES
from tieup.log.step import Stepper
from tieup.log.task import TaskBounds
from tieup.log.topics import BY_NAME, DEAD_LETTERS, Topic
from tieup.metrics import Metrics

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
NUMBERS, TOTALS, TALLIES = (Topic(f"guards.{name}.v1", single=True) for name in ("numbers", "totals", "tallies"))
TASK = TaskId("g-tally", "tally", 0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.db"


def runner(log, shell=None):
    spec = WorkerSpec(
        "tally",
        lambda p: TallyWorker(TOTALS.name, TALLIES.name),
        (NUMBERS.name,),
        state=(TALLIES.name,),
        shell=shell,
        wakes=shell is not None,
    )
    bounds = RunnerBounds(first_pause_s=0.02, longest_pause_s=0.02, task=TaskBounds(tick_s=0.02))
    told = {"validator": AnyValue(), "clock": lambda: NOON, "metrics": Metrics(CollectorRegistry())}
    return Runner(log, [spec], app="g", bounds=bounds, **told)


async def made(log):
    await log.create([NUMBERS, TOTALS, TALLIES, BY_NAME[DEAD_LETTERS]])


@contextlib.contextmanager
def statement_by_statement(connection, begin):
    """No transaction: each statement stands when it is done."""
    yield


@guarded
async def test_a_full_disk_leaves_nothing_half_done(path, monkeypatch, guarded):
    """Trap: a commit that fails in its middle. The records before stand, the next try meets them."""
    monkeypatch.setattr(sqlite_records, "ROWS_AT_ONCE", 1)
    async with await SqliteLog.open(path, max_bytes=400_000) as log:
        await made(log)
        hold, commits, some = await log.open_task(TASK), 0, [record(TOTALS, b"k", b"x" * PAGE_BYTES)] * 20
        if not guarded:
            monkeypatch.setattr(sqlite_file, "transaction", statement_by_statement)
        with contextlib.suppress(LogFull):
            while commits < 20:
                await hold.commit(some, {at(NUMBERS): commits + 1})
                commits += 1
        assert 0 < commits < 5
        await log._writing.ask(lambda connection: connection.execute("PRAGMA max_page_count = 10000").fetchall())
        again = await log.open_task(TASK)
        assert await again.committed([at(NUMBERS)]) == {at(NUMBERS): commits}
        half = False
        try:
            await again.commit(some, {at(NUMBERS): commits + 1})
        except LogError:
            half = True
        assert half != guarded
        if guarded:
            assert len(await drain(log, [at(TOTALS)])) == len(some) * (commits + 1)


@guarded
async def test_a_damaged_file_ends_the_run_instead_of_being_tried_for_ever(path, monkeypatch, guarded):
    """Trap: every error is taken for one that passes, and a service that can never go on looks busy."""
    if not guarded:
        monkeypatch.setattr(sqlite_file, "translate", lambda path, error: LogUnavailable(f"{path}: {error}"))
    async with await SqliteLog.open(path) as log:
        await made(log)
        await log.append([NewRecord(NUMBERS.name, b"a", b"1" + b" " * 2000, 1)] * 50)
    raw = bytearray(path.read_bytes())
    page = raw.rindex(b" " * 1000) // PAGE_BYTES * PAGE_BYTES
    raw[page : page + PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    path.write_bytes(raw)
    async with await SqliteLog.open(path, exclusive=True) as log:
        one, stopping = runner(log), asyncio.Event()
        running = asyncio.create_task(one.run(stopping))
        assert await ends_within(20.0 if guarded else 0.5, asyncio.shield(running), LogCorrupt) == guarded
        stopping.set()
        await asyncio.wait({running})


def not_buried(self, record, error, step):
    raise error


@guarded
async def test_poison_stops_nothing(path, monkeypatch, guarded):
    """Trap: an input that cannot be used is tried again for ever, and all that stands behind it waits."""
    if not guarded:
        monkeypatch.setattr(Stepper, "_bury", not_buried)
    async with await SqliteLog.open(path, exclusive=True) as log:
        await made(log)
        await log.append([NewRecord(NUMBERS.name, b"a", value, 1) for value in (b"1", b"poison", b"2")])
        stopping = asyncio.Event()
        running = asyncio.create_task(runner(log).run(stopping, once=True))
        await asyncio.wait({running}, timeout=20.0 if guarded else 0.5)
        stopping.set()
        await asyncio.wait({running})
        totals = [orjson.loads(value)["total"] for value in values(await drain(log, [at(TOTALS)]))]
    assert totals == ([1, 3] if guarded else [])


class Unlocked:
    """A lock that keeps nobody out."""

    def __init__(self, path):
        pass

    def release(self):
        pass


class Receiver:
    """Counts who asks it, and answers nobody."""

    def __init__(self):
        self.asked = []

    async def perform(self, act):
        self.asked.append(act.id)
        await asyncio.Event().wait()

    async def close(self):
        pass


@guarded
async def test_two_runners_on_one_file_do_not_both_ask(path, monkeypatch, guarded):
    """Trap: no epoch fences a request to the outside. Who has the task does not know that another has it too."""
    if not guarded:
        monkeypatch.setattr(sqlite, "RunnerLock", Unlocked)
    shell, stopping = Receiver(), asyncio.Event()
    async with await SqliteLog.open(path, exclusive=True) as log:
        await made(log)
        await log.append([NewRecord(NUMBERS.name, b"a", b"5000", 1)])
        running = [asyncio.create_task(runner(log, shell).run(stopping))]

        async def asked(times):
            return len(shell.asked) >= times

        await eventually(lambda: asked(1))
        try:
            async with await SqliteLog.open(path, exclusive=True) as other:
                running.append(asyncio.create_task(runner(other, shell).run(stopping)))
                await eventually(lambda: asked(2))
                stopping.set()
                await asyncio.gather(*running)
        except LogBusy:
            stopping.set()
            await asyncio.gather(*running)
    assert (shell.asked == ["ask:a"]) == guarded


@guarded
async def test_two_owners_of_a_task_do_not_both_commit(path, monkeypatch, guarded):
    """Trap: an owner that slept wakes and commits what another has done since."""
    async with await SqliteLog.open(path) as log, await SqliteLog.open(path) as other:
        await made(log)
        zombie, owner = await log.open_task(TASK), await other.open_task(TASK)
        if not guarded:
            zombie._epoch = owner._epoch
        await owner.commit([record(TOTALS, b"k", b"0")], {at(NUMBERS): 1})
        try:
            await zombie.commit([record(TOTALS, b"k", b"0")], {at(NUMBERS): 1})
        except Fenced:
            assert guarded
        assert (values(await drain(log, [at(TOTALS)])) == [b"0"]) == guarded


@guarded
async def test_a_task_does_not_go_on_after_a_commit_that_failed(path, monkeypatch, guarded):
    """Trap: the next commit brings the position past what was never said."""
    async with await SqliteLog.open(path) as log:
        await made(log)
        hold = await log.open_task(TASK)
        with pytest.raises(LogError):
            await hold.commit([record(TOTALS, b"k", b"0"), NewRecord("nowhere", b"k", b"0", 1)], {at(NUMBERS): 1})
        if not guarded:
            hold._ended = False
        try:
            await hold.commit([record(TOTALS, b"k", b"1")], {at(NUMBERS): 2})
        except LogError:
            assert guarded
        position = (await (await log.open_task(TASK)).committed([at(NUMBERS)]))[at(NUMBERS)] or 0
        lost = position > len(await drain(log, [at(TOTALS)]))
        assert lost != guarded


READ = sqlite_records.read


def by_the_clock(*wanted):
    """The records in the order of their times."""
    batch = READ(*wanted)
    batch.records.sort(key=lambda one: one.timestamp)
    return batch


@guarded
async def test_a_clock_that_jumps_brings_nothing_out_of_order(path, monkeypatch, guarded):
    """Trap: a time is no place. Clocks are set back."""
    if not guarded:
        monkeypatch.setattr(sqlite_records, "read", by_the_clock)
    async with await SqliteLog.open(path, exclusive=True) as log:
        await made(log)
        times = (1_000_000, 1_000_001, 400, 1_000_002)
        await log.append([NewRecord(NUMBERS.name, b"a", b"%d" % 10**n, ms) for n, ms in enumerate(times)])
        await runner(log).run(asyncio.Event(), once=True)
        totals = [orjson.loads(value)["total"] for value in values(await drain(log, [at(TOTALS)], 0))]
    assert (totals == [1, 11, 111, 1111]) == guarded


@guarded
async def test_a_long_reader_holds_up_no_commit(path, monkeypatch, guarded):
    """Trap: without a write-ahead log a backup or a look at the file keeps every commit waiting."""
    if not guarded:
        monkeypatch.setattr(sqlite_file, "_switch_to_wal", lambda connection, busy_timeout_s: None)
    async with await SqliteLog.open(path, busy_timeout_s=0.1) as log:
        await made(log)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM records").fetchone()
            try:
                await log.append([record(NUMBERS, b"k")])
            except LogUnavailable:
                assert not guarded
            else:
                assert guarded
