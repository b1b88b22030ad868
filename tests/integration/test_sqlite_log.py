"""The embedded log as a file among processes: killed, locked, full, read-only, damaged."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.contract.reading import WAIT_S, drain
from tests.integration.sqlite_writer import IN, OUT, STATE, TASK, outputs

from tieup.errors import InvalidOutput, LogBusy, LogCorrupt, LogError, LogFull, LogUnavailable, TopicError
from tieup.log.base import NewRecord, TaskId, TopicPartition
from tieup.log.sqlite import SqliteLog

ROOT = Path(__file__).parents[2]
INPUT = TopicPartition(IN.name, 0)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.db"


@pytest.fixture
async def log(path):
    async with await SqliteLog.open(path) as opened:
        await opened.create([IN, OUT, STATE])
        yield opened


@pytest.fixture
def start():
    """Start another process in a mode of sqlite_writer; it is ended with the test."""
    started = []

    def begin(mode, path):
        command = [sys.executable, "-m", "tests.integration.sqlite_writer", mode, str(path)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def public_folder():
    """A folder that other users can enter; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield folder
        folder.chmod(0o755)


def write_protect(folder):
    """The files beside the log stay readable, or the log could not be read at all."""
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)


async def said(process):
    """The next line that the process prints."""
    return (await asyncio.to_thread(process.stdout.readline)).strip()


def new(topic, key, value, timestamp=NOON_MS):
    return NewRecord(topic.name, key, value, timestamp)


class TestProcesses:
    async def test_another_process_reads_and_appends_while_this_one_runs(self, path, start):
        async with await SqliteLog.open(path, exclusive=True) as log:
            await log.create([IN])
            other = start("echo", path)
            assert await said(other) == "reading"
            task = await log.open_task(TASK)
            reader = await log.reader({INPUT: 0})
            answers = []
            async with asyncio.timeout(WAIT_S):
                for n in range(20):
                    await task.commit([new(IN, b"ask", b"q%d" % n)], {INPUT: n})
                while len(answers) < 20:
                    answers += [r.value for r in await reader.poll(100, 1.0) if r.key == b"answer"]
            assert answers == [b"Q%d" % n for n in range(20)]
            await log.append([new(IN, b"ask", b"stop")])
            assert await asyncio.to_thread(other.wait, WAIT_S) == 0

    async def test_killed_in_the_middle_of_commits_each_is_whole_or_absent(self, path, start):
        reached = 0
        for round_ in range(6):
            victim = start("commit_for_ever", path)
            for _ in range(5 + round_ * 3):
                last = int(await said(victim))
            await asyncio.sleep(round_ * 0.0001)  # a commit takes some 0.0005 s: another moment of it each time
            victim.send_signal(signal.SIGKILL)
            last = max([last, *(int(line) for line in victim.communicate()[0].split())])
            async with await SqliteLog.open(path) as log:
                reached = await self._whole(log)
            assert reached >= last  # what was reported as committed is there
        assert reached >= 6 * 5

    async def test_killed_before_any_statement_of_a_commit_nothing_of_it_is_there(self, path, start):
        driver = start("die_at_every_statement", path)
        found = (await asyncio.to_thread(driver.communicate))[0].splitlines()
        assert len(found) > len(outputs(0))  # at least a statement for each record, so that many died
        assert set(found) == {"None 0"}
        async with await SqliteLog.open(path) as log:
            assert await self._whole(log) == 1

    async def _whole(self, log):
        """Check that the outputs are those of the inputs below the committed position, each once; return it."""
        task = await log.open_task(TaskId("test-w", "inspector", 1))
        position = (await task.committed([INPUT]))[INPUT]
        made = await drain(log, [TopicPartition(OUT.name, p) for p in range(await log.partitions(OUT.name))])
        wanted = sorted(r.key for n in range(position) for r in outputs(n) if r.topic == OUT.name)
        assert sorted(r.key for r in made) == wanted
        state = await drain(log, [TopicPartition(STATE.name, 0)])
        assert [r.value for r in state] == [b"%d" % n for n in range(position)]
        return position

    async def test_one_runner_per_file(self, path, start):
        holder = start("hold", path)
        assert await said(holder) == "held"
        with pytest.raises(LogBusy) as busy:
            await SqliteLog.open(path, exclusive=True)
        assert str(path) in str(busy.value)
        assert str(holder.pid) in str(busy.value)
        guest = await SqliteLog.open(path)
        await guest.close()
        holder.send_signal(signal.SIGKILL)
        await asyncio.to_thread(holder.wait)
        async with await SqliteLog.open(path, exclusive=True):
            pass

    async def test_a_closed_runner_gives_the_file_back(self, path):
        first = await SqliteLog.open(path, exclusive=True)
        with pytest.raises(LogBusy, match=str(os.getpid())):
            await SqliteLog.open(path, exclusive=True)
        await first.close()
        async with await SqliteLog.open(path, exclusive=True):
            pass

    async def test_a_failed_open_gives_the_lock_back(self, path):
        path.write_bytes(b"no database" * 1000)
        for _ in range(2):
            with pytest.raises(LogCorrupt):
                await SqliteLog.open(path, exclusive=True)

    async def test_only_the_runner_joins(self, log):
        with pytest.raises(LogError, match="runner"):
            await log.join("group", [IN.name], None)

    async def test_many_open_a_new_file_at_once(self, tmp_path):
        for round_ in range(10):
            path = tmp_path / f"{round_}.db"
            logs = await asyncio.gather(*(SqliteLog.open(path) for _ in range(8)))
            made = await asyncio.gather(*(log.create([IN, OUT]) for log in logs))
            assert sorted(name for names in made for name in names) == [IN.name, OUT.name]
            for log in logs:
                await log.close()

    async def test_a_closed_log_leaves_no_thread(self, path):
        async with await SqliteLog.open(path, exclusive=True) as log:
            await log.create([STATE])
            await log.clean(NOON)
            assert len([t for t in threading.enumerate() if path.name in t.name]) == 2
        assert [t for t in threading.enumerate() if path.name in t.name] == []


class TestReader:
    async def test_this_processs_commits_wake_a_reader_without_polling(self, path):
        async with await SqliteLog.open(path, poll_interval_s=3600) as log:
            await log.create([IN])
            task = await log.open_task(TASK)
            reader = await log.reader({INPUT: 0})
            for write in (log.append([new(IN, b"k", b"1")]), task.commit([new(IN, b"k", b"2")], {})):
                waiting = asyncio.create_task(reader.poll(1, WAIT_S))
                await asyncio.sleep(0.02)
                await write
                async with asyncio.timeout(WAIT_S / 2):
                    assert len(await waiting) == 1

    async def test_a_poll_reads_a_bounded_number_of_bytes(self, path):
        async with await SqliteLog.open(path, batch_bytes=1000) as log:
            await log.create([IN])
            await log.append([new(IN, b"k", bytes([n]) * 600) for n in range(5)])
            reader = await log.reader({INPUT: 0})
            assert [len(await reader.poll(100, 0)) for _ in range(4)] == [2, 2, 1, 0]

    async def test_partitions_take_turns(self, log):
        full, rare = TopicPartition(OUT.name, 0), TopicPartition(OUT.name, 2)
        await log.append([NewRecord(OUT.name, b"k", b"%d" % n, 1, partition=0) for n in range(400)])
        await log.append([NewRecord(OUT.name, b"k", b"rare", 1, partition=2)])
        reader = await log.reader({full: 0, rare: 0})
        found = [*await reader.poll(10, 0), *await reader.poll(10, 0)]
        assert [r.value for r in found] == [b"%d" % n for n in range(10)] + [b"rare"] + [
            b"%d" % n for n in range(10, 19)
        ]


class TestErrors:
    async def test_a_file_at_its_bound_is_full_and_keeps_what_it_has(self, path):
        async with await SqliteLog.open(path, max_bytes=400_000) as log:
            await log.create([IN])
            task = await log.open_task(TASK)
            kept = 0

            async def fill():
                nonlocal kept
                while True:
                    await task.commit([new(IN, b"k", b"x" * 20_000)] * 3, {INPUT: kept + 1})
                    kept += 1

            with pytest.raises(LogFull, match=str(path)):
                await fill()
            assert kept > 2
            again = await log.open_task(TASK)
            assert await again.committed([INPUT]) == {INPUT: kept}
            assert len(await drain(log, [INPUT])) == kept * 3

    async def test_a_process_at_its_file_size_limit_is_full(self, path, log, start):
        process = start("fill", path)
        error, count, end = (await asyncio.to_thread(process.communicate))[0].splitlines()
        assert error.startswith(f"LogFull: {path}: ")
        assert int(count) > 2
        assert count == end
        assert len(await drain(log, [INPUT])) == int(count)

    async def test_a_read_only_file_can_be_read_and_refuses_records(self, public_folder, start):
        path = public_folder / "log.db"
        async with await SqliteLog.open(path) as log:
            await log.create([IN])
            write_protect(public_folder)
            process = start("write_read_only", path)
            lines = (await asyncio.to_thread(process.communicate))[0].splitlines()
            assert lines[0].startswith(f"LogFull: {path}: cannot be written")
            assert lines[1:] == ["0", "0"]

    async def test_a_folder_that_is_not_there(self, tmp_path):
        path = tmp_path / "nowhere" / "log.db"
        with pytest.raises(LogUnavailable, match="nowhere"):
            await SqliteLog.open(path)
        with pytest.raises(LogFull, match="nowhere"):
            await SqliteLog.open(path, exclusive=True)

    async def test_a_file_that_is_no_database(self, path):
        path.write_bytes(b"feeds: []\n" * 1000)
        with pytest.raises(LogCorrupt, match=str(path)):
            await SqliteLog.open(path)

    async def test_damaged_pages(self, path):
        async with await SqliteLog.open(path) as log:
            await log.create([IN])
            for n in range(200):
                await log.append([new(IN, b"k%d" % n, b"x" * 1000)])
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(size // 2)
            file.write(b"\xff" * (size // 2))
        async with await SqliteLog.open(path) as log:
            with pytest.raises(LogCorrupt, match=str(path)):
                await drain(log, [INPUT])

    async def test_another_programs_database_is_left_alone(self, path):
        with sqlite3.connect(path) as theirs:
            theirs.execute("CREATE TABLE bookmarks (url TEXT)")
        theirs.close()
        before = path.read_bytes()
        with pytest.raises(LogError, match="another program"):
            await SqliteLog.open(path)
        assert path.read_bytes() == before

    async def test_a_file_of_another_version_is_refused(self, path):
        async with await SqliteLog.open(path):
            pass
        with sqlite3.connect(path) as later:
            later.execute("PRAGMA user_version = 7")
        later.close()
        with pytest.raises(LogError, match=r"version 7, this tieup reads version 1"):
            await SqliteLog.open(path)

    async def test_a_write_that_others_hold_up_is_unavailable_not_lost(self, path, log):
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        async with await SqliteLog.open(path, busy_timeout_s=0.05) as hasty:
            with pytest.raises(LogUnavailable, match=str(path)):
                await hasty.append([new(IN, b"k", b"v")])
            assert await drain(hasty, [INPUT]) == []  # reading goes on meanwhile
            holder.execute("ROLLBACK")
            await hasty.append([new(IN, b"k", b"v")])
        holder.close()
        assert len(await drain(log, [INPUT])) == 1

    async def test_what_was_written_before_a_failure_is_taken_back(self, log):
        task = await log.open_task(TASK)
        with pytest.raises(TopicError, match="nowhere"):
            await task.commit([new(IN, b"k", b"v")], {INPUT: 1, TopicPartition("nowhere", 0): 1})
        assert await drain(log, [INPUT]) == []
        assert await (await log.open_task(TASK)).committed([INPUT]) == {INPUT: None}

    async def test_a_header_that_cannot_be_written_is_named(self, log):
        with pytest.raises(InvalidOutput, match=IN.name):
            await log.append([NewRecord(IN.name, b"k", b"v", 1, headers=(("\ud800", b""),))])
        assert await drain(log, [INPUT]) == []

    async def test_a_closed_log_says_so(self, path):
        log = await SqliteLog.open(path)
        await log.create([IN])
        reader = await log.reader({INPUT: 0})
        waiting = asyncio.create_task(reader.poll(1, WAIT_S))
        await asyncio.sleep(0.01)
        await log.close()
        with pytest.raises(LogError, match="closed"):
            await waiting
        with pytest.raises(LogError, match="closed"):
            await log.append([new(IN, b"k", b"v")])
