"""The fitted judgements: log-odds and probabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.logit import Logit, probability, shares

ODDS = st.floats(-50, 50)


def test_the_odds_are_the_weighed_features_and_unknown_ones_count_nothing() -> None:
    model = Logit({"near": 2.0, "far": -1.0})
    assert model.odds({"near": 0.5, "far": 1.0, "never seen": 9.0}) == 0.0
    assert model.odds({"near": 1.0}) == 2.0


@given(ODDS, ODDS)
def test_a_probability_rises_with_the_odds(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 < probability(low) <= probability(high) < 1
    assert probability(0.0) == 0.5


@given(st.dictionaries(st.sampled_from("abcdef"), ODDS, min_size=1))
def test_shares_of_exclusive_choices_add_up(odds: dict[str, float]) -> None:
    found = shares(odds)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found[max(odds, key=odds.__getitem__)] == max(found.values())
