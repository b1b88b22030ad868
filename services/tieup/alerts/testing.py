"""A test message: a real event, marked as a test, to each of a subscription's endpoints once."""

from dataclasses import dataclass
from datetime import datetime

from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.message import TEST_TYPE, alert_body
from tieup.alerts.shell import DeliveryShell
from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import DELIVERIES
from tieup.model.codec import encode, to_millis
from tieup.model.delivery import AttemptOutcome, Delivery
from tieup.model.story import StoryEvent
from tieup.model.subscription import PULLED, Channel, Endpoint, Subscription


@dataclass(frozen=True, slots=True)
class Tests:
    """What came of sending, and what has to be appended for feeds and streams, which hold what is on the log."""

    outcomes: tuple[tuple[Channel, AttemptOutcome], ...]
    laid: tuple[NewRecord, ...]


async def send_test(shell: DeliveryShell, subscription: Subscription, event: StoryEvent, at: datetime) -> Tests:
    """Send the event to each endpoint that is sent to; nothing of that is written, and nothing tried again."""
    test_id = derive_id("test", subscription.id, at.isoformat())
    body = alert_body(event, test_id, [subscription], kind=TEST_TYPE)
    sent = [one for one in subscription.endpoints if one.channel not in PULLED]
    try:
        outcomes = [
            (one.channel, await shell.attempt(AttemptRequest(test_id, 0, test_id, event.story_id, one, body)))
            for one in sent
        ]
    finally:
        await shell.close()
    laid = [
        _laid(one, test_id, event, subscription, body, at) for one in subscription.endpoints if one.channel in PULLED
    ]
    return Tests(tuple(outcomes), tuple(laid))


def _laid(
    endpoint: Endpoint, test_id: str, event: StoryEvent, subscription: Subscription, body: bytes, at: datetime
) -> NewRecord:
    delivery = Delivery(
        id=derive_id("delivery", test_id, endpoint.id),
        event_id=test_id,
        story_id=event.story_id,
        endpoint_id=endpoint.id,
        subscription_ids=(subscription.id,),
        matched_at=at,
        body=body.decode(),
        channel=endpoint.channel,
    )
    return NewRecord(DELIVERIES, delivery.id.encode(), encode(delivery), to_millis(at), place_by=endpoint.id.encode())
