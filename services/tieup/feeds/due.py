"""Which feeds are due, in order of time and fair to hosts; the cost does not grow with the number of feeds."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter

from sortedcontainers import SortedList

Due = tuple[datetime, str]


class DueFeeds:
    """Feeds by due time, kept per host, and hosts by their earliest feed; a host may be held back for a while.

    A host's feeds are a tuple: such of plain values are passed over by the garbage collector, and most hosts have one.
    """

    def __init__(self) -> None:
        self._place: dict[str, tuple[str, datetime]] = {}
        self._feeds: dict[str, tuple[Due, ...]] = {}
        self._hosts: SortedList = SortedList()
        self._held: dict[str, datetime] = {}

    def __len__(self) -> int:
        """How many feeds wait."""
        return len(self._place)

    def put(self, feed_id: str, host: str, due: datetime) -> None:
        """Let a feed be due at this time, wherever it stood before."""
        if self._place.get(feed_id) == (host, due):
            return
        self.remove(feed_id)
        feeds, placed = self._feeds.get(host, ()), (due, feed_id)
        at = bisect_left(feeds, placed)
        self._forget_head(host)
        self._feeds[host] = (*feeds[:at], placed, *feeds[at:])
        self._place[feed_id] = (host, due)
        self._set_head(host)

    def remove(self, feed_id: str) -> None:
        """Take a feed out; one that is not there is no error."""
        if (place := self._place.pop(feed_id, None)) is None:
            return
        host, due = place
        self._forget_head(host)
        feeds = self._feeds[host]
        at = bisect_left(feeds, (due, feed_id))
        if len(feeds) > 1:
            self._feeds[host] = feeds[:at] + feeds[at + 1 :]
            self._set_head(host)
        else:
            del self._feeds[host]

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
            for due, feed_id in self._feeds[host][: min(per_host, left)]:
                if due > now:
                    break
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
            found += bisect_right(self._feeds[host], now, key=itemgetter(0))
        return found

    def _head(self, host: str) -> tuple[datetime, str] | None:
        if not (feeds := self._feeds.get(host)):
            return None
        held = self._held.get(host)
        return (feeds[0][0] if held is None else max(feeds[0][0], held), host)

    def _forget_head(self, host: str) -> None:
        if (head := self._head(host)) is not None:
            self._hosts.remove(head)

    def _set_head(self, host: str) -> None:
        if (head := self._head(host)) is not None:
            self._hosts.add(head)
