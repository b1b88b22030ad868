"""Records by feed, as the bytes that stand on their topic: what a task knows of a hundred thousand feeds at once.

As objects they would be looked through by each full garbage collection, which stops every thread for as long: 0.4 s for
as many feeds, their states and their places in the queue.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from tieup.model.codec import decode

T = TypeVar("T")

UNPACKED: Final = 512  # records kept as they are: one poll asks for the same ones several times


class PackedRecords(Mapping[str, T]):
    """The newest record of each feed, unpacked where it is asked for."""

    def __init__(self, kind: type[T], topic: str, unpacked: int = UNPACKED) -> None:
        """`topic` is named where a record cannot be read; at most so many are kept `unpacked`."""
        self._kind = kind
        self._most = unpacked
        self._topic = topic
        self._packed: dict[str, bytes] = {}
        self._unpacked: dict[str, T] = {}

    def __getitem__(self, feed_id: str) -> T:
        found = self._unpacked.get(feed_id)
        return self._unpack(feed_id, self._packed[feed_id]) if found is None else found

    def get(self, feed_id: str, default: T | None = None) -> T | None:  # type: ignore[override]
        """Return a feed's record, `default` where there is none."""
        found = self._unpacked.get(feed_id)
        if found is not None:
            return found
        packed = self._packed.get(feed_id)
        return default if packed is None else self._unpack(feed_id, packed)

    def __contains__(self, feed_id: object) -> bool:
        return feed_id in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def put(self, feed_id: str, packed: bytes, record: T) -> None:
        """Take a feed's record, as it stands packed and as what it was read, in place of its older one."""
        self._packed[feed_id] = packed
        self._keep(feed_id, record)

    def drop(self, feed_id: str) -> None:
        """Forget a feed; one that is not there is no error."""
        self._packed.pop(feed_id, None)
        self._unpacked.pop(feed_id, None)

    def _unpack(self, feed_id: str, packed: bytes) -> T:
        record = decode(self._kind, packed, f"{self._topic} {feed_id}")
        self._keep(feed_id, record)
        return record

    def _keep(self, feed_id: str, record: T) -> None:
        if len(self._unpacked) >= self._most:
            self._unpacked.clear()
        self._unpacked[feed_id] = record
