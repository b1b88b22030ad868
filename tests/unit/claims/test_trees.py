"""Trees: a feature's worth may hang on another."""

from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.trees import Node, Trees

ONLY_TOGETHER = (
    Node(0, 0.5, 1, 2),
    Node(-1, -1.0, -1, -1),
    Node(1, 0.5, 3, 4),
    Node(-1, 0.0, -1, -1),
    Node(-1, 2.0, -1, -1),
)
STUMP = (Node(1, 1.5, 1, 2), Node(-1, 0.25, -1, -1), Node(-1, -4.0, -1, -1))
TREES = Trees(("word", "near"), 0.5, (ONLY_TOGETHER, STUMP))


def test_the_odds_are_the_start_and_the_leaves_that_the_features_lead_to() -> None:
    assert TREES.odds({"word": 1.0, "near": 1.0}) == 0.5 + 2.0 + 0.25
    assert TREES.odds({"word": 1.0}) == 0.5 + 0.0 + 0.25
    assert TREES.odds({"near": 2.0}) == 0.5 - 1.0 - 4.0


def test_what_stands_at_the_bound_goes_low_and_what_is_absent_is_nothing() -> None:
    assert TREES.odds({"word": 0.5, "near": 1.5}) == TREES.odds({}) == 0.5 - 1.0 + 0.25
    assert TREES.odds({"never seen": 9.0}) == TREES.odds({})


@given(st.dictionaries(st.sampled_from(("word", "near", "far")), st.floats(-9, 9)))
def test_any_features_lead_to_leaves(features: dict[str, float]) -> None:
    assert 0.5 - 1.0 - 4.0 <= TREES.odds(features) <= 0.5 + 2.0 + 0.25
