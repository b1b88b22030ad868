"""Measures against published and hand-counted values."""

from hypothesis import given
from hypothesis import strategies as st

from tieup.evaluation.measures import Retrieval, Share, bcubed_f1, macro_f1


def test_shares_of_nothing_are_unknown() -> None:
    assert Share(0, 0).value is None
    assert (Retrieval(0, 0, 3).precision, Retrieval(0, 0, 3).recall, Retrieval(0, 0, 3).f1) == (None, 0, 0)


def test_f1_is_the_harmonic_mean() -> None:
    assert Retrieval(right=2, found=4, wanted=3).f1 == round(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3), 4)


def test_bcubed_by_hand() -> None:
    # Clusters {a b c}{d} found as {a b}{c d}: precision (1 + 1 + 1/2 + 1/2)/4, recall (2/3 + 2/3 + 1/3 + 1)/4.
    precision, recall = 0.75, (2 / 3 + 2 / 3 + 1 / 3 + 1) / 4
    assert bcubed_f1("xxxy", "1122") == round(2 * precision * recall / (precision + recall), 4)


def test_without_items_there_is_no_figure() -> None:
    assert bcubed_f1([], []) is None
    assert macro_f1([]) is None


@given(st.lists(st.integers(0, 3), min_size=1))
def test_equal_clusterings_score_one(clusters: list[int]) -> None:
    assert bcubed_f1(clusters, [f"other name {cluster}" for cluster in clusters]) == 1
