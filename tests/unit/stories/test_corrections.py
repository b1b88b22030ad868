from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.stories.making import (
    START,
    article,
    compacted,
    corrected,
    correction,
    denies,
    events,
    feed,
    fields,
    record,
    relation,
    take,
    types,
    worker,
    written,
)

from tieup.errors import BadRecord
from tieup.events.validate import SchemaValidator
from tieup.log.base import Change, Output
from tieup.model.labels import Basis, Factuality, Kind, Stage
from tieup.model.story import Action, Correction
from tieup.stories.corrections import split_id
from tieup.stories.worker import StoryWorker

CONFIRMED = {"factuality": Factuality.CONFIRMED, "basis": Basis.PARTY, "stage": Stage.AGREED}
DENIED = {"factuality": Factuality.DENIED, "basis": Basis.PARTY}

REPORT = article("report", relation("Ford", "Xiaomi", origin="Reuters"))
AGAIN = article("again", relation("Ford", "Xiaomi", origin="Caixin"), day=1)
DENIAL = article("denial", relation("Ford", "Xiaomi", claims=(denies("Ford"),), **DENIED), day=2)
CELLS = article("cells", relation("Ford", "Xiaomi", kind=Kind.SUPPLY, **CONFIRMED), day=3)


def told() -> tuple[StoryWorker, str, str]:
    one = worker()
    feed(one, REPORT, AGAIN, DENIAL, CELLS)
    return one, story_of(one, REPORT.article_id), story_of(one, CELLS.article_id)


def story_of(one: StoryWorker, article_id: str) -> str:
    return next(filter(None, one.memory.assignments[article_id].story_ids))


def test_a_retraction_takes_back_what_articles_say() -> None:
    one, story_id, _ = told()
    (event,) = events(corrected(one, correction(story_id, Action.RETRACT, DENIAL)))
    assert (event["type"], event["factuality"], event["contested"]) == ("story.corrected", "reported", False)
    assert event["correction_id"] is not None
    assert event["cause"]["article_id"] == DENIAL.article_id
    story = one.memory.stories[story_id]
    assert (story.article_count, story.retracted) == (2, (DENIAL.article_id,))


def test_a_retracted_article_does_not_come_back_with_its_next_version() -> None:
    one, story_id, _ = told()
    corrected(one, correction(story_id, Action.RETRACT, DENIAL))
    assert feed(one, replace(DENIAL, version=2)) == []
    assert one.memory.stories[story_id].factuality is Factuality.REPORTED


def test_retracting_every_article_withdraws_the_story() -> None:
    one, story_id, _ = told()
    (event,) = events(corrected(one, correction(story_id, Action.RETRACT, REPORT, AGAIN, DENIAL)))
    assert event["type"] == "story.corrected"
    assert "support" in fields(event)
    assert one.memory.stories[story_id].withdrawn


def test_retracting_a_rewrite_is_no_event() -> None:
    one = worker()
    rewrite = article("rewrite", relation("Ford", "Xiaomi"), day=1)
    feed(one, REPORT, rewrite)
    story_id = story_of(one, REPORT.article_id)
    assert events(corrected(one, correction(story_id, Action.RETRACT, rewrite))) == []
    assert (one.memory.stories[story_id].article_count, one.memory.stories[story_id].rewrites) == (1, 0)


def test_a_split_opens_a_story_of_its_own() -> None:
    one, story_id, _ = told()
    split = correction(story_id, Action.SPLIT, DENIAL)
    first, second = events(corrected(one, split))
    assert (first["type"], first["story_id"], first["factuality"]) == ("story.corrected", story_id, "reported")
    assert (second["type"], second["story_id"], second["revision"]) == ("story.denied", split_id(split), 1)
    assert story_of(one, DENIAL.article_id) == split_id(split)
    assert one.memory.stories[story_id].article_count == 2


def test_what_is_split_off_with_two_origins_has_been_corroborated() -> None:
    one, story_id, _ = told()
    third = article("third", relation("Ford", "Xiaomi", origin="Bloomberg"), day=3)
    feed(one, third)
    split = correction(story_id, Action.SPLIT, AGAIN, third)
    corrected(one, split)
    copy = article("copy", relation("Ford", "Xiaomi"), day=4, signature=third.signature)
    assert feed(one, copy) == []
    assert story_of(one, copy.article_id) == split_id(split)


def test_an_edit_of_an_article_that_was_split_off_stays_where_it_is() -> None:
    one, story_id, _ = told()
    split = correction(story_id, Action.SPLIT, DENIAL)
    corrected(one, split)
    feed(one, replace(DENIAL, version=2))
    assert story_of(one, DENIAL.article_id) == split_id(split)
    assert one.memory.stories[split_id(split)].articles[0].version == 2


def test_a_merge_leaves_a_tombstone_that_leads_on() -> None:
    one, story_id, cells = told()
    gone, grown = events(corrected(one, correction(cells, Action.MERGE, into=story_id)))
    assert (gone["type"], gone["story_id"], gone["merged_into"]) == ("story.merged", cells, story_id)
    assert gone["headline"]["en"].startswith("Merged into another story: ")
    assert (grown["type"], grown["factuality"], grown["stage"]) == ("story.corrected", "confirmed", "agreed")
    assert one.memory.stories[cells].merged_into == story_id
    assert one.memory.leads_to(cells) == story_id
    assert one.memory.stories[story_id].article_count == 4


def test_what_fits_a_merged_story_goes_where_it_leads() -> None:
    one, story_id, cells = told()
    corrected(one, correction(cells, Action.MERGE, into=story_id))
    more = article("more", relation("Ford", "Xiaomi", kind=Kind.SUPPLY, **CONFIRMED), day=4)
    feed(one, more)
    assert story_of(one, more.article_id) == story_id
    feed(one, replace(CELLS, version=2))
    assert one.memory.stories[cells].articles == ()
    assert one.memory.stories[story_id].article_count == 5


@pytest.mark.parametrize("early", [True, False])
def test_a_correction_that_comes_first_waits_for_what_it_names(early: bool) -> None:
    one, story_id, _ = told()
    split = correction(story_id, Action.SPLIT, DENIAL)
    corrected(one, split)
    other = worker()
    outputs = [corrected(other, split)]
    assert events(outputs[0]) == []
    for found in (REPORT, AGAIN, DENIAL):
        if early:
            other = restored(outputs)
        outputs.append(take(other, record(found)))
    assert types(events(outputs[-1])) == ["denied", "corrected", "denied"]
    assert other.memory.waiting == ()
    assert restored(outputs).memory.waiting == ()
    feed(other, CELLS)
    assert labels(other) == labels(one)


def restored(outputs: list[Output]) -> StoryWorker:
    one = worker()
    for (topic, key), value in compacted(outputs).items():
        one.apply(Change(topic, key, value))
    return one


def labels(one: StoryWorker) -> list[tuple[object, ...]]:
    return sorted((s.id, s.kind, s.stage, s.factuality, s.article_count) for s in one.memory.stories.values())


def test_a_restart_around_corrections_gives_the_same_bytes() -> None:
    straight = worker()
    outputs = [take(straight, record(found)) for found in (REPORT, AGAIN, DENIAL, CELLS)]
    story_id, cells = story_of(straight, REPORT.article_id), story_of(straight, CELLS.article_id)
    hands = [
        correction(story_id, Action.SPLIT, DENIAL),
        correction(story_id, Action.RETRACT, AGAIN),
        correction(cells, Action.MERGE, into=story_id),
    ]
    copy = article("copy", CELLS.relations[0], day=5, text=" ".join(f"word{at}" for at in range(90)))
    steps = [lambda one, hand=hand: corrected(one, hand) for hand in hands]
    steps += [lambda one, found=found: take(one, record(found)) for found in (copy, replace(DENIAL, version=2))]
    for step in steps:
        again = restored(outputs)
        outputs.append(step(straight))
        assert written([step(again)]) == written(outputs[-1:])
    validator = SchemaValidator()
    for topic, _, value in written(outputs):
        if value is not None:
            validator.check(topic, value)


def test_a_correction_that_can_never_be_carried_out_is_refused() -> None:
    one, story_id, _ = told()
    for bad in (
        correction(story_id, Action.MERGE),
        correction(story_id, Action.MERGE, into=story_id),
        correction(story_id, Action.SPLIT),
        correction(story_id, Action.RETRACT),
    ):
        with pytest.raises(BadRecord, match="needs"):
            corrected(one, bad)


def test_a_split_that_would_leave_nothing_and_a_second_merge_wait() -> None:
    one, story_id, cells = told()
    corrected(one, correction(story_id, Action.SPLIT, REPORT, AGAIN, DENIAL))
    corrected(one, correction(cells, Action.MERGE, into=story_id))
    corrected(one, replace(correction(cells, Action.MERGE, into=story_id), id="f" * 32))
    assert len(one.memory.waiting) == 2


def test_waiting_corrections_are_bounded() -> None:
    one = worker()
    for at in range(1_000):
        corrected(one, named(at))
    with pytest.raises(BadRecord, match="wait already"):
        corrected(one, named(1_000))


def named(at: int) -> Correction:
    there = correction("e" * 32, Action.MERGE, into="f" * 32)
    return replace(there, id=f"{at:032x}", at=START + timedelta(seconds=at))
