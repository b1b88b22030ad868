"""Alignment by parties: one to one, required before optional before labels."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.evaluation.making import KEYS, found, gold

from tieup.evaluation.align import align, best_assignment


def test_names_and_ids_of_one_company_are_the_same_party() -> None:
    aligned = align([gold("VW", "SAIC")], [found("Volkswagen", "上汽集团")], KEYS)
    assert len(aligned.pairs) == 1


def test_unknown_companies_are_compared_folded() -> None:
    aligned = align([gold("Ford", "Nobody  Ltd")], [found("nobody ltd", "Ford")], KEYS)
    assert len(aligned.pairs) == 1


def test_a_deal_of_several_counts_once_and_as_a_whole() -> None:
    whole = gold("Honda", "Nissan", "Mitsubishi")
    assert len(align([whole], [found("Mitsubishi", "Honda", "Nissan")], KEYS).pairs) == 1
    in_parts = align([whole], [found("Honda", "Nissan"), found("Honda", "Mitsubishi")], KEYS)
    assert (len(in_parts.pairs), len(in_parts.missed), len(in_parts.extra)) == (0, 1, 2)


def test_alternative_parties_are_right() -> None:
    either = gold("Xiaomi", "BAIC", alt_parties=(("Xiaomi", "Foxconn"),))
    aligned = align([either], [found("Xiaomi", "Foxconn"), found("Xiaomi", "BAIC")], KEYS)
    assert (len(aligned.pairs), len(aligned.extra)) == (1, 1)


def test_of_two_deals_of_one_pair_the_labels_decide() -> None:
    stake, supply = gold("VW", "Rivian", kind="equity_stake"), gold("VW", "Rivian", kind="supply")
    aligned = align(
        [stake, supply], [found("VW", "Rivian", kind="supply"), found("VW", "Rivian", kind="equity_stake")], KEYS
    )
    assert [(pair.gold.kind, pair.found.kind) for pair in aligned.pairs] == [
        ("equity_stake", "equity_stake"),
        ("supply", "supply"),
    ]


def test_optional_gold_is_neither_miss_nor_hit() -> None:
    maybe = gold("Ford", "BYD", optional=True)
    assert align([maybe], [], KEYS).missed == ()
    aligned = align([maybe], [found("Ford", "BYD")], KEYS)
    assert (aligned.pairs, aligned.extra, len(aligned.optional)) == ((), (), 1)


def test_required_gold_is_served_before_optional() -> None:
    maybe = gold("Ford", "BYD", kind="alliance", optional=True)
    needed = gold("Ford", "BYD", kind="supply", stage="active")
    aligned = align([maybe, needed], [found("Ford", "BYD", kind="alliance")], KEYS)
    assert [pair.gold for pair in aligned.pairs] == [needed]


def test_a_prediction_too_many_is_extra() -> None:
    aligned = align([gold("Ford", "BYD")], [found("Ford", "BYD"), found("Ford", "BYD")], KEYS)
    assert (len(aligned.pairs), len(aligned.extra)) == (1, 1)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=4))
def test_no_assignment_is_better(weights: list[list[int]]) -> None:
    wide = max(map(len, weights))
    square = [row + [0] * (wide - len(row)) for row in weights]
    padded = [row + [0] * max(0, len(square) - wide) for row in square]
    best = max(
        sum(padded[row][column] for row, column in enumerate(columns))
        for columns in permutations(range(len(padded[0])), len(padded))
    )
    pairs = best_assignment(weights)
    assert sum(weights[row][column] for row, column in pairs) == best
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
