"""What is remembered of entries, of all feeds of a task, packed: 43 bytes an entry and 8 of index.

What is packed here is also what stands on the topic, in base64.

A hundred thousand feeds of fifty entries are five million memories; as objects they would take gigabytes.
"""

import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from sys import getsizeof
from typing import Final, overload

from tieup.model.feed import SeenEntry

_RECORD: Final = struct.Struct(">16s16sHB8s")
_RUNGS: Final = struct.Struct(">16s6s13x8s")  # of a record: the article's id, its title's hash, the guid's
_ID: Final = struct.Struct(">16s27x")
_INDEXED: Final = struct.Struct(">HBI36x")  # of a record: the bytes of the article's id that its index goes by
_NO_GUID: Final = bytes(8)
_HAS_GUID: Final = 1  # the flags' bits; 2 is free, the upper five are the text's fullness
_ASIDE: Final = 4
_FULLNESS_AT: Final = 3
_BUCKETS: Final = 1 << 18
_SLOT: Final = struct.Struct(">II")  # four more bytes of the article's id, and the number of the feed
MAX_VERSION: Final = 0xFFFF


class PackedEntries(Sequence[SeenEntry]):
    """Entries seen, newest first, as they stand packed: most polls ask for few of the thousands that may be here."""

    __slots__ = ("packed",)

    def __init__(self, packed: bytes = b"") -> None:
        """Raises ValueError where `packed` is no whole entries."""
        if len(packed) % _RECORD.size:
            raise ValueError(f"{len(packed)} bytes are no whole entries")
        self.packed: Final = packed

    @classmethod
    def of(cls, seen: Sequence[SeenEntry]) -> "PackedEntries":
        """Return entries packed. Raises ValueError for hashes of another length."""
        return seen if isinstance(seen, PackedEntries) else PackedEntries(b"".join(map(_pack, seen)))

    def __len__(self) -> int:
        return len(self.packed) // _RECORD.size

    def __iter__(self) -> Iterator[SeenEntry]:
        return map(_unpack, _RECORD.iter_unpack(self.packed))

    @overload
    def __getitem__(self, at: int) -> SeenEntry: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[SeenEntry]: ...
    def __getitem__(self, at: int | slice) -> SeenEntry | Sequence[SeenEntry]:
        return tuple(self)[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedEntries) and self.packed == other.packed

    def __hash__(self) -> int:
        return hash(self.packed)

    def ids(self) -> set[bytes]:
        """Return the articles' ids, 16 bytes each."""
        return {article_id for (article_id,) in _ID.iter_unpack(self.packed)}

    def like(self, ids: Collection[str], guids: Collection[str], titles: Collection[str]) -> list[SeenEntry]:
        """Return those of one of these ids, hashes of guids or parts of content hashes that stand for titles; beside
        them a few may be others."""
        id_set, guid_set, title_set = ({bytes.fromhex(one) for one in some} for some in (ids, guids, titles))
        found = [
            at
            for at, (article_id, title, guid) in enumerate(_RUNGS.iter_unpack(self.packed))
            if article_id in id_set or title in title_set or guid in guid_set
        ]
        return [_unpack(_RECORD.unpack_from(self.packed, at * _RECORD.size)) for at in found]

    def after(self, now: Iterable[SeenEntry], most: int) -> "PackedEntries":
        """Return what is remembered after a document: its entries, then those of the others that there is room for."""
        first = b"".join(map(_pack, now))
        ids, size = set(_ID.iter_unpack(first)), _RECORD.size
        places = [at * size for at, row in enumerate(_ID.iter_unpack(self.packed)) if row in ids]
        begins, ends = [0, *(place + size for place in places)], [*places, len(self.packed)]
        rest = [self.packed[begin:end] for begin, end in zip(begins, ends, strict=True)]
        return PackedEntries(b"".join([first, *rest])[: most * size])


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
        packed = PackedEntries(packed).packed
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

    def entries(self, feed_id: str) -> PackedEntries:
        """Return a feed's memory, unpacked where it is asked for."""
        return PackedEntries(self.packed(feed_id))

    def held_bytes(self) -> int:
        """Return how many bytes of memory the entries and their index take; a benchmark asks."""
        return sum(map(getsizeof, self._packed.values())) + sum(map(getsizeof, filter(None, self._buckets)))

    def siblings(self, feed_id: str, article_id: str) -> list[SeenEntry]:
        """Return what other feeds remember of an article, by feed id."""
        wanted = bytes.fromhex(article_id)
        if not self._buckets[_bucket(wanted)]:
            return []
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
        part = int.from_bytes(article_id[3:7], "big")
        return {number for found, number in _SLOT.iter_unpack(self._buckets[_bucket(article_id)]) if found == part}


def _bucket(article_id: bytes) -> int:
    return int.from_bytes(article_id[:3], "big") % _BUCKETS


def pack(seen: Sequence[SeenEntry]) -> bytes:
    """Return entries as 43 bytes each. Raises ValueError for hashes of another length."""
    return PackedEntries.of(seen).packed


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
