"""The order of sending: a lane for each story and endpoint, of which only the first delivery is ever tried.

Finding what is due costs nothing for what is not: lanes are ordered by their first delivery's time within an endpoint,
endpoints by their earliest lane.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sortedcontainers import SortedDict, SortedList

from tieup.model.delivery import DeliveryProgress

LaneKey = tuple[str, str]
DIGEST_LANE: Final = "digest"


class Lanes:
    """The deliveries that wait to be tried."""

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, SortedDict] = {}  # sequence -> progress
        self._lane_of: dict[str, tuple[LaneKey, int]] = {}
        self._heads: dict[str, SortedList] = {}  # endpoint -> (due, delivery id) of the lanes' first
        self._head_of: dict[LaneKey, tuple[datetime, str]] = {}
        self._not_before: dict[str, datetime] = {}
        self._order: SortedList = SortedList()  # (earliest, endpoint)
        self._place: dict[str, datetime] = {}
        self._counts: dict[str, int] = {}

    def count(self, endpoint_id: str) -> int:
        """How many deliveries wait for an endpoint."""
        return self._counts.get(endpoint_id, 0)

    def put(self, progress: DeliveryProgress, story_id: str) -> None:
        """Let a delivery wait in its story's lane, in place of its former self."""
        self.remove(progress.id)
        lane = (progress.endpoint_id, story_id)
        self._lanes.setdefault(lane, SortedDict())[progress.sequence] = progress
        self._lane_of[progress.id] = (lane, progress.sequence)
        self._counts[lane[0]] = self.count(lane[0]) + 1
        self._refresh(lane)

    def remove(self, delivery_id: str) -> None:
        """Take a delivery out; one that is not there is no error."""
        if (place := self._lane_of.pop(delivery_id, None)) is None:
            return
        lane, sequence = place
        del self._lanes[lane][sequence]
        if not self._lanes[lane]:
            del self._lanes[lane]
        self._counts[lane[0]] -= 1
        if not self._counts[lane[0]]:
            del self._counts[lane[0]]
        self._refresh(lane)

    def hold(self, endpoint_id: str, not_before: datetime | None) -> None:
        """Leave an endpoint alone until this time (None: no longer)."""
        if not_before is None:
            self._not_before.pop(endpoint_id, None)
        else:
            self._not_before[endpoint_id] = not_before
        self._reorder(endpoint_id)

    def endpoints_due(self, now: datetime) -> Iterator[str]:
        """Yield the endpoints that have something due, the longest waiting first."""
        for earliest, endpoint_id in self._order:
            if earliest > now:
                return
            yield endpoint_id

    def due(self, endpoint_id: str, now: datetime, limit: int) -> Iterator[DeliveryProgress]:
        """Yield up to `limit` deliveries of an endpoint that are due, each the first of its lane."""
        for due_at, delivery_id in self._heads[endpoint_id].islice(0, limit):
            if due_at > now:
                return
            lane, sequence = self._lane_of[delivery_id]
            yield self._lanes[lane][sequence]

    def waiting(self, endpoint_id: str, limit: int) -> list[DeliveryProgress]:
        """Return up to `limit` lanes' first deliveries of an endpoint, due or not."""
        ids = [delivery_id for _, delivery_id in self._heads.get(endpoint_id, SortedList()).islice(0, limit)]
        return [self._lanes[self._lane_of[one][0]][self._lane_of[one][1]] for one in ids]

    def _refresh(self, lane: LaneKey) -> None:
        endpoint_id = lane[0]
        heads = self._heads.setdefault(endpoint_id, SortedList())
        former = self._head_of.pop(lane, None)
        if former is not None:
            heads.remove(former)
        if lane in self._lanes:
            first: DeliveryProgress = self._lanes[lane].peekitem(0)[1]
            self._head_of[lane] = (first.due_at, first.id)
            heads.add(self._head_of[lane])
        if not heads:
            del self._heads[endpoint_id]
        self._reorder(endpoint_id)

    def _reorder(self, endpoint_id: str) -> None:
        former = self._place.pop(endpoint_id, None)
        if former is not None:
            self._order.remove((former, endpoint_id))
        heads = self._heads.get(endpoint_id)
        if heads:
            earliest: datetime = heads[0][0]
            earliest = max(earliest, self._not_before.get(endpoint_id, earliest))
            self._place[endpoint_id] = earliest
            self._order.add((earliest, endpoint_id))
