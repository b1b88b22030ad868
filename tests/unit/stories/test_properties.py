"""What holds for any input: batches, orders, and every move of the state that the table allows."""

import random
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.confusable_streams import records as stream_records
from tests.unit.stories.confusable_streams import streams
from tests.unit.stories.generated import deals, sagas
from tests.unit.stories.labelled import records
from tests.unit.stories.making import START, feed, record, take, worker

from tieup.companies.gazetteer import load_gazetteer
from tieup.evaluation.measures import bcubed_f1
from tieup.events.validate import SchemaValidator
from tieup.log.base import NewRecord, Record
from tieup.log.step import Stepper
from tieup.log.topics import ASSIGNMENTS
from tieup.model.codec import decode
from tieup.model.labels import Basis, Factuality, PartyStance, Stage
from tieup.model.relation import ArticleRelations
from tieup.model.story import Assignment, Story
from tieup.stories.memory import Memory
from tieup.stories.precedence import RULES, Head, Word, move
from tieup.stories.telling import labels_of
from tieup.stories.worker import StoryWorker

VALIDATOR = SchemaValidator()


def taken(saga: list[ArticleRelations], splits: list[int]) -> list[NewRecord]:
    """All that comes of the saga when it is taken in batches that end there."""
    stepper = Stepper("story", 0, worker(), VALIDATOR, frozenset())
    given_records = [record(found, at) for at, found in enumerate(saga)]
    ends = [0, *sorted(min(split, len(saga)) for split in splits), len(saga)]
    batches = [given_records[start:end] for start, end in pairwise(ends)]
    return [new for batch in batches for new in stepper.run(batch, None, lambda: False).records]


@settings(max_examples=40, deadline=None)
@given(sagas, st.lists(st.integers(0, 8), max_size=4))
def test_any_batches_give_the_same_bytes(saga: list[ArticleRelations], splits: list[int]) -> None:
    assert taken(saga, splits) == taken(saga, [])


@settings(max_examples=60, deadline=None)
@given(deals, st.randoms(use_true_random=False))
def test_the_articles_of_one_deal_give_the_same_labels_in_any_order(
    told: list[ArticleRelations], order: random.Random
) -> None:
    shuffled = told.copy()
    order.shuffle(shuffled)
    one, other = worker(), worker()
    feed(one, *told)
    feed(other, *shuffled)
    (first,), (second,) = one.memory.stories.values(), other.memory.stories.values()
    assert labels_of(first) == labels_of(second)
    assert first.sources == second.sources
    assert [replace(each, rewrite=False) for each in first.articles] == [
        replace(each, rewrite=False) for each in second.articles
    ]


@settings(max_examples=40, deadline=None)
@given(sagas)
def test_every_change_of_a_label_is_told_and_nothing_else_is(saga: list[ArticleRelations]) -> None:
    one = worker()
    for found in saga:
        before = dict(one.memory.stories)
        told = {event["story_id"] for event in feed(one, found)}
        for story_id, story in one.memory.stories.items():
            if story_id not in told and story_id in before:
                assert shown(story) == shown(before[story_id])
        assert told >= one.memory.stories.keys() - before.keys()


def shown(story: Story) -> tuple[object, ...]:
    """What a subscriber is told of when it changes."""
    denying = {one.party for one in story.stance_by_party if one.stance is PartyStance.DENIES}
    parties = {party.key for party in story.parties}
    figures = (story.figures, story.milestones, story.binding, story.ended_as)
    return (parties, story.kind, story.stage, story.factuality, *figures, denying, story.withdrawn, story.merged_into)


def clusters(order: list[Record], one: StoryWorker) -> dict[tuple[str, int], object]:
    """The story of each relation when the records come in this order, merges followed."""
    one.memory = Memory()
    found: dict[tuple[str, int], str | None] = {}
    for given_record in order:
        for change in take(one, given_record).changes:
            if change.topic == ASSIGNMENTS and change.value is not None:
                told = decode(Assignment, change.value, "an assignment")
                found |= {(told.article_id, at): story_id for at, story_id in enumerate(told.story_ids)}
    return {place: one.memory.leads_to(story_id) if story_id else place for place, story_id in sorted(found.items())}


def test_shuffled_input_gives_much_the_same_stories() -> None:
    gazetteer = load_gazetteer()
    one = StoryWorker(gazetteer)
    given_sets = [[found for _, found in records(gazetteer)]]
    given_sets += [stream_records(stream) for half in ("read", "scored") for stream in streams(half, gazetteer)]
    straight: list[object] = []
    other: list[object] = []
    for at, in_time in enumerate(given_sets):
        shuffled = in_time.copy()
        random.Random(at).shuffle(shuffled)
        first, second = clusters(in_time, one), clusters(shuffled, one)
        assert first.keys() == second.keys()
        straight += [(at, cluster) for cluster in first.values()]
        other += [(at, cluster) for cluster in second.values()]
    agreement = bcubed_f1(straight, other)
    assert agreement is not None
    assert agreement >= 0.98


def moves() -> dict[tuple[Stage, Factuality], set[tuple[Stage, Factuality]]]:
    """Every move that any state can make by any word, soon after or long after it was set."""
    found: dict[tuple[Stage, Factuality], set[tuple[Stage, Factuality]]] = {}
    bases = {
        Factuality.CONFIRMED: (Basis.NARRATION, Basis.PARTY, Basis.AUTHORITY, Basis.DOCUMENT),
        Factuality.REPORTED: (Basis.ANONYMOUS, Basis.MEDIUM),
        Factuality.DENIED: (Basis.PARTY,),
    }
    states = [(stage, factuality, basis) for stage in Stage for factuality, some in bases.items() for basis in some]
    for (stage, factuality, basis), said, standing, days, denied_end in product(
        states, states, ((), ("ford",), ("xiaomi",)), (1, 30), (False, True)
    ):
        head = Head(stage, factuality, basis, START, standing)
        deniers = ("ford",) if said[1] is Factuality.DENIED else ()
        word = Word(*said, START + timedelta(days=days), deniers=deniers, denies_end=denied_end)
        after = move(head, word)
        if (after.stage, after.factuality) != (stage, factuality):
            found.setdefault((stage, factuality), set()).add((after.stage, after.factuality))
    return found


def test_the_state_makes_the_moves_of_the_table_and_no_other() -> None:
    told = {f"{stage} {sure}": sorted(f"{s} {f}" for s, f in to) for (stage, sure), to in moves().items()}
    assert told == MOVES


MOVES: dict[str, list[str]] = {
    "talks confirmed": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed reported",
        "ended confirmed",
        "ended reported",
        "talks denied",
    ],
    "talks reported": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed reported",
        "ended confirmed",
        "ended reported",
        "talks confirmed",
        "talks denied",
    ],
    "talks denied": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed reported",
        "ended confirmed",
        "ended reported",
        "talks confirmed",
    ],
    "agreed confirmed": [
        "active confirmed",
        "active reported",
        "agreed denied",
        "ended confirmed",
        "ended reported",
        "talks denied",
    ],
    "agreed reported": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed denied",
        "ended confirmed",
        "ended reported",
        "talks confirmed",
        "talks denied",
    ],
    "agreed denied": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "ended confirmed",
        "ended reported",
        "talks confirmed",
        "talks denied",
    ],
    "active confirmed": [
        "active denied",
        "agreed denied",
        "ended confirmed",
        "ended reported",
        "talks denied",
    ],
    "active reported": [
        "active confirmed",
        "active denied",
        "agreed confirmed",
        "agreed denied",
        "ended confirmed",
        "ended reported",
        "talks confirmed",
        "talks denied",
    ],
    "active denied": [
        "active confirmed",
        "agreed confirmed",
        "agreed denied",
        "ended confirmed",
        "ended reported",
        "talks confirmed",
        "talks denied",
    ],
    "ended confirmed": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed reported",
        "talks confirmed",
        "talks reported",
    ],
    "ended reported": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed reported",
        "ended confirmed",
        "talks confirmed",
        "talks reported",
    ],
    "ended denied": [
        "active confirmed",
        "active reported",
        "agreed confirmed",
        "agreed reported",
        "ended confirmed",
        "talks confirmed",
        "talks reported",
    ],
}


def test_the_table_in_the_docs_is_the_table_of_the_code() -> None:
    text = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text("utf-8")
    rows = [line.split(" | ")[1] for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert rows == [rule.name for rule in RULES]
    assert all(f"| {state} | {', '.join(to)} |" in text for state, to in MOVES.items())
