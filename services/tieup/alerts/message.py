"""The message: what a subscriber is told, as JSON of less than 20 kB, the same bytes at every attempt.

On the log it has no links of ours, since whoever has such a link may use it; `linked` puts them in when it is sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

import orjson

from tieup.alerts.capabilities import Capabilities
from tieup.alerts.filters import describe
from tieup.errors import BadRecord, InvalidOutput
from tieup.model.codec import decode, encode
from tieup.model.delivery import MAX_BODY_BYTES
from tieup.model.story import StoryEvent
from tieup.model.subscription import Filter, Subscription

DIGEST_TYPE: Final = "tieup.digest.v1"
TEST_TYPE: Final = "tieup.test.v1"
MAX_REASONS: Final = 20
MAX_DIGEST: Final = 100
MAX_TEXT_CHARS: Final = 200
LINK_BYTES: Final = 450  # kept free for each event's link; a public URL has at most 200 characters


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message came: the subscription and its filter."""

    subscription_id: str
    name: str
    filter: str


@dataclass(frozen=True, slots=True)
class AlertData:
    """One event and why it is told. `event` is as on the events topic, its lists shortened where it would be too large;
    its counts tell how many there were. `wrong_url` is where to say that it is wrong; only in what is sent.
    """

    event_id: str
    event: StoryEvent
    reasons: tuple[Reason, ...]
    wrong_url: str | None = None


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
    return AlertBodies(event, event_id, kind).to(subscriptions)


class AlertBodies:
    """The messages of one event to many: the event is encoded once, whoever is told."""

    def __init__(self, event: StoryEvent, event_id: str, kind: str = "") -> None:
        self._event = event
        self._event_id = event_id
        self._type = kind or f"tieup.{event.type}.v1"
        self._begun: list[_Begun] = []  # with the event shortened ever more

    def to(self, subscriptions: Sequence[Subscription]) -> bytes:
        """Return the message to the subscriptions that the event fired. Raises InvalidOutput if it does not fit."""
        begun, ending = self._fitting(subscriptions)
        return begun.plain + ending

    def quoted(self, subscriptions: Sequence[Subscription]) -> orjson.Fragment:
        """Return the message as a string within JSON, as a record has it. Raises InvalidOutput if it does not fit."""
        begun, ending = self._fitting(subscriptions)
        return orjson.Fragment(b'"%b%b"' % (begun.quoted, _quoted(ending)))

    def _fitting(self, subscriptions: Sequence[Subscription]) -> tuple["_Begun", bytes]:
        ending = b"%b%b%b" % (_REASONS, encode([reason(one) for one in subscriptions[:MAX_REASONS]]), _END)
        for level in range(len(_SHORTENED) + 1):
            begun = self._at(level)
            size = len(begun.plain) + len(ending)
            if size < MAX_BODY_BYTES - LINK_BYTES:
                return begun, ending
        raise InvalidOutput(
            f"event {self._event_id}: {size} bytes when shortened, a message has at most {MAX_BODY_BYTES}"
        )

    def _at(self, level: int) -> "_Begun":
        while len(self._begun) <= level:
            if self._begun:
                self._event = _SHORTENED[len(self._begun) - 1](self._event)
            data = AlertData(self._event_id, self._event, ())
            whole = encode(AlertMessage(self._type, self._event.occurred_at, data))
            plain = whole[: -len(_REASONS + b"[]" + _END)]
            self._begun.append(_Begun(plain, _quoted(plain)))
        return self._begun[level]


_REASONS: Final = b',"reasons":'
_END: Final = b',"wrong_url":null}}'


@dataclass(frozen=True, slots=True)
class _Begun:
    """A message up to its reasons, as it is sent and within a string of JSON."""

    plain: bytes
    quoted: bytes


def _quoted(part: bytes) -> bytes:
    """Return a part of a message as it stands within a string of JSON."""
    return orjson.dumps(part.decode())[1:-1]


def digest_body(bodies: Sequence[str], at: datetime) -> tuple[bytes, int]:
    """Return one message for the first of several, shortened alike, and how many it holds: as many as fit, one at
    least.
    """
    alerts = [decode(AlertMessage, body.encode(), "a message held for a digest").data for body in bodies[:MAX_DIGEST]]
    alerts = [replace(one, event=_brief(one.event)) for one in alerts]
    while True:
        body = encode(DigestMessage(DIGEST_TYPE, at, DigestData(tuple(alerts))))
        if len(body) < MAX_BODY_BYTES - LINK_BYTES * len(alerts):
            return body, len(alerts)
        if len(alerts) == 1:
            alerts = [replace(alerts[0], event=_bare(alerts[0].event))]
            return encode(DigestMessage(DIGEST_TYPE, at, DigestData(tuple(alerts)))), 1
        alerts = alerts[: len(alerts) * 4 // 5]


def linked(body: bytes, links: Capabilities | None) -> bytes:
    """Return the body with the link for marking each of its events as wrong: the same bytes for the same body.

    A body that tells of no event, and a test's, stays as it is.
    """
    if links is None:
        return body
    try:
        if DIGEST_TYPE.encode() in body[:64]:
            digest = decode(DigestMessage, body, "a digest's body")
            alerts = tuple(replace(one, wrong_url=link_of(one, links)) for one in digest.data.alerts)
            return encode(replace(digest, data=DigestData(alerts)))
        alert = decode(_Linkable, body, "a message's body")
    except BadRecord:
        return body
    if alert.type == TEST_TYPE or not body.endswith(_END):
        return body
    url = encode(link_of(alert.data, links))
    return b'%b,"wrong_url":%b}}' % (body[: -len(_END)], url)


@dataclass(frozen=True, slots=True)
class _LinkableEvent:
    story_id: str


@dataclass(frozen=True, slots=True)
class _LinkableData:
    event_id: str
    event: _LinkableEvent
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Linkable:
    """What of an AlertMessage its link needs: to read and write all of it takes as long as to send it."""

    type: str
    data: _LinkableData


def link_of(data: AlertData | _LinkableData, links: Capabilities) -> str | None:
    """Return where to say that the event is wrong, None for what no subscription asked for."""
    if not data.reasons:
        return None
    return links.wrong_url(data.reasons[0].subscription_id, data.event_id, data.event.story_id)


def reason(subscription: Subscription) -> Reason:
    """Return why a subscription fires, as its owner wrote it."""
    return Reason(subscription.id, subscription.name, _described(subscription.filter))


@lru_cache(10_000)
def _described(wanted: Filter) -> str:
    return _cut(describe(wanted))


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
    """Keep the newest two claims, the causing article and one tie of the past."""
    return replace(
        event,
        claims=event.claims[-2:],
        articles=(),
        previous_ties=event.previous_ties[:1],
        figures=event.figures[:3],
    )


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
