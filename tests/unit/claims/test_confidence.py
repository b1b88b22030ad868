"""The score of a relation's evidence, and the table that says what it is worth."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.confidence import load_confidences, look_up, score


def test_the_score_rises_with_evidence_and_stays_in_bounds() -> None:
    assert score(0.0, 1.0, 1.0, 1.0) == 0.0
    assert score(0.6, 0.5, 0.5, 1.0) < score(0.9, 0.5, 0.5, 1.0) < score(1.0, 1.0, 1.0, 1.0) == 1.0


def test_a_score_is_worth_the_highest_step_that_it_reaches() -> None:
    table = ((0.2, 0.4), (0.5, 0.7), (0.9, 0.8))
    assert [look_up(table, value) for value in (0.0, 0.2, 0.49, 0.5, 0.9, 1.0)] == [0.4, 0.4, 0.4, 0.7, 0.8, 0.8]
    assert look_up((), 0.37) == 0.37


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_evidence_never_lowers_the_confidence(one: float, other: float) -> None:
    table = load_confidences()
    low, high = sorted((one, other))
    assert 0 <= look_up(table, low) <= look_up(table, high) <= 1


def test_the_table_rises() -> None:
    assert all(one < other for one, other in pairwise(load_confidences()))
