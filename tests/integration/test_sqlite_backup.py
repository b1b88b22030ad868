"""Copies of the embedded log: taken while a runner commits, whole, and put back."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.contract.reading import at, drain, record, values
from tests.service import environment, tieup

from tieup.errors import BadFile, LogBusy, LogCorrupt, UsageError
from tieup.log.base import TaskId
from tieup.log.sqlite import SqliteLog
from tieup.log.sqlite_backup import back_up, put_back
from tieup.log.topics import Topic

ONE = Topic("one", single=True)
TASK = TaskId("g", "w", 0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.db"


async def commit(path: Path, begin: int, end: int) -> None:
    async with await SqliteLog.open(path, exclusive=True) as log:
        await log.create([ONE])
        task = await log.open_task(TASK)
        for n in range(begin, end):
            await task.commit([record(ONE, b"k", b"%d" % n)], {at(ONE): n + 1})


async def state(path: Path) -> tuple[int | None, list[bytes]]:
    async with await SqliteLog.open(path) as log:
        task = await log.open_task(TASK)
        return (await task.committed([at(ONE)]))[at(ONE)], values(await drain(log, [at(ONE)]))


async def test_copies_taken_while_a_runner_commits_are_whole(path, tmp_path):
    await commit(path, 0, 10)
    running = asyncio.create_task(commit(path, 10, 400))
    for number in range(5):
        await asyncio.sleep(0.05)
        assert await asyncio.to_thread(back_up, path, tmp_path / f"copy-{number}.db") > 0
    await running
    for number in range(5):
        position, found = await state(tmp_path / f"copy-{number}.db")
        assert found == [b"%d" % n for n in range(position)], "records and position of one moment"
    assert not list(tmp_path.glob("*.part-*"))


async def test_a_copy_put_back_goes_on_where_it_was_taken_and_the_former_log_is_kept(path, tmp_path):
    await commit(path, 0, 3)
    back_up(path, tmp_path / "copy.db")
    await commit(path, 3, 5)
    with pytest.raises(UsageError, match="--force"):
        put_back(tmp_path / "copy.db", path, replace=False)
    kept = put_back(tmp_path / "copy.db", path, replace=True)
    assert await state(path) == (3, [b"0", b"1", b"2"])
    assert await state(kept) == (5, [b"0", b"1", b"2", b"3", b"4"])
    await commit(path, 3, 4)
    assert (await state(path))[0] == 4


async def test_what_sqlite_kept_beside_the_former_log_is_not_read_into_the_copy(path, tmp_path):
    await commit(path, 0, 2)
    back_up(path, tmp_path / "copy.db")
    async with await SqliteLog.open(path) as log:  # not closed in order: its -wal stays
        await log.append([record(ONE, b"k", b"in the wal")])
        for part in ("", "-wal", "-shm"):
            shutil.copyfile(f"{path}{part}", tmp_path / f"crashed.db{part}")
    put_back(tmp_path / "copy.db", tmp_path / "crashed.db", replace=True)
    assert (await state(tmp_path / "crashed.db"))[1] == [b"0", b"1"]


async def test_nothing_is_put_under_a_running_tieup(path, tmp_path):
    await commit(path, 0, 1)
    back_up(path, tmp_path / "copy.db")
    async with await SqliteLog.open(path, exclusive=True):
        with pytest.raises(LogBusy):
            put_back(tmp_path / "copy.db", path, replace=True)


async def test_a_copy_overwrites_nothing(path, tmp_path):
    await commit(path, 0, 1)
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(UsageError, match="overwrites nothing"):
        back_up(path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


async def test_a_damaged_copy_is_not_put_back_and_a_damaged_log_not_copied(path, tmp_path):
    await commit(path, 0, 300)
    back_up(path, tmp_path / "copy.db")
    for file in (path, tmp_path / "copy.db"):
        raw = bytearray(file.read_bytes())
        for page in range(2 * 4096, len(raw) - 4096, 4096):
            raw[page + 8 : page + 64] = b"\xa5" * 56
        file.write_bytes(raw)
    with pytest.raises(BadFile):
        put_back(tmp_path / "copy.db", tmp_path / "new.db", replace=False)
    with pytest.raises(LogCorrupt):
        back_up(path, tmp_path / "second.db")
    assert not (tmp_path / "new.db").exists()
    assert not (tmp_path / "second.db").exists()


def test_another_programs_database_is_no_backup(tmp_path):
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(BadFile, match="no tieup log"):
        put_back(tmp_path / "other.db", tmp_path / "new.db", replace=False)
    with pytest.raises(BadFile, match="no such backup"):
        put_back(tmp_path / "missing.db", tmp_path / "new.db", replace=False)


async def test_the_commands(path, tmp_path):
    await commit(path, 0, 2)
    env = environment(log=f"sqlite:///{path}")
    assert tieup(["backup", "copy.db"], env, tmp_path).returncode == 0
    again = tieup(["backup", "copy.db"], env, tmp_path)
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
    other = environment(log=f"sqlite:///{tmp_path / 'other.db'}")
    assert tieup(["restore", "copy.db"], other, tmp_path).returncode == 0
    assert (await state(tmp_path / "other.db"))[0] == 2
    kafka = tieup(["backup", "k.db"], environment(log="kafka://127.0.0.1:1"), tmp_path)
    assert (kafka.returncode, "only the embedded log" in kafka.stderr) == (2, True)
