"""The match worker: which subscriptions an event fires; one delivery for each endpoint of theirs."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from tieup.alerts.conditions import facts_of, passes
from tieup.alerts.index import SubscriptionIndex, endpoints_of
from tieup.alerts.message import AlertBodies
from tieup.alerts.modes import patience
from tieup.alerts.subscribe import read_subscription
from tieup.companies.gazetteer import Gazetteer
from tieup.errors import BadRecord
from tieup.ids import derive_id
from tieup.log.base import NOTHING, Change, NewRecord, Output, Record, WorkerSpec
from tieup.log.topics import DELIVERIES, EVENTS, SUBSCRIPTIONS
from tieup.model.codec import decode, encode, from_millis, to_millis
from tieup.model.delivery import Delivery
from tieup.model.labels import EventType
from tieup.model.story import StoryEvent
from tieup.model.subscription import Subscription

NAME: Final = "match"


class MatchWorker:
    """All subscriptions, indexed; every event is matched against them."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._index = SubscriptionIndex()

    def process(self, record: Record) -> Output:
        """Match one event. Raises BadRecord for one that cannot be read or has no id."""
        event = decode(StoryEvent, record.value, record.place)
        at = from_millis(record.timestamp)
        if event.type is EventType.MERGED:
            return NOTHING
        found = self._index.matching(facts_of(event, self._gazetteer))
        wanted = [one for one in found if is_news(event, at, one)]
        if not wanted:
            return NOTHING
        return Output(records=tuple(deliveries(event, event_id_of(record), at, wanted)))

    def apply(self, change: Change) -> None:
        """Take a subscription into the index. Raises StateVersionError for one of another version."""
        key = change.key.decode()
        if change.value is None:
            self._index.remove(key)
        else:
            self._index.put(read_subscription(key, change.value))

    def wake(self, now: datetime) -> Output:  # noqa: ARG002 - the contract's signature
        """Nothing is ever due."""
        return NOTHING


def match_spec(gazetteer: Gazetteer) -> WorkerSpec:
    """Return the worker as the runner needs it."""
    return WorkerSpec(
        name=NAME,
        build=lambda _: MatchWorker(gazetteer),
        streams=(EVENTS,),
        out=(DELIVERIES,),
        global_tables=(SUBSCRIPTIONS,),
    )


def is_news(event: StoryEvent, at: datetime, subscription: Subscription) -> bool:
    """Whether an event recorded at this time is news to a subscription: since it was made, young, and no backfill."""
    return (
        at >= subscription.created_at
        and (subscription.backfill or not event.backfill)
        and at - event.occurred_at <= timedelta(hours=subscription.max_age_h)
    )


def deliveries(
    event: StoryEvent,
    event_id: str,
    at: datetime,
    wanted: Sequence[Subscription],
    *,
    replayed_at: datetime | None = None,
) -> list[NewRecord]:
    """Return one delivery for each endpoint, whatever the number of its subscriptions; the least patient comes first.

    A replay has an id of its own, derived from its time, and the event's id as ever.
    """
    bodies = AlertBodies(event, event_id)
    return [
        _delivery(
            *(event, event_id, at, endpoint_id),
            *(sorted(its, key=lambda one: (patience(one.mode), one.id)), bodies, replayed_at),
        )
        for endpoint_id, its in endpoints_of(wanted).items()
    ]


def replays(
    records: Iterable[Record], subscription: Subscription, gazetteer: Gazetteer, at: datetime
) -> list[NewRecord]:
    """Return the deliveries that tell a subscription again what its filter accepts of these events, in their order."""
    found: list[NewRecord] = []
    for record in records:
        event, its_id = decode(StoryEvent, record.value, record.place), event_id_of(record)
        if event.type is not EventType.MERGED and passes(subscription.filter, facts_of(event, gazetteer)):
            found += deliveries(event, its_id, from_millis(record.timestamp), [subscription], replayed_at=at)
    return found


def _delivery(
    event: StoryEvent,
    event_id: str,
    at: datetime,
    endpoint_id: str,
    wanted: Sequence[Subscription],
    bodies: AlertBodies,
    replayed_at: datetime | None,
) -> NewRecord:
    again = () if replayed_at is None else (replayed_at.isoformat(),)
    delivery = Delivery(
        id=derive_id("delivery", event_id, endpoint_id, *again),
        event_id=event_id,
        story_id=event.story_id,
        endpoint_id=endpoint_id,
        subscription_ids=tuple(one.id for one in wanted),
        matched_at=at,
        body=cast(str, bodies.quoted(wanted)),  # only to be encoded
        mode=wanted[0].mode,
        replay=replayed_at is not None,
        channel=next(one.channel for one in wanted[0].endpoints if one.id == endpoint_id),
    )
    return NewRecord(
        DELIVERIES, delivery.id.encode(), encode(delivery), to_millis(replayed_at or at), place_by=endpoint_id.encode()
    )


def event_id_of(record: Record) -> str:
    """Return an event record's `ce_id`. Raises BadRecord if it has none."""
    for name, value in record.headers:
        if name == "ce_id" and value:
            return value.decode("utf-8", "replace")
    raise BadRecord(f"{record.place}: an event without ce_id")
