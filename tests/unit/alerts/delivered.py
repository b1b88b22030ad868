"""A deliver task with one subscription, driven as the runner drives it."""

from datetime import datetime, timedelta

import orjson
from tests.unit.alerts.driving import OK, Driver
from tests.unit.alerts.making import T0, event_record, matcher, subscription

from tieup.alerts.attempt import Reply
from tieup.alerts.settings import AlertSettings
from tieup.log.base import NewRecord
from tieup.model.codec import decode
from tieup.model.delivery import DeliveryState, DeliveryStatus
from tieup.model.subscription import Subscription

DEAD = Reply(status=500, error="answered 500")
MINUTE = timedelta(minutes=1)


def told(one: Subscription, *events: object, at: datetime = T0) -> list[NewRecord]:
    worker = matcher(one)
    return [new for each in events for new in worker.process(event_record(each, at=at)).records]


def started(answers=lambda request: OK, one: Subscription | None = None, **bounds: int) -> tuple[Driver, Subscription]:
    wish = one or subscription()
    driver = Driver(answers, AlertSettings(**bounds))
    driver.subscribe(wish)
    return driver, wish


def ended(driver: Driver) -> list[DeliveryStatus]:
    found = [decode(DeliveryState, value, "state").delivery for value in driver.state.values() if value]
    return [one.status for one in found if one is not None]


def revisions_of(driver: Driver) -> list[int]:
    """What was received, in order: of a digest each of its events."""
    found: list[int] = []
    for one in driver.sent:
        data = orjson.loads(one.request.body)["data"]
        found += [alert["event"]["revision"] for alert in data.get("alerts", [data])]
    return found
