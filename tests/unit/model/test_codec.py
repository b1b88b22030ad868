"""Bytes and times of records: exact there and back, with the field named where they cannot be read."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import BadRecord, StateVersionError
from tieup.model.codec import decode, decode_state, encode, from_millis, to_millis
from tieup.model.feed import FetchRequest
from tieup.model.page import PageRead

NOON = datetime(2026, 2, 1, 12, 0, 0, 5000, tzinfo=UTC)
WISH = FetchRequest("https://news.example/rss", "news.example", "poll", NOON)


def test_a_record_comes_back_as_it_was() -> None:
    assert encode(WISH).startswith(b'{"url":"https://news.example/rss","domain":"news.example"')
    assert b'"2026-02-01T12:00:00.005000Z"' in encode(WISH)
    assert decode(FetchRequest, encode(WISH), "here") == WISH


def test_unknown_fields_are_ignored() -> None:
    assert decode(FetchRequest, encode(WISH)[:-1] + b',"new":1}', "here") == WISH


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]", b'{"url":1}', b"\xff", encode(WISH).replace(b"2026", b"x")])
def test_what_cannot_be_read_names_its_place(data: bytes | None) -> None:
    with pytest.raises(BadRecord, match=r"^t\[0\]@7: "):
        decode(FetchRequest, data, "t[0]@7")


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_keep_their_milliseconds(time: datetime) -> None:
    assert from_millis(to_millis(time)) == time.replace(microsecond=time.microsecond // 1000 * 1000)


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_timestamp_that_kafka_can_hold_gives_a_time(millis: int) -> None:
    assert from_millis(millis).tzinfo is UTC


def test_state_that_this_code_cannot_read_stops_the_worker() -> None:
    read = PageRead("a", "f", 2, "c", 10, NOON)
    assert decode_state(PageRead, encode(read), "pages a", 1) == read
    for data, words in (
        (
            encode(read).replace(b'"state_version":1', b'"state_version":3'),
            "state version 3, this code reads .* 1 or 2",
        ),
        (b"{}", "not as state version 1 or 2 is"),
        (None, "a tombstone"),
    ):
        with pytest.raises(StateVersionError, match=f"^pages a: .*{words}"):
            decode_state(PageRead, data, "pages a", 1, 2)


FIRST_SEEN_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import make_dataclass
from threading import Barrier
from tieup.model.codec import decode

sys.setswitchinterval(1e-6)
barrier = Barrier(8)

def first(kind):
    barrier.wait()
    decode(kind, b'{"a": {"b": "x", "c": 1}, "d": ["y"]}', "here")

with ThreadPoolExecutor(8) as threads:
    for n in range(100):
        inner = make_dataclass(f"Inner{n}", [("b", str), ("c", int)])
        outer = make_dataclass(f"Outer{n}", [("a", inner), ("d", list[str])])
        list(threads.map(first, [outer] * 8))
"""


def test_threads_that_read_a_new_kind_at_once_all_read_it() -> None:
    """In a process of its own: what fails here is the whole process, by a fault in the decoder's memory."""
    done = subprocess.run([sys.executable, "-c", FIRST_SEEN_AT_ONCE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
