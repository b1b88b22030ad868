"""What is remembered of entries, of all feeds of a task, packed: 43 bytes an entry and 8 of index.

What is packed here is also what stands on the topic, in base64.

A hundred thousand feeds of fifty entries are five million memories; as objects they would take gigabytes.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from tieup.model.feed import SeenEntry

_RECORD: Final = struct.Struct(">16s16sHB8s")
_INDEXED: Final = struct.Struct(">HBI36x")  # of a record: the bytes of the article's id that its index goes by
_NO_GUID: Final = bytes(8)
_HAS_GUID: Final = 1  # the flags' bits; 2 is free, the upper five are the text's fullness
_ASIDE: Final = 4
_FULLNESS_AT: Final = 3
_BUCKETS: Final = 1 << 18
_SLOT: Final = struct.Struct(">II")  # four more bytes of the article's id, and the number of the feed
MAX_VERSION: Final = 0xFFFF


class SeenMemory:
    """The entries seen, by feed, and which feeds remember an article."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._buckets: list[bytes] = [b""] * _BUCKETS

    def __contains__(self, feed_id: str) -> bool:
        """Whether anything is remembered of a feed."""
        return feed_id in self._packed

    def put(self, feed_id: str, packed: bytes) -> None:
        """Let these be a feed's memory. Raises ValueError, changing nothing, where they are no whole entries."""
        if len(packed) % _RECORD.size:
            raise ValueError(f"{len(packed)} bytes are no whole entries")
        old, new = set(_INDEXED.iter_unpack(self._packed.get(feed_id, b""))), set(_INDEXED.iter_unpack(packed))
        number, buckets = self._number(feed_id), self._buckets
        for high, low, part in old - new:
            self._unlink((high << 8 | low) % _BUCKETS, part, number)
        for high, low, part in new - old:
            buckets[(high << 8 | low) % _BUCKETS] += _SLOT.pack(part, number)
        if packed:
            self._packed[feed_id] = packed
        else:
            self._packed.pop(feed_id, None)

    def of(self, feed_id: str) -> tuple[SeenEntry, ...]:
        """Return a feed's memory, in the order in which it was put."""
        return tuple(map(_unpack, _RECORD.iter_unpack(self._packed.get(feed_id, b""))))

    def packed(self, feed_id: str) -> bytes:
        """Return a feed's memory as it was put."""
        return self._packed.get(feed_id, b"")

    def siblings(self, feed_id: str, article_id: str) -> list[SeenEntry]:
        """Return what other feeds remember of an article, by feed id."""
        wanted = bytes.fromhex(article_id)
        names = sorted(self._names[number] for number in self._linked(wanted))
        return [entry for name in names if name != feed_id for entry in self._found(name, wanted)]

    def _found(self, feed_id: str, wanted: bytes) -> Iterator[SeenEntry]:
        return (_unpack(row) for row in _RECORD.iter_unpack(self._packed.get(feed_id, b"")) if row[0] == wanted)

    def _number(self, feed_id: str) -> int:
        number = self._numbers.setdefault(feed_id, len(self._names))
        if number == len(self._names):
            self._names.append(feed_id)
        return number

    def _unlink(self, bucket: int, part: int, number: int) -> None:
        slots = list(_SLOT.iter_unpack(self._buckets[bucket]))
        slots.remove((part, number))
        self._buckets[bucket] = b"".join(_SLOT.pack(*slot) for slot in slots)

    def _linked(self, article_id: bytes) -> set[int]:
        """The numbers of the feeds that may remember it: an id's first 50 bits decide, so that a few may not."""
        bucket, part = int.from_bytes(article_id[:3], "big") % _BUCKETS, int.from_bytes(article_id[3:7], "big")
        return {number for found, number in _SLOT.iter_unpack(self._buckets[bucket]) if found == part}


def pack(seen: Iterable[SeenEntry]) -> bytes:
    """Return entries as 43 bytes each. Raises ValueError for hashes of another length."""
    return b"".join(map(_pack, seen))


def _pack(entry: SeenEntry) -> bytes:
    article_id, content = bytes.fromhex(entry.id), bytes.fromhex(entry.content_hash)
    guid = _NO_GUID if entry.guid_hash is None else bytes.fromhex(entry.guid_hash)
    if (len(article_id), len(content), len(guid)) != (16, 16, len(_NO_GUID)):
        raise ValueError("hashes of another length")
    flags = _HAS_GUID * (entry.guid_hash is not None) | _ASIDE * entry.aside
    flags |= entry.fullness << _FULLNESS_AT
    return _RECORD.pack(article_id, content, min(entry.version, MAX_VERSION), flags, guid)


def _unpack(row: tuple[bytes, bytes, int, int, bytes]) -> SeenEntry:
    article_id, content, version, flags, guid = row
    guid_hash = guid.hex() if flags & _HAS_GUID else None
    aside, fullness = bool(flags & _ASIDE), flags >> _FULLNESS_AT
    return SeenEntry(article_id.hex(), content.hex(), version, guid_hash, aside, fullness)
