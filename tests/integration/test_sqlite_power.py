"""Power cuts: the embedded log's files as they were at any moment of writing, and what is in them then."""

import asyncio
import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.reading import at, drain, record, values
from tests.integration.recording_disk import after_a_cut, can_record
from tests.integration.sqlite_writer import IN, OUT, STATE, TASK

from tieup.errors import LogCorrupt, LogError
from tieup.log.base import NewRecord, TopicPartition
from tieup.log.sqlite import SqliteLog
from tieup.log.sqlite_file import PAGE_BYTES
from tieup.log.topics import Topic

PER_COMMIT = 11
WAL_HEADER = 32


class Writer:
    """A process that commits for ever; it can be stopped at any instruction, and its files copied."""

    def __init__(self, path):
        self.path = path
        command = [sys.executable, "-m", "tests.integration.sqlite_writer", "commit_for_ever", str(path)]
        root = Path(__file__).parent.parent.parent
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = b""

    def wait_for(self, count):
        while self.acknowledged < count:
            self._listen()

    @property
    def acknowledged(self):
        return self.said.count(b"\n")

    def _listen(self):
        self.said += self.process.stdout.read() or b""

    def copy(self, folder):
        """Copy the files while the process stands still; returns how many commits it had been told of by then."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        folder.mkdir()
        for part in ("", "-wal"):
            shutil.copyfile(f"{self.path}{part}", folder / f"log.db{part}")
        self._listen()
        self.process.send_signal(signal.SIGCONT)
        return self.acknowledged

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def writer(tmp_path):
    one = Writer(tmp_path / "log.db")
    yield one
    one.end()


async def found(path):
    """The position and the number of records; raises if the file is not whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'topics'").fetchone()[0]:
            return 0, 0
    async with await SqliteLog.open(path) as log:
        await log.create([IN, OUT, STATE])
        task = await log.open_task(TASK)
        ends = [TopicPartition(t.name, p) for t in (OUT, STATE) for p in range(await log.partitions(t.name))]
        position = (await task.committed([at(IN)]))[at(IN)] or 0
        return position, sum((await log.end_offsets(ends)).values())


async def test_stopped_at_any_instruction_the_files_hold_all_that_was_acknowledged(writer, tmp_path):
    rng = random.Random(6)
    for number in range(12):
        writer.wait_for(writer.acknowledged + rng.randrange(1, 60))
        folder = tmp_path / str(number)
        acknowledged = writer.copy(folder)
        position, records = await found(folder / "log.db")
        assert records == position * PER_COMMIT
        assert acknowledged <= position <= acknowledged + 1


async def test_cut_off_at_any_byte_the_files_hold_whole_commits_only(writer, tmp_path):
    """Before the first checkpoint all commits are in the -wal: whatever of it reached the disk is a state to open."""
    writer.wait_for(40)
    writer.copy(tmp_path / "whole")
    wal = (tmp_path / "whole" / "log.db-wal").read_bytes()
    rng, positions = random.Random(7), []
    for number, length in enumerate(sorted(rng.randrange(WAL_HEADER, len(wal)) for _ in range(40))):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        shutil.copyfile(tmp_path / "whole" / "log.db", folder / "log.db")
        torn = rng.randbytes(rng.randrange(0, 5000)) if number % 2 else b""
        (folder / "log.db-wal").write_bytes(wal[:length] + torn)
        position, records = await found(folder / "log.db")
        assert records == position * PER_COMMIT
        positions.append(position)
    assert positions == sorted(positions), "the more of it is there, the more commits"
    assert positions[-1] > 30


@pytest.mark.skipif(
    not can_record() and not os.environ.get("CI"),  # there it must not go unseen
    reason="this Python's SQLite does not show its interface for file systems",
)
@pytest.mark.parametrize("pragma", ["synchronous = FULL", "synchronous = OFF"], ids=["guarded", "control"])
async def test_a_power_cut_after_any_write_keeps_all_that_was_acknowledged(tmp_path, pragma):
    """Whatever was not synced is there, missing or torn; without syncs, which is the control, commits are lost."""
    path = tmp_path / "log.db"
    command = [sys.executable, "-m", "tests.integration.sqlite_writer", "commit_recorded", str(path), pragma]
    root = Path(__file__).parent.parent.parent
    await asyncio.to_thread(subprocess.run, command, cwd=root, check=True, timeout=60)
    journal = pickle.loads(path.with_suffix(".journal").read_bytes())
    rng, faults, resets = random.Random(8), 0, 0
    begun = next(n for n, done in enumerate(journal) if done.kind == "acknowledge")
    for number in range(60):
        cut = rng.randrange(begun, len(journal))
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        for name, content in after_a_cut(journal[:cut], rng).items():
            (folder / Path(name).name).write_bytes(content)
        acknowledged = sum(done.kind == "acknowledge" for done in journal[:cut])
        resets += any(done.file.endswith("-wal") and done.offset == 0 for done in journal[begun:cut])
        faults += not await whole(folder / path.name, acknowledged)
    assert resets > 10, "cuts after checkpoints too"
    assert bool(faults) == pragma.endswith("OFF")


async def whole(path, acknowledged):
    """Whether the file opens, is sound, and holds every acknowledged commit and no part of another."""
    try:
        position, records = await found(path)
    except (AssertionError, LogError, sqlite3.Error):
        return False
    return records == position * PER_COMMIT and acknowledged <= position <= acknowledged + 1


async def test_one_corrupt_page_is_named_and_what_is_elsewhere_can_be_read(tmp_path):
    path, one, two = tmp_path / "log.db", Topic("one", single=True), Topic("two", single=True)
    async with await SqliteLog.open(path) as log:
        await log.create([one, two])
        await log.append([record(one, b"k", b"a" * 2000) for _ in range(50)])
        await log.append([record(two, b"k", b"b" * 2000) for _ in range(50)])
    raw = bytearray(path.read_bytes())
    page = raw.rindex(b"b" * 100) // PAGE_BYTES * PAGE_BYTES
    raw[page : page + PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    path.write_bytes(raw)
    async with await SqliteLog.open(path) as log:
        assert len(await drain(log, [at(one)])) == 50
        with pytest.raises(LogCorrupt, match=r"log\.db"):
            await drain(log, [at(two)])


async def test_a_long_reader_holds_up_no_commit_and_sees_one_state(tmp_path):
    path, one = tmp_path / "log.db", Topic("one", single=True)
    async with await SqliteLog.open(path, exclusive=True) as log:
        await log.create([one])
        await log.append([record(one, b"k", b"0")])
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            (before,) = reader.execute("SELECT count(*) FROM records").fetchone()
            task = await log.open_task(TASK)
            for n in range(1, 200):
                await task.commit([record(one, b"k", b"%d" % n)], {at(one): n})
            assert reader.execute("SELECT count(*) FROM records").fetchone() == (before,)
            reader.execute("ROLLBACK")
            assert reader.execute("SELECT count(*) FROM records").fetchone() == (200,)


async def test_a_clock_that_jumps_changes_neither_order_nor_what_is_kept(tmp_path):
    """Offsets give the order; the clock is asked for retention only, and one set back keeps more, never less."""
    topic = Topic("one", single=True, retention_ms=60_000)
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)
    async with await SqliteLog.open(tmp_path / "log.db", exclusive=True) as log:
        await log.create([topic])
        stamps = [noon, noon - timedelta(days=400), noon + timedelta(days=400), noon]
        stamped = [
            NewRecord(topic.name, b"k", b"%d" % n, round(stamp.timestamp() * 1000)) for n, stamp in enumerate(stamps)
        ]
        await log.append(stamped)
        await log.clean(noon - timedelta(days=4000))
        assert values(await drain(log, [at(topic)])) == [b"0", b"1", b"2", b"3"]
        await log.clean(noon + timedelta(days=1))
        await log.clean(noon - timedelta(days=4000))
        await log.append([record(topic, b"k", b"4")])
        assert values(await drain(log, [at(topic)])) == [b"2", b"3", b"4"]
