"""A broker that hung and woke, at the wire: a second door to the one broker there is, with its own idea of who leads.

A real one knows better after some milliseconds, too few for a test to hit. Until then it says what this one says: that
it leads, and that the partition ends where it ended when it fell asleep.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.protocol import metadata, offset

from tests.chaos.proxy import Proxy

LIST_OFFSETS, METADATA = 2, 3
"""Kafka's numbers of the requests for a partition's ends and for who leads."""
NODE = 2
"""The number under which clients know it; the other broker is 1."""


class FormerLeader:
    """Leads a topic until it hangs; from then on the other broker's answers do not name it any more."""

    def __init__(self, front: Proxy, own: Proxy, topic: str) -> None:
        self._own, self._topic = own, topic
        self._end: int | None = None
        front.retold, own.retold = self._of_the_other, self._of_itself

    def hang(self, end: int) -> None:
        """Leave the lead to the other, and know of nothing that comes after `end`."""
        self._end = end

    def _of_the_other(self, api: int, version: int, body: bytes) -> bytes:
        return self._leading(version, body) if api == METADATA and self._end is None else body

    def _of_itself(self, api: int, version: int, body: bytes) -> bytes:
        if api == METADATA:
            return self._leading(version, body)
        return self._ending(version, body) if api == LIST_OFFSETS and self._end is not None else body

    def _leading(self, version: int, body: bytes) -> bytes:
        told = getattr(metadata, f"MetadataResponse_v{version}").decode(io.BytesIO(body))
        told.brokers = [*told.brokers, (NODE, "127.0.0.1", self._own.port, None)]
        told.topics = [
            (error, name, internal, [(e, n, NODE, *more) for e, n, _, *more in parts] if name == self._topic else parts)
            for error, name, internal, parts in told.topics
        ]
        return told.encode()

    def _ending(self, version: int, body: bytes) -> bytes:
        told = getattr(offset, f"OffsetResponse_v{version}").decode(io.BytesIO(body))
        told.topics = [
            (name, [(number, error, time, min(at, self._end)) for number, error, time, at in parts])
            for name, parts in told.topics
        ]
        return told.encode()


@contextmanager
def former_leader(front: Proxy, topic: str) -> Iterator[FormerLeader]:
    """The former leader of a topic, beside the broker that `front` stands before."""
    honest = front.retold
    with Proxy(front.target) as own:
        try:
            yield FormerLeader(front, own, topic)
        finally:
            front.retold = honest
