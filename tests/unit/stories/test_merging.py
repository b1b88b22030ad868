"""Two stories that an article proves to be one deal become one, and two that were told apart never do."""

from dataclasses import replace

import pytest
from tests.unit.stories.making import (
    article,
    compacted,
    corrected,
    correction,
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
from tests.unit.stories.worked_example import CONFIRMED, story_of

from tieup.events.validate import SchemaValidator
from tieup.log.base import Change
from tieup.model.labels import Kind, Stage
from tieup.model.relation import ArticleRelations
from tieup.model.story import Action
from tieup.stories.merging import absorbed

FIRST = article("first", relation("Ford", "Xiaomi", origin="Reuters"))
SECOND = article("second", relation("Ford", "Xiaomi", origin="Caixin"), day=400)
BRIDGE = article("bridge", relation("Ford", "Xiaomi", kind=Kind.JOINT_DEVELOPMENT), day=200)


@pytest.mark.parametrize("name", ["first", "then", "before", "once"])
def test_a_late_article_between_two_stories_puts_the_younger_into_the_elder(name: str) -> None:
    one = worker()
    first = article(name, *FIRST.relations)
    assert types(feed(one, first, SECOND)) == ["opened", "opened"]
    elder, younger = story_of(one, first), story_of(one, SECOND)
    told = feed(one, replace(BRIDGE, relations=FIRST.relations))
    assert (told[0]["type"], told[0]["story_id"], told[0]["revision"]) == ("story.merged", younger, 2)
    assert told[0]["merged_into"] == elder
    assert one.memory.leads_to(younger) == elder
    story = one.memory.stories[elder]
    assert (story.article_count, story.origins) == (3, ("Reuters", "Caixin"))
    assert {spoken.article_id for spoken in story.claims} == {first.article_id, BRIDGE.article_id, SECOND.article_id}
    assert one.memory.stories[younger].articles == ()
    assert types(told[1:]) == ["corroborated"]
    assert fields(told[1]) == {"origins"}


def test_an_article_that_names_all_four_makes_one_of_two_pairs() -> None:
    one = worker()
    pairs = (article("a", relation("Ford", "Xiaomi")), article("b", relation("BYD", "CATL"), day=1))
    feed(one, *pairs)
    four = article("four", relation("Ford", "Xiaomi", "BYD", "CATL"), day=2)
    assert types(feed(one, four)) == ["merged", "updated"]
    assert len({one.memory.leads_to(story_of(one, found)) for found in (*pairs, four)}) == 1
    three = article("three", relation("Renault", "Nissan", "Bosch"), day=3)
    feed(one, article("c", relation("Renault", "Nissan"), day=2), article("d", relation("Nissan", "Bosch"), day=2))
    assert types(feed(one, three)) == ["updated"]


def test_pairs_of_another_kind_or_time_stay_pairs() -> None:
    for other, day in ((Kind.SUPPLY, 1), (Kind.JOINT_VENTURE, -40)):
        one = worker()
        feed(one, article("a", relation("Ford", "Xiaomi")), article("b", relation("BYD", "CATL", kind=other), day=day))
        assert "merged" not in types(feed(one, article("four", relation("Ford", "Xiaomi", "BYD", "CATL"), day=2)))


def test_what_one_article_tells_apart_is_never_merged() -> None:
    one = worker()
    both = article("both", relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", stage=Stage.AGREED, **CONFIRMED))
    apart = article(
        "apart", relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.EQUITY_STAKE, **CONFIRMED), day=1
    )
    feed(one, both, apart)
    again = article("again", relation("Ford", "Xiaomi", kind=Kind.ALLIANCE, **CONFIRMED), day=2)
    assert "merged" not in types(feed(one, again))


def test_what_an_operator_split_is_not_merged_again() -> None:
    one = worker()
    feed(one, FIRST, replace(BRIDGE, relations=FIRST.relations), SECOND)
    story_id = story_of(one, FIRST)
    corrected(one, correction(story_id, Action.SPLIT, SECOND))
    assert story_of(one, SECOND) != story_id
    more = article("more", relation("Ford", "Xiaomi"), day=300)
    assert "merged" not in types(feed(one, more))


def test_a_merge_by_an_article_survives_a_restart_and_is_valid() -> None:
    saga = (FIRST, SECOND, replace(BRIDGE, relations=FIRST.relations), replace(SECOND, version=2), last())
    one, outputs = worker(), []
    validator = SchemaValidator()
    for found in saga:
        again = worker()
        for (topic, key), value in compacted(outputs).items():
            again.apply(Change(topic, key, value))
        outputs.append(take(one, record(found)))
        assert written([take(again, record(found))]) == written(outputs[-1:])
        for topic, _, value in written(outputs[-1:]):
            validator.check(topic, value)
    assert types(event for output in outputs for event in events(output)).count("merged") == 1
    assert story_of(one, SECOND) == story_of(one, FIRST) == story_of(one, last())


def last() -> ArticleRelations:
    return article("last", relation("Ford", "Xiaomi"), day=399)


def test_talks_told_late_are_those_before_the_contract() -> None:
    contract = article("contract", relation("Ford", "Xiaomi", stage=Stage.AGREED, **CONFIRMED), day=500)
    one = worker()
    feed(one, contract, article("talks", relation("Ford", "Xiaomi")))
    assert len(one.memory.stories) == 1
    other = worker()
    feed(other, replace(contract, event_time=FIRST.event_time, published=FIRST.event_time))
    feed(other, article("talks", relation("Ford", "Xiaomi", kind=Kind.JOINT_DEVELOPMENT), day=500))
    assert len(other.memory.stories) == 2


def test_what_both_stories_hold_counts_once_and_what_was_retracted_from_either_stays_so() -> None:
    one = worker()
    both = article("both", relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.SUPPLY), day=1)
    more = article("more", relation("Ford", "Xiaomi", kind=Kind.SUPPLY), day=2)
    feed(one, FIRST, both, more)
    into_id, gone_id = story_of(one, FIRST), story_of(one, more)
    corrected(one, correction(gone_id, Action.RETRACT, more))
    grown = absorbed(one.memory.stories[into_id], one.memory.stories[gone_id])
    assert (grown.article_count, len(grown.articles)) == (2, 2)
    assert grown.retracted == (more.article_id,)


def test_a_rewrite_that_is_in_both_counts_once() -> None:
    one = worker()
    pair = (relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.SUPPLY))
    rewrite = article("rewrite", *pair, day=1)
    feed(one, article("report", *pair), rewrite)
    into, gone = one.memory.stories.values()
    assert (into.rewrites, gone.rewrites) == (1, 1)
    grown = absorbed(into, gone)
    assert (grown.article_count, grown.rewrites) == (2, 1)
    assert grown.claims == into.claims
