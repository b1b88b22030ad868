"""The order of sending: a lane for each story and endpoint, of which only the first delivery is ever tried.

A digest stands in the lanes of all its stories, in each at the place of its last message, and is tried when it is the
first in each. Finding what is due costs
nothing for what is not: what is ready is ordered by its time within an endpoint, endpoints by their earliest.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sortedcontainers import SortedList

from tieup.model.delivery import Delivery, DeliveryProgress

LaneKey = tuple[str, str]  # endpoint, story
Lane = list[tuple[int, str]]  # (sequence, delivery id) in their order; mostly one, and `max_pending` at most
Ready = list[tuple[datetime, str]]  # (due, delivery id) in their order

Item = TypeVar("Item", tuple[int, str], tuple[datetime, str])


class Lanes:
    """The deliveries that wait to be tried."""

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, Lane] = {}
        self._waiting: dict[str, tuple[DeliveryProgress, dict[LaneKey, int]]] = {}  # with its place in each lane
        self._ready: dict[str, Ready] = {}  # by endpoint: what is first in all its lanes
        self._ready_at: dict[str, datetime] = {}
        self._not_before: dict[str, datetime] = {}
        self._order: SortedList = SortedList()  # (earliest, endpoint)
        self._place: dict[str, datetime] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        """How many deliveries wait."""
        return len(self._waiting)

    def count(self, endpoint_id: str) -> int:
        """How many deliveries wait for an endpoint."""
        return self._counts.get(endpoint_id, 0)

    def busy(self) -> int:
        """For how many endpoints something waits."""
        return len(self._counts)

    def put(self, progress: DeliveryProgress, delivery: Delivery) -> None:
        """Let a delivery wait in its stories' lanes, in place of its former self."""
        self.remove(progress.id)
        places = _places(progress, delivery)
        self._waiting[progress.id] = progress, places
        self._counts[progress.endpoint_id] = self.count(progress.endpoint_id) + 1
        for key, sequence in places.items():
            lane = self._lanes.setdefault(key, [])
            overtaken = _first(lane)
            insort(lane, (sequence, progress.id))
            if overtaken is not None and _first(lane) != overtaken:
                self._unready(overtaken)
        self._look(progress.id)
        self._reorder(progress.endpoint_id)

    def remove(self, delivery_id: str) -> None:
        """Take a delivery out; one that is not there is no error."""
        if delivery_id not in self._waiting:
            return
        self._unready(delivery_id)
        progress, places = self._waiting.pop(delivery_id)
        endpoint_id = progress.endpoint_id
        for key, sequence in places.items():
            lane = self._lanes[key]
            _take(lane, (sequence, delivery_id))
            if lane:
                self._look(_first(lane))
            else:
                del self._lanes[key]
        self._counts[endpoint_id] -= 1
        if not self._counts[endpoint_id]:
            del self._counts[endpoint_id]
        self._reorder(endpoint_id)

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
        """Yield up to `limit` deliveries of an endpoint that are due, none of them behind another of its story."""
        for due_at, delivery_id in islice(self._ready[endpoint_id], limit):
            if due_at > now:
                return
            yield self._waiting[delivery_id][0]

    def waiting(self, endpoint_id: str, limit: int) -> list[DeliveryProgress]:
        """Return up to `limit` deliveries of an endpoint that are behind no other of their story, due or not."""
        return [self._waiting[one][0] for _, one in self._ready.get(endpoint_id, [])[:limit]]

    def _look(self, delivery_id: str | None) -> None:
        """Let a delivery be ready if it is the first in all its lanes."""
        if delivery_id is None or delivery_id in self._ready_at:
            return
        progress, places = self._waiting[delivery_id]
        if all(_first(self._lanes[key]) == delivery_id for key in places):
            self._ready_at[delivery_id] = progress.due_at
            insort(self._ready.setdefault(progress.endpoint_id, []), (progress.due_at, delivery_id))

    def _unready(self, delivery_id: str) -> None:
        due_at = self._ready_at.pop(delivery_id, None)
        if due_at is None:
            return
        endpoint_id = self._waiting[delivery_id][0].endpoint_id
        ready = self._ready[endpoint_id]
        _take(ready, (due_at, delivery_id))
        if not ready:
            del self._ready[endpoint_id]

    def _reorder(self, endpoint_id: str) -> None:
        former = self._place.pop(endpoint_id, None)
        if former is not None:
            self._order.remove((former, endpoint_id))
        ready = self._ready.get(endpoint_id)
        if ready:
            earliest: datetime = ready[0][0]
            earliest = max(earliest, self._not_before.get(endpoint_id, earliest))
            self._place[endpoint_id] = earliest
            self._order.add((earliest, endpoint_id))


def _places(progress: DeliveryProgress, delivery: Delivery) -> dict[LaneKey, int]:
    """Return the lanes of a delivery and its place in each; a digest that is retried from a dead letter is the last."""
    sequences = progress.story_sequences or (progress.sequence,) * len(delivery.story_ids)
    places = {(progress.endpoint_id, delivery.story_id): progress.sequence}
    return places | {
        (progress.endpoint_id, story): sequence for story, sequence in zip(delivery.story_ids, sequences, strict=True)
    }


def _first(lane: Lane) -> str | None:
    return lane[0][1] if lane else None


def _take(ordered: list[Item], item: Item) -> None:
    del ordered[bisect_left(ordered, item)]
