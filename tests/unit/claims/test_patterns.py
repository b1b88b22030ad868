"""The pattern language of the lexicons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.patterns import COMPANY, compile_pattern, mask
from tieup.errors import DataError


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("joint venture*", "zwei Joint-Ventures", True),
        ("joint venture", "zwei Joint-Ventures", False),
        ("merger*", "submerger", False),
        ("(sign|ink)* .. deal", "signed a very good deal", True),
        ("(sign|ink)* .. deal", "signed " + "very " * 12 + "good deal", False),
        ("(sign|ink)* .. deal", "signed it; the deal", False),
        ("gemeinsame [neue] firma", "gemeinsame Firma", True),
        ("gemeinsame [neue] firma", "gemeinsame neue Firma", True),
        ("<n> prozent", "12,5 Prozent", True),
        ("合作", "小米与北汽合作造车", True),
    ],
)
def test_pattern_matches_what_it_says(pattern: str, text: str, matches: bool) -> None:
    compiled = compile_pattern(pattern)
    masked = mask(text, [])
    assert (compiled.regex.search(masked) is not None) is matches
    assert compiled.may_occur(masked) or not matches


def test_placeholder_stands_for_the_name_and_its_ending() -> None:
    masked = mask("talks with Fords", [(11, 15, COMPANY)])
    assert compile_pattern("talks with <co>").regex.search(masked) is not None


@pytest.mark.parametrize("pattern", ["", "*", "[a]", "(a|b", "<planet>", "a <"])
def test_unreadable_pattern_is_named(pattern: str) -> None:
    with pytest.raises(DataError, match="lexicon pattern"):
        compile_pattern(pattern)


@given(st.text(), st.integers(0, 20), st.integers(1, 5))
def test_mask_keeps_every_offset(text: str, start: int, length: int) -> None:
    names = [(start, start + length, COMPANY)] if start + length <= len(text) else []
    masked = mask(text, names)
    assert len(masked) == len(text)
    assert all(masked[start] == COMPANY for start, _, _ in names)
