import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tieup.events.envelope import EnvelopeSettings, envelope, event_id, traceparent
from tieup.events.validate import SchemaValidator, load_schema
from tieup.ids import derive_id
from tieup.log.topics import EVENTS
from tieup.model.labels import (
    Basis,
    EventType,
    Factuality,
    Kind,
    PartyStance,
    SpeakerType,
    Stage,
    Stance,
    Target,
)
from tieup.model.story import (
    Cause,
    EventChange,
    EventParty,
    Headline,
    PartyPosition,
    StoryClaim,
    StoryEvent,
)

AT = datetime(2026, 2, 1, 11, 30, tzinfo=UTC)
STORY = derive_id("story")


def event(**given: Any) -> StoryEvent:
    values: dict[str, Any] = {
        "story_id": STORY,
        "revision": 2,
        "type": EventType.DENIED,
        "headline": Headline("Ford and Xiaomi deny talks", "Ford und Xiaomi dementieren"),
        "parties": (EventParty("Ford", "ford", country="US"), EventParty("Xiaomi", "xiaomi")),
        "kind": Kind.JOINT_VENTURE,
        "stage": Stage.TALKS,
        "factuality": Factuality.DENIED,
        "basis": Basis.PARTY,
        "contested": True,
        "stance_by_party": (PartyPosition("ford", PartyStance.DENIES), PartyPosition("xiaomi", PartyStance.DENIES)),
        "changes": (EventChange("factuality", "reported", "denied"),),
        "cause": Cause(derive_id("article"), 1, title="Ford denies"),
        "occurred_at": AT,
        "observed_at": AT,
        "origins": ("Financial Times",),
    } | given
    return StoryEvent(**values)


def headers(one: StoryEvent) -> dict[str, str]:
    return {name: value.decode("utf-8") for name, value in envelope(one, 7).headers}


def test_the_binary_mode_of_the_kafka_binding() -> None:
    new = envelope(event(), 7)
    assert (new.topic, new.key, new.timestamp) == (EVENTS, STORY.encode(), 7)
    assert headers(event()) == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": event_id(event()),
        "ce_source": "/tieup/story",
        "ce_type": "tieup.story.denied.v1",
        "ce_time": "2026-02-01T11:30:00Z",
        "ce_subject": STORY,
        "ce_dataschema": "https://tieup.example/schemas/tieup.events.v1.json",
        "ce_traceparent": traceparent(event()),
        "traceparent": traceparent(event()),
    }
    assert orjson.loads(new.value or b"")["headline"]["en"] == "Ford and Xiaomi deny talks"


def test_the_schema_named_is_the_one_that_the_value_keeps_to() -> None:
    assert headers(event())["ce_dataschema"] == load_schema(EVENTS)["$id"]
    SchemaValidator().check(EVENTS, envelope(event(), 0).value)


def test_the_attributes_are_as_cloudevents_wants_them() -> None:
    found = headers(event())
    assert all(re.fullmatch(r"ce_[a-z0-9]+|content-type|traceparent", name) for name in found)
    assert urlsplit(found["ce_dataschema"]).scheme
    assert datetime.fromisoformat(found["ce_time"]) == AT
    assert all(found.values())


@pytest.mark.parametrize(
    "other",
    [
        event(revision=3),
        event(story_id=derive_id("other")),
        event(cause=Cause(derive_id("other"), 1)),
        event(cause=Cause(derive_id("article"), 2)),
    ],
)
def test_the_id_follows_from_story_revision_and_cause(other: StoryEvent) -> None:
    assert event_id(other) != event_id(event())
    assert event_id(event(headline=Headline("", ""))) == event_id(event())


def test_the_trace_context_is_well_formed_and_one_article_is_one_trace() -> None:
    parent = traceparent(event())
    assert re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]", parent)
    other = traceparent(event(story_id=derive_id("other")))
    assert other != parent
    assert other.split("-")[1] == parent.split("-")[1]


def test_a_replay_has_its_own_source_and_topic() -> None:
    settings = EnvelopeSettings(source="/tieup/replay", topic="tieup.events.v1-replay")
    new = envelope(event(), 7, settings)
    assert new.topic == "tieup.events.v1-replay"
    assert dict(new.headers)["ce_source"] == b"/tieup/replay"


def test_an_event_too_large_loses_its_oldest_claims_and_keeps_the_counts() -> None:
    def claim(at: int) -> StoryClaim:
        url = f"https://a.example/{at}/" + "u" * 3_900
        return StoryClaim(
            "x", SpeakerType.MEDIUM, Stance.ASSERTS, Target.TALKS, "字" * 290, AT, derive_id(str(at)), at, url=url
        )

    large = event(claims=tuple(map(claim, range(50))), claim_count=50)
    value = envelope(large, 7).value or b""
    SchemaValidator().check(EVENTS, value)
    kept = orjson.loads(value)
    assert 0 < len(kept["claims"]) < 50
    assert kept["claims"][-1]["start"] == 49
    assert kept["claim_count"] == 50
