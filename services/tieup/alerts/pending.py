"""The deliver worker's memory: what waits, what is held, how endpoints fare. Changed by `apply` only."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sortedcontainers import SortedDict, SortedList

from tieup.alerts.lanes import Lanes
from tieup.alerts.match import read_subscription
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
from tieup.model.subscription import Endpoint, Subscription

HeldKey = tuple[str, str]  # endpoint, subscription
MAX_MEMBERS: Final = 100


class Pending:
    """What one task remembers."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self.endpoints: dict[str, Endpoint] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._users: dict[str, set[str]] = {}
        self._open: dict[str, DeliveryProgress] = {}
        self._held: dict[HeldKey, SortedDict] = {}  # (due, sequence) -> delivery id
        self._held_order: SortedList = SortedList()  # (earliest due, HeldKey)
        self._held_counts: dict[str, int] = {}
        self._ended: dict[str, datetime] = {}
        self._ended_order: SortedList = SortedList()
        self._health: dict[str, EndpointHealth] = {}
        self._windows: dict[HeldKey, SendingWindow] = {}

    def knows(self, delivery_id: str) -> bool:
        """Whether a delivery is under way or ended not long ago."""
        return delivery_id in self._open or delivery_id in self._ended

    def get(self, delivery_id: str) -> DeliveryProgress | None:
        """Return a delivery that is under way."""
        return self._open.get(delivery_id)

    def count(self, endpoint_id: str) -> int:
        """How many deliveries are under way to an endpoint, held ones included."""
        return self.lanes.count(endpoint_id) + self._held_counts.get(endpoint_id, 0)

    def health(self, endpoint_id: str) -> EndpointHealth:
        """Return how an endpoint fares."""
        return self._health.get(endpoint_id) or EndpointHealth(endpoint_id)

    def stopped(self, endpoint_id: str) -> bool:
        """Whether an endpoint is stopped, and none of its subscriptions was edited since."""
        stopped_at = self.health(endpoint_id).stopped_at
        if stopped_at is None:
            return False
        users = (self._subscriptions[one] for one in self._users.get(endpoint_id, ()))
        return not any(one.updated_at > stopped_at for one in users)

    def window(self, endpoint_id: str, subscription_id: str) -> SendingWindow | None:
        """Return a subscription's window of messages sent at once."""
        return self._windows.get((endpoint_id, subscription_id))

    def digests_due(self, now: datetime, limit: int) -> Iterator[list[DeliveryProgress]]:
        """Yield, for up to `limit` subscriptions, the held deliveries whose time has come, in their order."""
        for earliest, key in self._held_order.islice(0, limit):
            if earliest > now:
                return
            due = [one for (due_at, _), one in self._held[key].items() if due_at <= now]
            yield sorted((self._open[one] for one in due), key=lambda one: one.sequence)[:MAX_MEMBERS]

    def forgotten(self, before: datetime, limit: int) -> list[Change]:
        """Return the tombstones of deliveries that ended before this time, up to `limit`."""
        old = [one for at, one in self._ended_order.islice(0, limit) if at < before]
        return [Change(DELIVERY_STATES, one.encode(), None) for one in old]

    def apply(self, change: Change) -> None:
        """Take a change. Raises StateVersionError for a record that this code cannot read."""
        key = change.key.decode()
        if change.topic == SUBSCRIPTIONS:
            self._subscribe(key, None if change.value is None else read_subscription(key, change.value))
        elif change.value is None:
            self._forget(key)
        else:
            self._remember(key, _read_state(key, change.value))

    def _subscribe(self, key: str, subscription: Subscription | None) -> None:
        former = self._subscriptions.pop(key, None)
        for endpoint in () if former is None else former.endpoints:
            self._users[endpoint.id].discard(key)
        if subscription is not None:
            self._subscriptions[key] = subscription
            for endpoint in subscription.endpoints:
                self._users.setdefault(endpoint.id, set()).add(key)
        both = (*(former.endpoints if former else ()), *(subscription.endpoints if subscription else ()))
        for endpoint_id in sorted({endpoint.id for endpoint in both}):
            self._choose(endpoint_id)

    def _choose(self, endpoint_id: str) -> None:
        """Of several subscriptions' word on an endpoint, the newest secret counts."""
        users = sorted(self._users.get(endpoint_id, ()))
        known = [one for user in users for one in self._subscriptions[user].endpoints if one.id == endpoint_id]
        if known:
            self.endpoints[endpoint_id] = max(known, key=lambda one: one.secret_version)
        else:
            self.endpoints.pop(endpoint_id, None)
            self._users.pop(endpoint_id, None)

    def _forget(self, key: str) -> None:
        self._close(key)
        ended_at = self._ended.pop(key, None)
        if ended_at is not None:
            self._ended_order.remove((ended_at, key))
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
            self._ended[progress.id] = progress.ended_at
            self._ended_order.add((progress.ended_at, progress.id))
            return
        self._open[progress.id] = progress
        if progress.status is DeliveryStatus.HELD:
            self._hold(progress)
        elif progress.delivery is not None:
            self.lanes.put(progress, progress.delivery.story_id)

    def _close(self, delivery_id: str) -> None:
        self.lanes.remove(delivery_id)
        progress = self._open.pop(delivery_id, None)
        if progress is not None and progress.status is DeliveryStatus.HELD:
            self._release(progress)

    def _hold(self, progress: DeliveryProgress) -> None:
        key = _held_key(progress)
        held = self._held.setdefault(key, SortedDict())
        if held:
            self._held_order.remove((held.peekitem(0)[0][0], key))
        held[progress.due_at, progress.sequence] = progress.id
        self._held_order.add((held.peekitem(0)[0][0], key))
        self._held_counts[key[0]] = self._held_counts.get(key[0], 0) + 1

    def _release(self, progress: DeliveryProgress) -> None:
        key = _held_key(progress)
        held = self._held[key]
        self._held_order.remove((held.peekitem(0)[0][0], key))
        del held[progress.due_at, progress.sequence]
        if held:
            self._held_order.add((held.peekitem(0)[0][0], key))
        else:
            del self._held[key]
        self._held_counts[key[0]] -= 1


def _held_key(progress: DeliveryProgress) -> HeldKey:
    subscriptions = () if progress.delivery is None else progress.delivery.subscription_ids
    return progress.endpoint_id, subscriptions[0] if subscriptions else ""


def _read_state(key: str, value: bytes) -> DeliveryState:
    return decode_state(DeliveryState, value, f"{DELIVERY_STATES} {key}", DELIVERY_STATE_VERSION)
