"""The deliver worker's memory: what waits, what is held, how endpoints fare. Changed by `apply` only."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sortedcontainers import SortedList

from tieup.alerts.endpoints import Endpoints
from tieup.alerts.held import Held
from tieup.alerts.lanes import Lanes
from tieup.log.base import Change
from tieup.log.topics import DELIVERY_STATES, SUBSCRIPTIONS
from tieup.model.codec import decode_state
from tieup.model.delivery import (
    DELIVERY_STATE_VERSION,
    DeliveryProgress,
    DeliveryState,
    DeliveryStatus,
    EndpointHealth,
    SendingWindow,
)

# What ended so may come again by a retry of its dead letter; what ended otherwise is told.
UNTOLD: Final = frozenset({DeliveryStatus.GIVEN_UP, DeliveryStatus.CANCELLED})


class Pending:
    """What one task remembers."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self.held = Held()
        self.endpoints = Endpoints()
        self._open: dict[str, DeliveryProgress] = {}
        self._ended: dict[str, tuple[datetime, bool]] = {}  # when, and whether it was told
        self._ended_order: SortedList = SortedList()
        self._health: dict[str, EndpointHealth] = {}
        self._windows: dict[tuple[str, str], SendingWindow] = {}

    def __len__(self) -> int:
        """How many deliveries are under way, held ones included."""
        return len(self._open)

    def knows(self, delivery_id: str) -> bool:
        """Whether a delivery is under way, or was told not long ago."""
        return delivery_id in self._open or self._ended.get(delivery_id, (None, False))[1]

    def get(self, delivery_id: str) -> DeliveryProgress | None:
        """Return a delivery that is under way."""
        return self._open.get(delivery_id)

    def count(self, endpoint_id: str) -> int:
        """How many deliveries are under way to an endpoint, held ones included."""
        return self.lanes.count(endpoint_id) + self.held.count(endpoint_id)

    def busy(self) -> int:
        """For how many endpoints something is under way."""
        return self.lanes.busy() + self.held.busy()

    def health(self, endpoint_id: str) -> EndpointHealth:
        """Return how an endpoint fares."""
        return self._health.get(endpoint_id) or EndpointHealth(endpoint_id)

    def stopped(self, endpoint_id: str) -> bool:
        """Whether an endpoint is stopped, and none of its subscriptions was edited since."""
        stopped_at = self.health(endpoint_id).stopped_at
        return stopped_at is not None and not self.endpoints.edited_since(endpoint_id, stopped_at)

    def window(self, endpoint_id: str, subscription_id: str, at: datetime) -> SendingWindow:
        """Return a subscription's window of messages sent; a new one begins at this time."""
        known = self._windows.get((endpoint_id, subscription_id))
        return known or SendingWindow(endpoint_id, subscription_id, at)

    def forgotten(self, before: datetime, keep: int, limit: int) -> Iterator[Change]:
        """Yield the tombstones, up to `limit`, of deliveries that ended before this time, or `keep` others ago."""
        too_many = len(self._ended_order) - keep
        for number, (at, one) in enumerate(self._ended_order.islice(0, limit)):
            if at >= before and number >= too_many:
                return
            yield Change(DELIVERY_STATES, one.encode(), None)

    def apply(self, change: Change) -> None:
        """Take a change. Raises StateVersionError for a record that this code cannot read."""
        if change.topic == SUBSCRIPTIONS:
            self.endpoints.apply(change)
            return
        key = change.key.decode()
        if change.value is None:
            self._forget(key)
        else:
            made = change.state
            self._remember(key, made if isinstance(made, DeliveryState) else _read_state(key, change.value))

    def _forget(self, key: str) -> None:
        self._close(key)
        if self._health.pop(key, None) is not None:
            self.lanes.hold(key, None)
        endpoint_id, _, subscription_id = key.partition(":")
        self._windows.pop((endpoint_id, subscription_id), None)

    def _remember(self, key: str, state: DeliveryState) -> None:
        if state.endpoint is not None:
            self._health[key] = state.endpoint
            self.lanes.hold(key, state.endpoint.not_before if state.endpoint.stopped_at is None else None)
        if state.window is not None:
            self._windows[state.window.endpoint_id, state.window.subscription_id] = state.window
        if state.delivery is not None:
            self._follow(state.delivery)

    def _follow(self, progress: DeliveryProgress) -> None:
        self._close(progress.id)
        if progress.ended_at is not None:
            self._ended[progress.id] = progress.ended_at, progress.status not in UNTOLD
            self._ended_order.add((progress.ended_at, progress.id))
            return
        self._open[progress.id] = progress
        if progress.status is DeliveryStatus.HELD:
            self.held.put(progress)
        elif progress.delivery is not None:
            self.lanes.put(progress, progress.delivery)

    def _close(self, delivery_id: str) -> None:
        self.lanes.remove(delivery_id)
        progress = self._open.pop(delivery_id, None)
        if progress is not None and progress.status is DeliveryStatus.HELD:
            self.held.remove(progress)
        ended = self._ended.pop(delivery_id, None)
        if ended is not None:
            self._ended_order.remove((ended[0], delivery_id))


def _read_state(key: str, value: bytes) -> DeliveryState:
    return decode_state(DeliveryState, value, f"{DELIVERY_STATES} {key}", DELIVERY_STATE_VERSION)
