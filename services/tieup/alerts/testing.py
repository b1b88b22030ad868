"""A test message: a real event, marked as a test, sent to a subscription's endpoints once."""

from datetime import datetime

from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.message import TEST_TYPE, alert_body
from tieup.alerts.shell import DeliveryShell
from tieup.ids import derive_id
from tieup.model.delivery import AttemptOutcome
from tieup.model.story import StoryEvent
from tieup.model.subscription import Subscription


async def send_test(
    shell: DeliveryShell, subscription: Subscription, event: StoryEvent, at: datetime
) -> list[AttemptOutcome]:
    """Send the event to each endpoint and return what came of it; nothing is written, and nothing tried again."""
    test_id = derive_id("test", subscription.id, at.isoformat())
    body = alert_body(event, test_id, [subscription], kind=TEST_TYPE)
    try:
        return [
            await shell.attempt(AttemptRequest(test_id, 0, test_id, event.story_id, endpoint, body))
            for endpoint in subscription.endpoints
        ]
    finally:
        await shell.close()
