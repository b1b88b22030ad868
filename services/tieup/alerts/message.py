"""The message: what a subscriber is told, as JSON of less than 20 kB, the same bytes at every attempt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tieup.alerts.filters import describe
from tieup.errors import InvalidOutput
from tieup.model.codec import decode, encode
from tieup.model.delivery import MAX_BODY_BYTES
from tieup.model.story import StoryEvent
from tieup.model.subscription import Subscription

DIGEST_TYPE: Final = "tieup.digest.v1"
TEST_TYPE: Final = "tieup.test.v1"
MAX_REASONS: Final = 20
MAX_DIGEST: Final = 100
MAX_TEXT_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message came: the subscription and its filter."""

    subscription_id: str
    name: str
    filter: str


@dataclass(frozen=True, slots=True)
class AlertData:
    """One event and why it is told. `event` is as on the events topic, its lists shortened where it would be too large;
    its counts tell how many there were.
    """

    event_id: str
    event: StoryEvent
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """The body of a webhook (Standard Webhooks: type, timestamp, data). `type` is the event's `ce_type`."""

    type: str
    timestamp: datetime
    data: AlertData


@dataclass(frozen=True, slots=True)
class DigestData:
    """Several events in the order in which they came."""

    alerts: tuple[AlertData, ...]


@dataclass(frozen=True, slots=True)
class DigestMessage:
    """The body of a digest."""

    type: str
    timestamp: datetime
    data: DigestData


def alert_body(event: StoryEvent, event_id: str, subscriptions: Sequence[Subscription], *, kind: str = "") -> bytes:
    """Return the message of an event to the subscriptions that it fired. Raises InvalidOutput if it does not fit."""
    reasons = tuple(reason(one) for one in subscriptions[:MAX_REASONS])
    message = AlertMessage(kind or f"tieup.{event.type}.v1", event.occurred_at, AlertData(event_id, event, reasons))
    for shorten in _SHORTENED:
        body = encode(message)
        if len(body) < MAX_BODY_BYTES:
            return body
        message = replace(message, data=replace(message.data, event=shorten(message.data.event)))
    body = encode(message)
    if len(body) >= MAX_BODY_BYTES:
        raise InvalidOutput(
            f"event {event_id}: {len(body)} bytes when shortened, a message has at most {MAX_BODY_BYTES}"
        )
    return body


def digest_body(bodies: Sequence[str], at: datetime) -> tuple[bytes, int]:
    """Return one message for the first of several, shortened alike, and how many it holds: as many as fit, one at
    least.
    """
    alerts = [decode(AlertMessage, body.encode(), "a message held for a digest").data for body in bodies[:MAX_DIGEST]]
    alerts = [replace(one, event=_brief(one.event)) for one in alerts]
    while True:
        body = encode(DigestMessage(DIGEST_TYPE, at, DigestData(tuple(alerts))))
        if len(body) < MAX_BODY_BYTES:
            return body, len(alerts)
        if len(alerts) == 1:
            alerts = [replace(alerts[0], event=_bare(alerts[0].event))]
            return encode(DigestMessage(DIGEST_TYPE, at, DigestData(tuple(alerts)))), 1
        alerts = alerts[: len(alerts) * 4 // 5]


def reason(subscription: Subscription) -> Reason:
    """Return why a subscription fires, as its owner wrote it."""
    return Reason(subscription.id, subscription.name, _cut(describe(subscription.filter)))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 1] + "…"


def _half(event: StoryEvent) -> StoryEvent:
    """Keep the newer half of the claims and the articles."""
    return replace(
        event,
        claims=event.claims[(len(event.claims) + 1) // 2 :],
        articles=event.articles[(len(event.articles) + 1) // 2 :],
        previous_ties=event.previous_ties[: len(event.previous_ties) // 2],
    )


def _brief(event: StoryEvent) -> StoryEvent:
    """Keep the newest two claims and the causing article."""
    return replace(event, claims=event.claims[-2:], articles=(), previous_ties=(), figures=event.figures[:3])


def _bare(event: StoryEvent) -> StoryEvent:
    return replace(
        event,
        claims=(),
        articles=(),
        previous_ties=(),
        figures=(),
        via=event.via[:5],
        scope=event.scope[:5],
        origins=event.origins[:10],
        changes=event.changes[:10],
        parties=event.parties[:10],
        stance_by_party=event.stance_by_party[:10],
    )


_SHORTENED: Final[tuple[Callable[[StoryEvent], StoryEvent], ...]] = (_half, _half, _half, _half, _brief, _bare)
