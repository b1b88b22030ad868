"""Which feeds are due, in order of time and fair to hosts; the cost does not grow with the number of feeds."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from sortedcontainers import SortedList

_LAST: Final = "\U0010ffff"  # behind every feed's id


class DueFeeds:
    """Feeds by host and due time, and hosts by their earliest feed; a host may be held back for a while.

    Neither many hosts nor many feeds of one cost more, and all are tuples of plain values in a few long lists, which
    the garbage collector passes over.
    """

    def __init__(self) -> None:
        self._place: dict[str, tuple[str, datetime]] = {}
        self._feeds: SortedList = SortedList()  # host, due time, feed id
        self._hosts: SortedList = SortedList()  # when its earliest feed may be asked, host
        self._held: dict[str, datetime] = {}

    def __len__(self) -> int:
        """How many feeds wait."""
        return len(self._place)

    def put(self, feed_id: str, host: str, due: datetime) -> None:
        """Let a feed be due at this time, wherever it stood before."""
        before = self._place.get(feed_id)
        if before == (host, due):
            return
        if before is not None and before[0] != host:
            self.remove(feed_id)
            before = None
        self._forget_head(host)
        if before is not None:
            self._feeds.remove((host, before[1], feed_id))
        self._feeds.add((host, due, feed_id))
        self._place[feed_id] = (host, due)
        self._set_head(host)

    def remove(self, feed_id: str) -> None:
        """Take a feed out; one that is not there is no error."""
        if (place := self._place.pop(feed_id, None)) is None:
            return
        host, due = place
        self._forget_head(host)
        self._feeds.remove((host, due, feed_id))
        self._set_head(host)

    def hold(self, host: str, until: datetime) -> None:
        """Let no feed of a host be due before this time; a longer hold stands."""
        if until <= self._held.get(host, until) and host in self._held:
            return
        self._forget_head(host)
        self._held[host] = until
        self._set_head(host)

    def due(self, now: datetime, limit: int, per_host: int) -> Iterator[str]:
        """Yield up to `limit` feeds due by now, at most `per_host` of one host, hosts in order of their earliest."""
        left = limit
        for earliest, host in self._hosts:
            if earliest > now:
                return
            for _, _, feed_id in islice(self._feeds.irange((host,), (host, now, _LAST)), min(per_host, left)):
                yield feed_id
                left -= 1
            if left <= 0:
                return

    def count(self, now: datetime) -> int:
        """How many feeds are due by now; costs more the more hosts are due, so it is no matter for every turn."""
        found = 0
        for earliest, host in self._hosts:
            if earliest > now:
                break
            found += self._feeds.bisect_right((host, now, _LAST)) - self._feeds.bisect_left((host,))
        return found

    def _head(self, host: str) -> tuple[datetime, str] | None:
        first = next(self._feeds.irange((host,)), None)
        if first is None or first[0] != host:
            return None
        held = self._held.get(host)
        return (first[1] if held is None else max(first[1], held), host)

    def _forget_head(self, host: str) -> None:
        if (head := self._head(host)) is not None:
            self._hosts.remove(head)

    def _set_head(self, host: str) -> None:
        if (head := self._head(host)) is not None:
            self._hosts.add(head)
