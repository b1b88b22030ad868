import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stories.making import GAZETTEER, article, claim, denies, relation

from tieup.model.labels import Basis, Factuality, Target
from tieup.stories.parties import story_parties
from tieup.stories.statements import by_weight, is_independent, shorten, statement


@given(st.text(max_size=2_000))
def test_quotes_are_short(quote: str) -> None:
    short = shorten(quote)
    assert len(short) <= 300
    assert len(short.split()) <= 25


def test_a_short_quote_stays_as_it_is() -> None:
    assert shorten("“We do not comment,” a spokesman said.") == "“We do not comment,” a spokesman said."
    assert shorten("word " * 26).endswith("word…")


@pytest.mark.parametrize(
    ("origin", "independent"), [("Reuters", True), ("unknown", False), ("", False), ("Ford", False)]
)
def test_neither_the_unknown_nor_a_company_corroborates(origin: str, independent: bool) -> None:
    assert is_independent(origin, GAZETTEER) is independent


def test_a_denial_without_any_report_in_it_has_no_independent_origin() -> None:
    denial = relation(
        "Ford", "BYD", factuality=Factuality.DENIED, basis=Basis.PARTY, origin="Reuters", claims=(denies("Ford"),)
    )
    assert not statement(article("a", denial), [denial], GAZETTEER, None).article.independent
    cited = relation(
        "Ford", "BYD", factuality=Factuality.DENIED, origin="Reuters", claims=(denies("Ford"), claim("anonymous"))
    )
    assert statement(article("a", cited), [cited], GAZETTEER, None).article.independent
    assert not statement(article("a", cited), [cited], GAZETTEER, "original").article.corroborates


def test_where_nobody_is_quoted_the_article_asserts() -> None:
    said = statement(
        article("a", relation("Ford", "BYD", origin="FT")), [relation("Ford", "BYD", origin="FT")], GAZETTEER, None
    )
    assert [(one.speaker, one.target) for one in said.claims] == [("FT", Target.TALKS)]


def test_the_main_relation_is_the_one_in_the_title() -> None:
    assert by_weight([relation("Ford", "BYD"), relation("Ford", "Xiaomi", in_title=True)]) == [1, 0]


def test_a_party_has_one_key_whatever_its_spelling() -> None:
    parties = story_parties(relation("ford", "FORD", "Argo  AI", "argo-ai").parties, GAZETTEER)
    assert [(party.key, party.name) for party in parties] == [("ford", "Ford"), ("argo ai", "Argo  AI")]


def test_no_party_asserts_what_an_article_says_is_denied() -> None:
    denial = relation(
        "Ford", "BYD", factuality=Factuality.DENIED, basis=Basis.PARTY, claims=(claim("Ford"), denies("BYD"))
    )
    said = statement(article("a", denial), [denial], GAZETTEER, None)
    assert [(one.speaker, one.stance) for one in said.claims] == [("BYD", "denies")]
