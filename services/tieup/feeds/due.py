"""Which feeds are due, in order of time and fair to hosts; the cost does not grow with the number of feeds."""

from collections.abc import Iterator
from datetime import datetime

from sortedcontainers import SortedList

Due = tuple[datetime, str]


class DueFeeds:
    """Feeds by due time, kept per host, and hosts by their earliest feed."""

    def __init__(self) -> None:
        self._place: dict[str, tuple[str, datetime]] = {}
        self._feeds: dict[str, SortedList] = {}
        self._hosts: SortedList = SortedList()

    def __len__(self) -> int:
        """How many feeds wait."""
        return len(self._place)

    def put(self, feed_id: str, host: str, due: datetime) -> None:
        """Let a feed be due at this time, wherever it stood before."""
        self.remove(feed_id)
        feeds = self._feeds.setdefault(host, SortedList())
        self._forget_head(host, feeds)
        feeds.add((due, feed_id))
        self._hosts.add((feeds[0][0], host))
        self._place[feed_id] = (host, due)

    def remove(self, feed_id: str) -> None:
        """Take a feed out; one that is not there is no error."""
        if (place := self._place.pop(feed_id, None)) is None:
            return
        host, due = place
        feeds = self._feeds[host]
        self._forget_head(host, feeds)
        feeds.remove((due, feed_id))
        if feeds:
            self._hosts.add((feeds[0][0], host))
        else:
            del self._feeds[host]

    def due(self, now: datetime, limit: int, per_host: int) -> Iterator[str]:
        """Yield up to `limit` feeds due by now, at most `per_host` of one host, hosts in order of their earliest."""
        left = limit
        for earliest, host in self._hosts:
            if earliest > now:
                return
            for due, feed_id in self._feeds[host].islice(0, min(per_host, left)):
                if due > now:
                    break
                yield feed_id
                left -= 1
            if left <= 0:
                return

    def _forget_head(self, host: str, feeds: SortedList) -> None:
        if feeds:
            self._hosts.remove((feeds[0][0], host))
