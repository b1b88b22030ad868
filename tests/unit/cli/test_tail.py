"""Records as `tieup tail` shows them."""

import orjson

from tieup.cli.tail import record_json, record_text
from tieup.log.base import Record


def record(value: bytes | None, *headers: tuple[str, bytes]) -> Record:
    return Record("tieup.events.v1", 0, 7, b"key", value, 1_770_000_000_000, headers)


def test_json_holds_all_of_the_record() -> None:
    line = orjson.loads(record_json(record(b'{"a":1}', ("ce_type", b"tieup.story.denied.v1"))))
    assert line == {
        "topic": "tieup.events.v1",
        "partition": 0,
        "offset": 7,
        "timestamp": "2026-02-02T02:40:00Z",
        "key": "key",
        "headers": {"ce_type": "tieup.story.denied.v1"},
        "value": {"a": 1},
    }


def test_tombstones_and_values_that_are_no_json_are_shown() -> None:
    assert orjson.loads(record_json(record(None)))["value"] is None
    assert orjson.loads(record_json(record(b"\xffoops")))["value"] == "\ufffdoops"
    assert "(removed)" in record_text(record(None)).plain
    assert "oops" in record_text(record(b"\xffoops")).plain


def test_an_event_is_its_headline() -> None:
    text = record_text(record(b'{"headline":{"en":"Ford \\u001b[2J denies"}}', ("ce_type", b"t"))).plain
    assert text.splitlines()[1].strip() == "Ford \ufffd[2J denies"
