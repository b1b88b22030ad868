"""The subscriptions as a sender sees them: which endpoints there are, and who is told there."""

from collections.abc import Iterator
from datetime import datetime

from tieup.alerts.subscribe import read_subscription
from tieup.log.base import Change
from tieup.model.delivery import Delivery
from tieup.model.subscription import Endpoint, Subscription


class Endpoints:
    """The endpoints of all subscriptions. Changed by `apply` only."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}
        self._users: dict[str, set[str]] = {}  # endpoint -> subscriptions
        self._endpoints: dict[str, Endpoint] = {}
        self._owned: dict[str, dict[str, int]] = {}  # owner -> endpoints, and how many subscriptions name each

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint that somebody subscribes to."""
        return self._endpoints.get(endpoint_id)

    def users(self, endpoint_id: str) -> Iterator[Subscription]:
        """Yield the subscriptions that are told there, by id."""
        for one in sorted(self._users.get(endpoint_id, ())):
            yield self._subscriptions[one]

    def others(self, endpoint_id: str) -> Iterator[Endpoint]:
        """Yield the other endpoints of an endpoint's owner, by id."""
        owners = {one.owner for one in self.users(endpoint_id)}
        found = {other for owner in owners for other in self._owned.get(owner, ()) if other != endpoint_id}
        for other in sorted(found):
            yield self._endpoints[other]

    def edited_since(self, endpoint_id: str, at: datetime) -> bool:
        """Whether a subscription that is told there was made, edited or resumed after this time."""
        return any(one.updated_at > at for one in self.users(endpoint_id))

    def known(self, delivery: Delivery) -> bool:
        """Whether one of the delivery's subscriptions is there still; a notice has none and needs none."""
        ids = delivery.subscription_ids
        return not ids or any(one in self._subscriptions for one in ids)

    def paused(self, delivery: Delivery) -> bool:
        """Whether all of the delivery's subscriptions that are there are paused. A replay was asked for."""
        found = [self._subscriptions[one] for one in delivery.subscription_ids if one in self._subscriptions]
        return not delivery.replay and bool(found) and all(one.paused for one in found)

    def apply(self, change: Change) -> None:
        """Take a subscription, or its end. Raises StateVersionError for one that this code cannot read."""
        key = change.key.decode()
        former = self._subscriptions.pop(key, None)
        if former is not None:
            self._forget(former)
        now = None if change.value is None else read_subscription(key, change.value)
        if now is not None:
            self._remember(now)
        both = (*(former.endpoints if former else ()), *(now.endpoints if now else ()))
        for endpoint_id in {endpoint.id for endpoint in both}:
            self._choose(endpoint_id)

    def _remember(self, one: Subscription) -> None:
        self._subscriptions[one.id] = one
        for endpoint in one.endpoints:
            self._users.setdefault(endpoint.id, set()).add(one.id)
            counts = self._owned.setdefault(one.owner, {})
            counts[endpoint.id] = counts.get(endpoint.id, 0) + 1

    def _forget(self, one: Subscription) -> None:
        counts = self._owned[one.owner]
        for endpoint in one.endpoints:
            self._users[endpoint.id].discard(one.id)
            counts[endpoint.id] -= 1
            if not counts[endpoint.id]:
                del counts[endpoint.id]
        if not counts:
            del self._owned[one.owner]

    def _choose(self, endpoint_id: str) -> None:
        """Of several subscriptions' word on an endpoint, the newest secret counts."""
        known = [its for user in self.users(endpoint_id) for its in user.endpoints if its.id == endpoint_id]
        if known:
            self._endpoints[endpoint_id] = max(known, key=lambda one: one.secret_version)
        else:
            self._endpoints.pop(endpoint_id, None)
            self._users.pop(endpoint_id, None)
