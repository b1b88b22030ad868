"""What probabilities are worth: of each judgement, and of a relation as a whole."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.confidence import (
    ALL,
    JUDGEMENTS,
    Confidences,
    load_confidences,
    look_up,
    product,
    rate,
    rated,
    sure_features,
)
from tieup.claims.logit import Logit
from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage
from tieup.model.relation import JudgementConfidences, Party, Relation

SAID = JudgementConfidences(0.9, 0.8, 0.5, 1.0)
RELATION = Relation(
    parties=(Party("Ford", "ford"), Party("Xiaomi", "xiaomi")),
    kind=Kind.ALLIANCE,
    stage=Stage.TALKS,
    factuality=Factuality.REPORTED,
    basis=Basis.MEDIUM,
    focus=Focus.NEWS,
    confidence=product(SAID),
    confidences=SAID,
)
HALF = dict.fromkeys((ALL, *JUDGEMENTS), ((0.0, 0.25), (0.5, 0.75)))


def test_independent_judgements_are_all_right_by_their_product() -> None:
    assert product(SAID) == 0.36


def test_a_probability_is_worth_the_highest_step_that_it_reaches() -> None:
    table = ((0.2, 0.4), (0.5, 0.7), (0.9, 0.8))
    assert [look_up(table, value) for value in (0.0, 0.2, 0.49, 0.5, 0.9, 1.0)] == [0.4, 0.4, 0.4, 0.7, 0.8, 0.8]
    assert look_up((), 0.37) == 0.37


def test_each_judgement_has_a_table_of_its_own_and_the_whole_its_weights() -> None:
    tables = {**HALF, "stage": ((0.0, 0.1),)}
    found = rate(RELATION, 1, Confidences(Logit({"bias": 3.0}), tables))
    assert found.confidences == JudgementConfidences(0.75, 0.75, 0.1, 0.75)
    assert found.confidence == 0.75
    assert rate(RELATION, 1, Confidences(Logit({"bias": -3.0}), tables)).confidence == 0.25


def test_without_tables_probabilities_stay_as_they_are() -> None:
    assert rated([RELATION], Confidences()) == (RELATION,)
    older = replace(RELATION, confidences=None)
    assert rate(older, 1, Confidences(Logit({}), HALF)) == older
    assert sure_features(older, 1) == {}


def test_the_fit_takes_a_lone_certain_relation_for_surer_than_a_doubtful_one_among_many() -> None:
    sure = replace(RELATION, in_title=True, confidences=JudgementConfidences(0.995, 0.99, 0.99, 0.99))
    low = replace(RELATION, confidences=JudgementConfidences(0.5, 0.5, 0.5, 0.5))
    assert rate(low, 12, load_confidences()).confidence < 0.5 < 0.8 < rate(sure, 1, load_confidences()).confidence


@given(st.sampled_from((ALL, *JUDGEMENTS)), st.floats(0, 1), st.floats(0, 1))
def test_more_evidence_never_lowers_a_confidence(name: str, one: float, other: float) -> None:
    table = load_confidences().tables[name]
    low, high = sorted((one, other))
    assert 0 <= look_up(table, low) <= look_up(table, high) < 1


@pytest.mark.parametrize("name", [ALL, *JUDGEMENTS])
def test_the_tables_rise(name: str) -> None:
    assert all(one < other for one, other in pairwise(load_confidences().tables[name]))


def test_what_is_said_outright_is_told_with_more_than_eight_in_ten(read: Callable[..., list[Relation]]) -> None:
    (found,) = read(
        "Toyota and Panasonic sign battery supply contract",
        "Toyota and Panasonic signed a supply contract for battery cells on Monday, both companies said.",
    )
    assert found.confidences is not None
    assert found.confidence > 0.8
    assert min(getattr(found.confidences, name) for name in JUDGEMENTS) > 0.8
