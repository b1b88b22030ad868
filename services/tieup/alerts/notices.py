"""What an owner is told when one of their endpoints is stopped: a message to their other endpoints, of any channel."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import DELIVERIES
from tieup.model.codec import encode, to_millis
from tieup.model.delivery import Delivery, EndpointHealth
from tieup.model.subscription import Channel, Endpoint, Subscription

NOTICE_TYPE: Final = "tieup.endpoint.stopped.v1"
MAX_TOLD: Final = 10
MAX_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Silenced:
    """A subscription that is told nothing there any more."""

    subscription_id: str
    name: str


@dataclass(frozen=True, slots=True)
class StoppedData:
    """Which endpoint was stopped and why, how many subscriptions it had, and the first of them."""

    endpoint_id: str
    channel: Channel
    reason: str
    failing_since: datetime | None
    subscription_count: int
    subscriptions: tuple[Silenced, ...]


@dataclass(frozen=True, slots=True)
class StoppedMessage:
    """The body of a notice. `timestamp` is when the endpoint was stopped."""

    type: str
    timestamp: datetime
    data: StoppedData


def notices(
    stopped: Endpoint, health: EndpointHealth, users: Iterable[Subscription], others: Iterable[Endpoint], at: datetime
) -> list[NewRecord]:
    """Return the deliveries that tell an owner, at up to ten of the other endpoints, that this one was stopped."""
    users = list(users)
    data = StoppedData(
        endpoint_id=stopped.id,
        channel=stopped.channel,
        reason=health.reason or "",
        failing_since=health.failing_since,
        subscription_count=len(users),
        subscriptions=tuple(Silenced(one.id, one.name) for one in users[:MAX_NAMED]),
    )
    body = encode(StoppedMessage(NOTICE_TYPE, at, data)).decode()
    return [_notice(stopped.id, one, body, at) for one in islice(others, MAX_TOLD)]


def _notice(stopped_id: str, told: Endpoint, body: str, at: datetime) -> NewRecord:
    notice_id = derive_id("notice", stopped_id, at.isoformat())
    delivery = Delivery(
        id=derive_id("delivery", notice_id, told.id),
        event_id=notice_id,
        story_id=derive_id("notice", stopped_id),
        endpoint_id=told.id,
        subscription_ids=(),
        matched_at=at,
        body=body,
        channel=told.channel,
    )
    return NewRecord(DELIVERIES, delivery.id.encode(), encode(delivery), to_millis(at), place_by=told.id.encode())
