"""The numbers of a deal: how they are written, what they measure, whose they are, and where they stand."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.figures import LEAST_VALUE, plain, read_number
from tieup.claims.lexicon.load import LANGUAGES
from tieup.model.relation import Relation

Read = Callable[..., list[Relation]]


@pytest.mark.parametrize(
    ("digits", "language", "value"),
    [
        ("1.234,5", "de", "1234.5"),
        ("1,234.5", "en", "1234.5"),
        ("2.5", "de", "2.5"),
        ("2,5", "en", "2.5"),
        ("300.000", "de", "300000"),
        ("300,000", "en", "300000"),
        ("1.250.000", "en", "1250000"),
        ("1'200", "de", "1200"),
        ("0,125", "de", "0.125"),
        ("7", "zh", "7"),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(digits: str, language: str, value: str) -> None:
    assert plain(read_number(digits, language)) == value


@given(st.from_regex(r"\d{1,3}([.,]\d{1,4}){0,4}", fullmatch=True), st.sampled_from(LANGUAGES))
def test_any_number_is_read(digits: str, language: str) -> None:
    assert "E" not in plain(read_number(digits, language))


@pytest.mark.parametrize(
    ("text", "language", "figures"),
    [
        (
            "Volkswagen acquires a 4.99% stake in Xpeng for $700 million.",
            "en",
            [("deal_value", "700000000", "USD", None), ("stake", "4.99", "%", "Volkswagen")],
        ),
        ("Stellantis übernimmt für 1,5 Mrd. Euro Anteile an Leapmotor.", "de", [("deal_value", "1500000000", "EUR")]),
        ("Toyota kauft Subaru-Aktien für 80 Mrd. Yen.", "de", [("deal_value", "80000000000", "JPY")]),
        ("Toyota hält an Subaru einen Anteil von 20 Prozent.", "de", [("stake", "20", "%", "Toyota")]),
        ("Ford signed a supply deal with CATL for 35 GWh of battery cells.", "en", [("capacity", "35", "GWh")]),
        ("Uber orders 20,000 vehicles from Lucid under a supply agreement.", "en", [("volume", "20000", "vehicles")]),
        ("Renault liefert ab 2027 Motoren an Geely.", "de", [("year", "2027", "year")]),
        ("大众汽车投资7亿美元收购小鹏汽车股份。", "zh", [("deal_value", "700000000", "USD")]),
        ("BMW and Toyota extended their partnership; Toyota shares rose 5%.", "en", []),
        ("Ford bought cells from CATL under a supply contract at $90 each.", "en", []),
    ],
)
def test_the_figures_of_a_text(read: Read, text: str, language: str, figures: list[tuple[str, ...]]) -> None:
    relations = read("", text, language)
    assert len(relations) == 1
    found = [(one.role.value, one.value, one.unit, one.owner) for one in relations[0].figures]
    assert found == [(*one, None) if len(one) == 3 else one for one in figures]
    shown = [one for one in relations[0].evidence if one.label == "figure"]
    assert len(shown) == len(figures)
    assert all(text[one.start : one.end] == one.text for one in shown)


def test_prices_of_cars_are_no_deal_values() -> None:
    assert LEAST_VALUE > 500_000
