"""Folding: what looks alike becomes alike, and nothing moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.companies.folding import fold, name_key, unify


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＢＹＤ　Ｍｏｔｏｒ", "byd motor"),
        ("Mercedes\u2011Benz", "mercedes-benz"),
        ("Ford\u2019s", "ford's"),
        ("İ", "i"),
        ("\ud800", "\ufffd"),
        ("Straße", "straße"),
        ("比亞迪與寧德時代", "比亚迪与宁德时代"),
        ("比亚迪与宁德时代", "比亚迪与宁德时代"),
        ("トヨタ自動車", "トヨタ自动车"),
        ("현대차", "현대차"),
    ],
)
def test_what_looks_alike_is_one(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters()))
def test_no_character_moves(text: str) -> None:
    assert len(fold(text)) == len(text) == len(unify(text))
    assert fold(fold(text)) == fold(text)


def test_a_name_has_one_key() -> None:
    assert name_key("Mercedes-Benz") == name_key("MERCEDES  BENZ")
    assert name_key("長城汽車") == name_key("长城汽车")
