"""Records to JSON bytes and back: orjson at the boundary, types checked on the way in."""

from collections.abc import Hashable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

import msgspec
import orjson

from tieup.errors import BadRecord, StateVersionError


class Versioned(Protocol):
    """A record of a worker's own state."""

    @property
    def state_version(self) -> int:
        """In which form it is written."""


T = TypeVar("T")
S = TypeVar("S", bound=Versioned)

_OPTIONS = orjson.OPT_UTC_Z
_LEARNING = Lock()


def encode(record: object) -> bytes:
    """Return the record as JSON bytes, keys in the order of its fields, times as RFC 3339 with `Z`.

    The bytes depend on the record alone (promise 2): fields are ordered, sets do not occur in records, floats are
    rounded where they arise.
    """
    return orjson.dumps(record, option=_OPTIONS)


def decode(kind: type[T], data: bytes | None, place: str) -> T:
    """Return the record of this kind held in JSON bytes; unknown fields are ignored (schemas only gain optional ones).

    Raises BadRecord, naming the place (topic, partition and offset, or file and line) and the field, if the bytes are
    not such a record.
    """
    if data is None:
        raise BadRecord(f"{place}: a tombstone where a {kind.__name__} was expected")
    decoder: msgspec.json.Decoder[T] = _decoder(cast("Hashable", kind))
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decoder.decode(data)  # in one pass; what is wrong with others is told by orjson
    try:
        return msgspec.convert(orjson.loads(data), kind)
    except orjson.JSONDecodeError as error:
        raise BadRecord(f"{place}: not JSON: {error}") from error
    except msgspec.ValidationError as error:
        raise BadRecord(f"{place}: not a {kind.__name__}: {error}") from error


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """Return what decodes a kind of record.

    msgspec learns a class when it first meets it, and shows what it knows so far to every thread: one that decodes
    meanwhile reads fields that are not there yet, and the process dies (seen with 0.22, in tasks that began at once).
    So classes are learnt by one thread at a time, and decoded once they are known.
    """
    with _LEARNING:
        return msgspec.json.Decoder(kind)


def decode_state(kind: type[S], data: bytes | None, place: str, *readable: int) -> S:
    """Return a record of a worker's own state. Raises StateVersionError for one that this code cannot read, since it is
    of none of the `readable` versions: what a newer or a broken one says must stop the worker, not be passed over."""
    versions = f"state version {' or '.join(map(str, readable))}"
    try:
        found = decode(kind, data, place)
    except BadRecord as error:
        raise StateVersionError(f"{place}: not as {versions} is: {error}") from error
    if found.state_version not in readable:
        raise StateVersionError(f"{place}: state version {found.state_version}, this code reads {versions}")
    return found


def to_millis(time: datetime) -> int:
    """Return a time as whole milliseconds since 1970-01-01T00:00Z, as record timestamps are."""
    delta = time - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_millis(millis: int) -> datetime:
    """Return the UTC time of a record timestamp; one outside the years 1 to 9999 gives the nearest time that there is.

    Foreign producers send what they like, microseconds for instance; a timestamp must not be what stops a worker.
    """
    seconds, rest = divmod(min(max(millis, _FIRST_MS), _LAST_MS), 1000)
    return _EPOCH + timedelta(seconds=seconds, milliseconds=rest)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = to_millis(datetime(1, 1, 1, tzinfo=UTC))
_LAST_MS = to_millis(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
