"""Removed feeds, which are remembered for a while: one that comes back goes on where it was. Pure."""

from datetime import datetime, timedelta

from sortedcontainers import SortedList

from tieup.model.feed import FeedState


class RemovedFeeds:
    """Feeds of which something is remembered although nobody wants them, by when they are to be forgotten."""

    def __init__(self, forget_days: int) -> None:
        self._after = timedelta(days=forget_days)
        self._ends: dict[str, datetime] = {}
        self._order: SortedList = SortedList()

    def __len__(self) -> int:
        """How many are still remembered."""
        return len(self._ends)

    def place(self, key: str, state: FeedState | None, *, wanted: bool) -> None:
        """Take note of a feed: that it is wanted, or what is known of it since nobody wants it."""
        if (old := self._ends.pop(key, None)) is not None:
            self._order.remove((old, key))
        if state is not None and not wanted:
            self._ends[key] = (state.last_poll_at or state.next_poll_at) + self._after
            self._order.add((self._ends[key], key))

    def over(self, now: datetime) -> str | None:
        """Return the feed that is to be forgotten first, if its time is over.

        One at a time: what two feeds remember together is forgotten with the second.
        """
        if not self._order or self._order[0][0] > now:
            return None
        key: str = self._order[0][1]
        return key
