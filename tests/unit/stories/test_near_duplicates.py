"""Copies are told from articles of the same companies on the same matter, over eight kinds of perturbation."""

from tests.benchmarks.near_duplicates import PERTURBATIONS, by_tieup, generate, judge


def test_generated_copies_are_found_and_hard_negatives_are_not() -> None:
    items = generate(40, seed=11)
    result = judge(items, by_tieup(items))
    assert len(PERTURBATIONS) == len(result.by_kind) == 8
    assert result.f1 >= 0.97
    assert min(result.by_kind.values()) >= 0.9
