"""The envelope: a story event as a CloudEvent 1.0 in Kafka's binary mode.

The attributes stand in the record's headers with the prefix `ce_`, the data's media type in `content-type`, the data
in the value (CloudEvents 1.0.2, Kafka protocol binding §3.2). The record's key is the story's id, so that a story's
events stay in order.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tieup.ids import derive_id
from tieup.log.base import Headers, NewRecord
from tieup.log.topics import BY_NAME, EVENTS
from tieup.model.codec import encode
from tieup.model.story import StoryEvent

DEFAULT_SOURCE: Final = "/tieup/story"
SCHEMA_BASE: Final = "https://tieup.example/schemas/"
_ROOM: Final = 4_096


@dataclass(frozen=True, slots=True)
class EnvelopeSettings:
    """What the envelope says beside the event: where it comes from, where its schema is, which topic it goes to.

    A replay writes to a suffixed topic under another source.
    """

    source: str = DEFAULT_SOURCE
    dataschema: str = f"{SCHEMA_BASE}{EVENTS}.json"
    topic: str = EVENTS


DEFAULTS: Final = EnvelopeSettings()


def envelope(event: StoryEvent, timestamp: int, settings: EnvelopeSettings = DEFAULTS) -> NewRecord:
    """Return the record of an event; `timestamp` is that of the input record, in milliseconds.

    An event that would pass the topic's bound loses its oldest claims and articles; the counts tell how many there
    were.
    """
    fitted = _fit(event, BY_NAME[EVENTS].max_bytes - _ROOM)
    return NewRecord(
        topic=settings.topic,
        key=event.story_id.encode(),
        value=encode(fitted),
        timestamp=timestamp,
        headers=_headers(event, settings),
    )


def event_id(event: StoryEvent) -> str:
    """Return the event's id: the same story, revision and causing article version give the same id."""
    return derive_id("event", event.story_id, str(event.revision), event.cause.article_id, str(event.cause.version))


def traceparent(event: StoryEvent) -> str:
    """Return the W3C trace context: one trace per article version, one span per event, derived and never all zero."""
    trace = derive_id("trace", event.cause.article_id, str(event.cause.version))
    span = derive_id("span", event_id(event))[:16]
    return f"00-{trace}-{span}-01"


def _headers(event: StoryEvent, settings: EnvelopeSettings) -> Headers:
    attributes = (
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_id", event_id(event)),
        ("ce_source", settings.source),
        ("ce_type", f"tieup.{event.type}.v1"),
        ("ce_time", _rfc3339(event.occurred_at)),
        ("ce_subject", event.story_id),
        ("ce_dataschema", settings.dataschema),
        ("ce_traceparent", traceparent(event)),
        ("traceparent", traceparent(event)),
    )
    return tuple((name, value.encode()) for name, value in attributes)


def _fit(event: StoryEvent, bound: int) -> StoryEvent:
    while len(encode(event)) > bound and (event.claims or event.articles):
        claims, articles = len(event.claims) // 2, len(event.articles) // 2
        event = replace(
            event,
            claims=event.claims[len(event.claims) - claims :],
            articles=event.articles[len(event.articles) - articles :],
        )
    return event


def _rfc3339(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
