"""The embedded log's retention and compaction, by the rules of Kafka, at times that the tests choose."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.reading import drain

from tieup.log.base import NewRecord, TaskId, TopicPartition
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import DAY_MS, Topic

IN, STATE = Topic("in", single=True), Topic("state", single=True, compact=True)
INPUT = TopicPartition(IN.name, 0)
TASK = TaskId("test-w", "w", 0)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.db"


@pytest.fixture
async def log(path):
    async with await SqliteLog.open(path) as opened:
        await opened.create([IN, STATE])
        yield opened


@pytest.fixture
def removed(path):
    """Clean the log and tell how many records that removed from the file."""

    def count():
        with contextlib.closing(sqlite3.connect(path)) as file:
            return file.execute("SELECT count(*) FROM records").fetchone()[0]

    async def clean(log, now):
        before = count()
        await log.clean(now)
        return before - count()

    return clean


def new(topic, key, value, timestamp=NOON_MS):
    return NewRecord(topic.name, key, value, timestamp)


async def test_compaction_keeps_the_newest_of_each_key_at_its_offset(log, removed):
    for n in range(3000):
        if n % 500 == 0:
            batch = [new(STATE, b"k%d" % (i % 7), b"%d" % i) for i in range(n, n + 500)]
            await log.append(batch)
    table = TopicPartition(STATE.name, 0)
    assert await removed(log, NOON) == 3000 - 7
    found = await drain(log, [table])
    assert [(r.offset, r.value) for r in found] == [(n, b"%d" % n) for n in range(2993, 3000)]
    assert await log.first_offsets([table]) == {table: 0}
    assert await log.append([new(STATE, b"k0", b"next")]) == [3000]
    assert await removed(log, NOON) == 1
    assert await removed(log, NOON) == 0


async def test_a_tombstone_stays_a_day_after_it_was_first_compacted(log, removed):
    table = TopicPartition(STATE.name, 0)
    await log.append([new(STATE, b"a", b"1", 5), new(STATE, b"b", b"2", 5), new(STATE, b"a", None, 5)])
    assert await removed(log, NOON) == 1
    assert [(r.offset, r.value) for r in await drain(log, [table])] == [(1, b"2"), (2, None)]
    assert await removed(log, NOON + DAY - timedelta(milliseconds=1)) == 0
    assert await removed(log, NOON + DAY) == 1
    assert [(r.offset, r.value) for r in await drain(log, [table])] == [(1, b"2")]
    assert await log.end_offsets([table]) == {table: 3}
    assert await log.append([new(STATE, b"a", b"back")]) == [3]


async def test_a_tombstones_day_does_not_begin_anew(log, removed, path):
    table = TopicPartition(STATE.name, 0)
    await log.append([new(STATE, b"a", None)])
    for half_days in range(2):
        await log.clean(NOON + half_days * DAY / 2)
        await log.append([new(STATE, b"b%d" % half_days, b"v")])
    assert [r.key for r in await drain(log, [table])] == [b"a", b"b0", b"b1"]
    assert await removed(log, NOON + DAY) == 1
    assert [r.key for r in await drain(log, [table])] == [b"b0", b"b1"]
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM tombstones").fetchone() == (0,)


async def test_a_key_that_comes_back_outlives_its_tombstone(log):
    table = TopicPartition(STATE.name, 0)
    await log.append([new(STATE, b"a", b"1"), new(STATE, b"a", None)])
    await log.clean(NOON)
    await log.append([new(STATE, b"a", b"2")])
    await log.clean(NOON + DAY / 2)
    await log.clean(NOON + 3 * DAY)
    assert [(r.offset, r.value) for r in await drain(log, [table])] == [(2, b"2")]


async def test_retention_drops_the_oldest_by_their_timestamps(log, removed):
    week = Topic("week", single=True, retention_ms=7 * DAY_MS)
    await log.create([week])
    place = TopicPartition(week.name, 0)
    ages = [9, 8, 6, 10, 1]  # the fourth is old, but stands behind a younger one
    await log.append([new(week, b"k", b"%d" % age, NOON_MS - age * DAY_MS) for age in ages])
    assert await removed(log, NOON) == 2
    assert await log.first_offsets([place]) == {place: 2}
    assert [r.offset for r in await drain(log, [place])] == [2, 3, 4]
    assert await removed(log, NOON + 30 * DAY) == 3
    assert await log.first_offsets([place]) == await log.end_offsets([place]) == {place: 5}
    assert await drain(log, [place]) == []  # from 0, past all that is gone, to the end
    assert await log.append([new(week, b"k", b"next")]) == [5]


async def test_compacted_topics_with_a_retention_get_both(log, removed):
    both = Topic("both", single=True, compact=True, retention_ms=7 * DAY_MS)
    await log.create([both])
    stamps = [(b"a", 9), (b"b", 5), (b"b", 4), (b"c", 3)]
    await log.append([new(both, key, b"v", NOON_MS - age * DAY_MS) for key, age in stamps])
    assert await removed(log, NOON) == 2
    assert [r.offset for r in await drain(log, [TopicPartition(both.name, 0)])] == [2, 3]


async def test_other_topics_are_left_alone(log, removed):
    await log.append([new(IN, b"same", b"%d" % n, 0) for n in range(10)])
    assert await removed(log, NOON) == 0
    assert len(await drain(log, [INPUT])) == 10


async def test_tasks_commit_while_the_log_is_cleaned(log):
    task = await log.open_task(TASK)
    await log.append([new(STATE, b"k%d" % (n % 3), b"old") for n in range(5000)])

    async def run():
        for n in range(30):
            await task.commit([new(STATE, b"k%d" % (n % 3), b"%d" % n)], {INPUT: n + 1})

    await asyncio.gather(run(), log.clean(NOON))
    await log.clean(NOON)
    found = await drain(log, [TopicPartition(STATE.name, 0)])
    assert [r.value for r in found] == [b"27", b"28", b"29"]
    assert await task.committed([INPUT]) == {INPUT: 30}
