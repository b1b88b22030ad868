"""What a message says to a person: one record, from which every channel makes its own form. Plain text, not escaped.

    headline · quotes with links · who stands where · origins · history of the tie · why it came · mark as wrong

All of it but the labels comes from publishers, companies or the subscriber: the channels escape every field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tieup.alerts.capabilities import Capabilities
from tieup.alerts.message import DIGEST_TYPE, TEST_TYPE, AlertData, AlertMessage, DigestMessage, link_of
from tieup.alerts.notices import NOTICE_TYPE, StoppedMessage
from tieup.errors import BadRecord
from tieup.model.codec import decode
from tieup.model.labels import PartyStance, SpeakerType
from tieup.model.story import EventChange, StoryEvent, Tie

MAX_QUOTES: Final = 6
MAX_TIES: Final = 5
MAX_ORIGINS: Final = 5

STANCES: Final = {
    PartyStance.CONFIRMS: "confirms",
    PartyStance.DENIES: "denies",
    PartyStance.DECLINES: "declines to comment",
    PartyStance.SILENT: "has not said anything",
}
UNNAMED: Final = "an unnamed source"
_SAID: Final = {"asserts": "says", "denies": "denies", "declines_comment": "declines to comment"}


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of evidence: whose they are, what they do (`says`, `denies`), where they were read."""

    text: str
    speaker: str
    does: str
    publisher: str
    at: datetime
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one party stands."""

    party: str
    stance: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier tie of the same parties."""

    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it is told. `url` is the article that brought it about; `wrong_url` None: nothing is served.

    Or a notice that an endpoint was stopped: then `silenced` are the alerts that were told there, and most is empty.
    """

    event_id: str
    story_id: str
    at: datetime
    headline: str
    labels: str
    changes: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    standing: tuple[Standing, ...] = ()
    origins: str = ""
    past: tuple[Past, ...] = ()
    reasons: tuple[str, ...] = ()
    silenced: tuple[str, ...] = ()
    source: str = ""
    url: str | None = None
    wrong_url: str | None = None
    tags: tuple[str, ...] = ()
    test: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """A whole message: one event, or several as a digest. `title` is its one line, `at` when it became known."""

    title: str
    at: datetime
    told: tuple[Told, ...]
    digest: bool = False


def telling(body: bytes, links: Capabilities | None) -> Telling:
    """Return what a message body says. Raises BadRecord for a body that is none of ours."""
    if f'"type":"{DIGEST_TYPE}"'.encode() in body[:64]:
        digest = decode(DigestMessage, body, "a digest's body")
        told = tuple(_told(one, links) for one in digest.data.alerts)
        title = told[0].headline if len(told) == 1 else f"{len(told)} changes: {told[0].headline}" if told else ""
        if not told:
            raise BadRecord("a digest's body holds no event")
        return Telling(title, digest.timestamp, told, digest=True)
    if f'"type":"{NOTICE_TYPE}"'.encode() in body[:64]:
        return _notice(decode(StoppedMessage, body, "a notice's body"))
    alert = decode(AlertMessage, body, "a message's body")
    one = _told(alert.data, links, test=alert.type == TEST_TYPE)
    return Telling(f"Test: {one.headline}" if one.test else one.headline, alert.data.event.observed_at, (one,))


def _notice(message: StoppedMessage) -> Telling:
    data = message.data
    headline = _line(f"tieup tells nothing any more at your {data.channel} {data.endpoint_id[:10]}: {data.reason}")
    more = data.subscription_count - len(data.subscriptions)
    names = [*(_line(one.name) for one in data.subscriptions), *([f"and {more} more"] if more > 0 else [])]
    told = Told(
        event_id=data.endpoint_id,
        story_id=data.endpoint_id,
        at=message.timestamp,
        headline=headline,
        labels="It is tried again once an alert of it is edited or resumed (tieup alerts resume).",
        silenced=tuple(names),
    )
    return Telling(headline, message.timestamp, (told,))


def shortened(message: Telling, keep: int) -> Telling:
    """Return the message with at most so many of each of its lists; links, origins and labels stay."""
    told = tuple(
        replace(
            one,
            changes=one.changes[:keep],
            quotes=one.quotes[:keep],
            standing=one.standing[: 2 * keep],
            past=one.past[:keep],
            reasons=one.reasons[: max(1, keep)],
        )
        for one in message.told
    )
    return replace(message, told=told)


def _told(data: AlertData, links: Capabilities | None, *, test: bool = False) -> Told:
    event = data.event
    wrong_url = None if links is None or test else link_of(data, links)
    return Told(
        event_id=data.event_id,
        story_id=event.story_id,
        at=event.occurred_at,
        headline=_line(event.headline.en),
        labels=labels(event),
        changes=tuple(_change(one) for one in event.changes if not one.field.startswith("stance:")),
        quotes=tuple(_quotes(event)),
        standing=tuple(_standing(event)),
        origins=origins(event),
        past=tuple(_past(one) for one in event.previous_ties[:MAX_TIES]),
        reasons=tuple(_line(f"{one.name} ({one.filter})" if one.filter else one.name) for one in data.reasons),
        source=_line(event.cause.publisher or event.cause.title),
        url=web_url(event.cause.url),
        wrong_url=wrong_url,
        tags=tuple(dict.fromkeys(map(_words, (event.kind, event.stage, event.factuality, event.type)))),
        test=test,
    )


def labels(event: StoryEvent) -> str:
    """Return kind, stage and how sure it is, in words."""
    sure = f"{event.factuality}{', contested' if event.contested else ''}"
    return f"{_words(event.kind)} · {_words(event.stage)} · {sure} · confidence {event.confidence:.0%}"


def origins(event: StoryEvent) -> str:
    """Return how many origins there are and how much was kept back: `3 independent (…), 39 rewrites suppressed`."""
    named = [_line(one) for one in event.origins[:MAX_ORIGINS]]
    more = ["…"] if event.origin_count > len(named) and named else []
    names = f" ({', '.join([*named, *more])})" if named else ""
    rewrites = f"{event.rewrite_count} rewrite{'' if event.rewrite_count == 1 else 's'} suppressed"
    return f"{event.origin_count} independent{names}, {rewrites}"


def web_url(url: str | None) -> str | None:
    """Return a URL that may be followed by a click, None for any other: `javascript:` is an address as well."""
    if url is None or not url.isprintable() or any(one in url for one in " <>\"'`\\"):
        return None
    return url if url.lower().startswith(("https://", "http://")) else None


def _quotes(event: StoryEvent) -> Sequence[Quote]:
    """The newest words first; those of the article that brought the change come before all others."""
    newest = sorted(
        (one for one in event.claims if one.quote),
        key=lambda one: (one.article_id != event.cause.article_id, -one.event_time.timestamp(), one.start),
    )
    return [
        Quote(
            text=_line(one.quote),
            speaker=UNNAMED if one.speaker_type is SpeakerType.ANONYMOUS else _line(one.speaker),
            does=_SAID.get(one.stance, str(one.stance)),
            publisher=_line(one.publisher or ""),
            at=one.event_time,
            url=web_url(one.url),
        )
        for one in newest[:MAX_QUOTES]
    ]


def _standing(event: StoryEvent) -> Sequence[Standing]:
    names = {party.id: party.name for party in event.parties if party.id}
    return [
        Standing(_line(names.get(one.party, one.party)), STANCES[one.stance], web_url(one.url))
        for one in event.stance_by_party
    ]


def _past(tie: Tie) -> Past:
    who = " and ".join(_line(party.name) for party in tie.parties)
    return Past(f"{who}: {_words(tie.kind)}, {_words(tie.stage)}, seen {tie.seen_at:%Y-%m-%d}", web_url(tie.url))


def _change(change: EventChange) -> str:
    """Where a party stands now is told with all the others."""
    field = _words(_line(change.field))
    if field == "contested":
        return "contested now" if change.new == "true" else "contested no more"
    old, new = ("nothing" if value is None else _words(_line(value)) for value in (change.old, change.new))
    return f"{field}: {new}" if change.old is None else f"{field}: {old} → {new}"


def _words(label: str) -> str:
    return str(label).removeprefix("story.").replace("_", " ")


def _line(text: str) -> str:
    """One line without what a terminal, a header or a right-to-left override could make of it."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
