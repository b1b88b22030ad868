"""What the story worker keeps: restarts, bounds, sleep, and that nothing is told without a change."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.generated import sagas
from tests.unit.stories.making import (
    GAZETTEER,
    START,
    article,
    claim,
    compacted,
    events,
    feed,
    record,
    relation,
    take,
    types,
    worker,
    written,
)
from tests.unit.stories.worked_example import CONFIRMED, DENIAL, REPORT, REWRITE, SAGA, story_of

from tieup.errors import BadRecord, StateVersionError
from tieup.events.validate import SchemaValidator
from tieup.log.base import Change, Output, Record
from tieup.log.topics import ASSIGNMENTS, CORRECTIONS, EVENTS, RELATIONS, STORIES
from tieup.model.labels import Stage
from tieup.model.relation import ArticleRelations
from tieup.stories.worker import StoryWorker, story_spec


def test_what_is_no_record_of_an_article_is_a_bad_record() -> None:
    for value in (b"{", b"{}", None):
        with pytest.raises(BadRecord, match="relations"):
            worker().process(Record(RELATIONS, 0, 7, b"a", value, 0))
    with pytest.raises(BadRecord, match="other"):
        worker().process(Record("other", 0, 7, b"a", b"{}", 0))


@pytest.mark.parametrize("value", [b'{"state_version":99}', b"{}", b"{", b'{"state_version":1}'])
def test_state_of_another_version_is_refused(value: bytes) -> None:
    with pytest.raises(StateVersionError, match="abc"):
        worker().apply(Change(STORIES, b"abc", value))


def test_tombstones_forget() -> None:
    one = worker()
    feed(one, REPORT)
    one.apply(Change(STORIES, story_of(one, REPORT).encode(), None))
    one.apply(Change(ASSIGNMENTS, REPORT.article_id.encode(), None))
    assert not one.memory.stories
    assert not one.memory.assignments
    assert len(one.memory.duplicates) == 0
    assert types(feed(one, REPORT)) == ["opened"]


def test_process_changes_nothing_by_itself() -> None:
    one = worker()
    feed(one, REPORT)
    assert one.process(record(DENIAL)) == one.process(record(DENIAL))


def test_the_spec() -> None:
    spec = story_spec(GAZETTEER)
    assert (spec.streams, spec.out) == ((RELATIONS, CORRECTIONS), (EVENTS,))
    assert spec.state == (STORIES, ASSIGNMENTS)
    assert isinstance(spec.build(0), StoryWorker)


def test_all_that_is_written_is_valid() -> None:
    validator = SchemaValidator()
    one = worker()
    for found in (*SAGA, replace(REPORT, version=2, relations=())):
        for topic, _, value in written([take(one, record(found))]):
            validator.check(topic, value)


def test_a_story_and_its_events_stay_bounded() -> None:
    one = worker()
    validator = SchemaValidator()
    words = "Wörter 漢字 " * 60
    for at in range(230):
        spoken = (claim(f"insider {at} " + "x" * 300, quote=words), claim("Ford", quote=words))
        found = article(
            f"{at}",
            relation("Ford", "Xiaomi", claims=spoken, origin=f"Medium {at}"),
            day=at / 100,
            title=words,
            url="https://a.example/" + "u" * 3_000,
        )
        output = take(one, record(found))
    for topic, _, value in written([output]):
        validator.check(topic, value)
    story = one.memory.stories[story_of(one, found)]
    assert story.article_count == 230
    assert len(story.articles) <= 200
    assert len(story.claims) <= 200


def test_a_restart_before_any_record_gives_the_same_bytes() -> None:
    straight = worker()
    expected = [take(straight, record(found)) for found in SAGA]
    for cut in range(len(SAGA)):
        assert written(restarted(SAGA, {cut})) == written(expected)


def restarted(saga: tuple[ArticleRelations, ...], cuts: set[int]) -> list[Output]:
    """The outputs of a worker that is rebuilt from its compacted state before each record of `cuts`."""
    one, outputs = worker(), []
    for at, found in enumerate(saga):
        if at in cuts:
            one = worker()
            for (topic, key), value in compacted(outputs).items():
                one.apply(Change(topic, key, value))
        outputs.append(take(one, record(found, at)))
    return outputs


@settings(max_examples=60, deadline=None)
@given(sagas, st.sets(st.integers(0, 8), max_size=3))
def test_restarts_anywhere_give_the_same_bytes(saga: list[ArticleRelations], cuts: set[int]) -> None:
    assert written(restarted(tuple(saga), set())) == written(restarted(tuple(saga), cuts))


@settings(max_examples=60, deadline=None)
@given(sagas)
def test_one_event_per_story_and_article_and_none_without_a_change(saga: list[ArticleRelations]) -> None:
    one = worker()
    revisions: dict[str, int] = {}
    for found in saga:
        told = events(take(one, record(found)))
        assert len({event["story_id"] for event in told}) == len(told)
        for event in told:
            assert event["changes"]
            assert all(change["old"] != change["new"] for change in event["changes"])
            assert event["revision"] == revisions.get(event["story_id"], 0) + 1
            revisions[event["story_id"]] = event["revision"]
    assert {story.id: story.revision for story in one.memory.stories.values()} == revisions


def test_two_workers_write_the_same_bytes() -> None:
    assert written([take(worker(), record(REPORT))]) == written([take(worker(), record(REPORT))])
    assert orjson.loads(take(worker(), record(REPORT)).records[0].value or b"")["data_version"] == "1"


def test_an_article_dated_in_the_future_puts_nothing_to_sleep() -> None:
    one = worker()
    feed(one, REPORT)
    future = article("future", relation("Renault", "Nissan"), day=4_000, observed_at=START + timedelta(days=1))
    feed(one, future)
    assert one.memory.stories.asleep <= 1
    assert one.memory.stream_time == START + timedelta(days=1)
    feed(one, REWRITE, DENIAL)
    assert one.memory.stories[story_of(one, REPORT)].article_count == 3
    assert one.memory.stories.asleep == 0


def test_a_story_asleep_is_woken_by_an_article_that_fits() -> None:
    one = worker()
    feed(one, article("agreed", relation("Ford", "Xiaomi", stage=Stage.AGREED, **CONFIRMED)))
    feed(one, article("other", relation("Renault", "Nissan"), day=200))
    assert one.memory.stories.asleep == 1
    woken = article("active", relation("Ford", "Xiaomi", stage=Stage.ACTIVE, **CONFIRMED), day=201)
    assert types(feed(one, woken)) == ["stage_changed"]
    assert one.memory.stories.asleep == 0
