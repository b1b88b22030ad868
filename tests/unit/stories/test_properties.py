"""What holds for any input: batches, orders, and every move of the state that the table allows."""

import random
import re
from datetime import timedelta
from itertools import pairwise, product
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.labelled import records
from tests.unit.stories.making import START, article, claim, denies, record, relation, take, worker

from tieup.companies.gazetteer import load_gazetteer
from tieup.evaluation.measures import bcubed_f1
from tieup.events.validate import SchemaValidator
from tieup.log.base import NewRecord, Record
from tieup.log.step import Stepper
from tieup.model.labels import Basis, Factuality, Kind, Stage
from tieup.stories.precedence import RULES, Head, Word, move
from tieup.stories.worker import StoryWorker

CONFIRMED = {"factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}
SAGA = [
    article("one", relation("Ford", "Xiaomi", origin="Reuters", claims=(claim("anonymous"),))),
    article("two", relation("Ford", "Xiaomi", kind=Kind.ALLIANCE), relation("Ford", "BYD"), day=1),
    article("three", relation("Ford", "Xiaomi", claims=(denies("Ford"),), factuality=Factuality.DENIED), day=2),
    article("four", relation("Xiaomi", "Ford", stage=Stage.AGREED, **CONFIRMED), day=9),
    article("five", relation("Audi", "FAW", stage=Stage.ACTIVE, **CONFIRMED), day=10),
    article("six", relation("Ford", "Xiaomi", stage=Stage.ENDED, **CONFIRMED), day=200),
    article("seven", relation("Ford", "BYD", origin="Caixin"), day=201),
]
VALIDATOR = SchemaValidator()


def written(splits: list[int]) -> list[NewRecord]:
    """All that comes of the saga when it is taken in batches that end there."""
    stepper = Stepper("story", 0, worker(), VALIDATOR, frozenset())
    given_records = [record(found, at) for at, found in enumerate(SAGA)]
    ends = [0, *sorted(splits), len(SAGA)]
    batches = [given_records[start:end] for start, end in pairwise(ends)]
    return [new for batch in batches for new in stepper.run(batch, None, lambda: False).records]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(SAGA)), max_size=4))
def test_any_batches_give_the_same_bytes(splits: list[int]) -> None:
    assert written(splits) == written([])


def clusters(order: list[Record]) -> dict[tuple[str, int], object]:
    one = StoryWorker(load_gazetteer())
    for given_record in order:
        take(one, given_record)
    found = one.memory.assignments
    return {
        (article_id, at): one.memory.leads_to(story_id) if story_id else (article_id, at)
        for article_id in sorted(found)
        for at, story_id in enumerate(found[article_id].story_ids)
    }


def test_shuffled_input_gives_much_the_same_stories() -> None:
    in_time = [found for _, found in records(load_gazetteer())]
    shuffled = in_time.copy()
    random.Random(1).shuffle(shuffled)
    one, other = clusters(in_time), clusters(shuffled)
    assert one.keys() == other.keys()
    agreement = bcubed_f1(list(one.values()), list(other.values()))
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
