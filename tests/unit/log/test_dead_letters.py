"""Dead letters keep the whole input within the topic's bound, whatever it holds."""

import base64
import hashlib
from datetime import UTC, datetime

import orjson
import pytest

from tieup.errors import BadRecord
from tieup.events.validate import SchemaValidator
from tieup.log.base import Headers, NewRecord
from tieup.log.dead_letters import MAX_INPUT_BYTES, dead_letter
from tieup.log.topics import DEAD_LETTERS

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def letter(value: bytes | None, key: bytes | None = b"k", headers: Headers = ()) -> NewRecord:
    with pytest.raises(BadRecord) as caught:
        raise BadRecord("tieup.articles.v1[0]@7: not\njson\ud800")
    return dead_letter("tieup.articles.v1", 0, 7, key, value, caught.value, "extract", NOON, headers)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        "größer".encode(),
        b"\xff\xfe",
        b"\x01" * MAX_INPUT_BYTES,
        b'"' * MAX_INPUT_BYTES,
        b"x" * (MAX_INPUT_BYTES + 1),
        "ö".encode() * MAX_INPUT_BYTES,
    ],
    ids=["tombstone", "empty", "text", "binary", "controls", "quotes", "too long", "cut in a character"],
)
def test_any_input_is_kept_within_the_bound_and_its_schema(value: bytes | None) -> None:
    record = letter(value)
    SchemaValidator().check(DEAD_LETTERS, record.value)
    body = orjson.loads(record.value or b"")
    kept = None if value is None else value[:MAX_INPUT_BYTES]
    text = body["value"]
    decode = base64.b64decode if body["encoding"] == "base64" else str.encode
    assert (None if text is None else decode(text)) == kept
    assert body["truncated"] == (value != kept)
    assert body["value_hash"] == (None if value is None else hashlib.sha256(value).hexdigest())


def test_huge_keys_and_headers_are_cut() -> None:
    record = letter(b"x" * MAX_INPUT_BYTES, b"k" * 10**6, tuple((f"h{i}", b"\x01" * 10**5) for i in range(1_000)))
    SchemaValidator().check(DEAD_LETTERS, record.value)
    assert len(record.key) == 1_000


def test_it_says_where_and_why_in_headers_that_streams_tools_read() -> None:
    record = letter(b"no", key=None)
    headers = dict(record.headers)
    assert headers["__streams.errors.topic"] == b"tieup.articles.v1"
    assert headers["__streams.errors.offset"] == b"7"
    assert headers["__streams.errors.exception"] == b"BadRecord"
    assert headers["__streams.errors.message"] == rb"tieup.articles.v1[0]@7: not json\ud800"
    assert headers["__streams.errors.stacktrace"].startswith(b"test_dead_letters.py:")
    assert (record.key, record.timestamp) == (b"tieup.articles.v1", 1769947200000)
