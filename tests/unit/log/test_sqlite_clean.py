"""Compaction and retention against what a reader may count on, on a log in memory."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.log import sqlite_clean, sqlite_records
from tieup.log.base import NewRecord, TopicPartition
from tieup.log.sqlite_file import connect, transaction
from tieup.log.topics import DAY_MS, Topic

TABLE = Topic("table", single=True, compact=True)
STREAM = Topic("stream", single=True, retention_ms=100)
PLACES = {topic.name: TopicPartition(topic.name, 0) for topic in (TABLE, STREAM)}

WRITES = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([b"1", b"2", None])), max_size=30)


@contextlib.contextmanager
def opened():
    with contextlib.closing(connect(Path(":memory:"), 1.0, None)) as connection:
        sqlite_records.create(connection, [TABLE, STREAM], 1)
        yield connection


def append(connection, topic, writes, stamps=None):
    stamps = stamps or [0] * len(writes)
    sqlite_records.append(
        connection,
        [NewRecord(topic.name, key, value, stamp) for (key, value), stamp in zip(writes, stamps, strict=True)],
    )


def read(connection, topic, start=0, limit=1000):
    return sqlite_records.read(connection, {PLACES[topic.name]: start}, limit, 10**6).records


def clean(connection, now_ms, steps=None):
    """A whole pass, or one cut short after so many steps."""
    for ground in sqlite_clean.grounds(connection):
        for step in sqlite_clean.plan(connection, ground, now_ms)[:steps]:
            with transaction(connection, "BEGIN IMMEDIATE"):
                step(connection)


def fold(records, table=()):
    """The table that a reader builds."""
    table = dict(table)
    for record in records:
        table[record.key] = record.value
    return {key: value for key, value in table.items() if value is not None}


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Several steps to a pass, so that a pass can be cut short."""
    monkeypatch.setattr(sqlite_clean, "CHUNK", 2)


@given(WRITES, WRITES, st.integers(0, 3), st.integers(0, 3 * DAY_MS))
def test_a_table_reads_the_same_after_any_passes_even_cut_short(first, second, steps, later_ms):
    with opened() as connection:
        append(connection, TABLE, first)
        clean(connection, 0, steps)
        append(connection, TABLE, second)
        before = {record.offset: record for record in read(connection, TABLE)}
        wanted = {key: value for key, value in dict([*first, *second]).items() if value is not None}
        assert fold(before.values()) == wanted
        for now_ms in (1, later_ms):
            clean(connection, now_ms, steps)
            clean(connection, now_ms)
            after = read(connection, TABLE)
            assert fold(after) == wanted
            assert all(before[record.offset] == record for record in after)
            assert len({record.key for record in after}) == len(after)


@given(WRITES, st.integers(0, 30), st.integers(0, DAY_MS - 1))
def test_a_reader_less_than_a_day_behind_misses_no_end(writes, read_before, later_ms):
    with opened() as connection:
        append(connection, TABLE, writes)
        half = read(connection, TABLE, limit=read_before) if read_before else []
        clean(connection, 0)
        clean(connection, later_ms)
        start = half[-1].offset + 1 if half else 0
        so_far = {record.key: record.value for record in half}
        assert fold(read(connection, TABLE, start), so_far) == fold([], dict(writes))


@given(WRITES)
def test_in_the_end_only_what_is_there_takes_room(writes):
    with opened() as connection:
        append(connection, TABLE, writes)
        clean(connection, 0)
        clean(connection, DAY_MS)
        assert len(read(connection, TABLE)) == len(fold([], dict(writes)))


@given(st.lists(st.integers(0, 300), max_size=20), st.integers(0, 500), st.integers(0, 3))
def test_retention_keeps_from_the_first_young_record_on(stamps, now_ms, steps):
    with opened() as connection:
        append(connection, STREAM, [(b"k", b"v")] * len(stamps), stamps)
        clean(connection, now_ms, steps)
        clean(connection, now_ms)
        young = [offset for offset, stamp in enumerate(stamps) if stamp >= now_ms - 100]
        first = young[0] if young else len(stamps)
        assert [record.offset for record in read(connection, STREAM)] == list(range(first, len(stamps)))
        assert sqlite_records.slot(connection, PLACES[STREAM.name]).first == first


def test_records_below_the_first_offset_are_gone_before_their_rows_are():
    with opened() as connection:
        append(connection, STREAM, [(b"k", b"v")] * 10)
        clean(connection, 1000, steps=1)  # only the bound is raised
        assert read(connection, STREAM) == []
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (10,)
        clean(connection, 1000)
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (0,)
