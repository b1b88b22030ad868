"""Companies called by a description: only where exactly one of those named before fits it."""

import pytest

from tieup.claims.descriptions import find_described
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Matcher


@pytest.mark.parametrize(
    ("text", "word", "company"),
    [
        ("Renault und Geely verhandeln. Die Franzosen halten 45 Prozent.", "Franzosen", "renault"),
        ("Volkswagen steigt bei Xpeng ein. Die Wolfsburger zahlen 700 Millionen.", "Wolfsburger", "volkswagen"),
        ("Ford talks to BYD. The Chinese carmaker declined to comment.", "Chinese carmaker", "byd"),
        ("BMW bestellt bei CATL. Der Batteriehersteller baut in Ungarn.", "Batteriehersteller", "catl"),
        ("Toyota and BYD found a company. The Japanese group holds half.", "Japanese group", "toyota"),
    ],
)
def test_a_description_means_the_one_company_that_fits(
    gazetteer: Gazetteer, text: str, word: str, company: str
) -> None:
    found = find_described(text, Matcher(gazetteer).find(text), (), gazetteer)
    assert [(one.surface, one.company_id) for one in found if one.surface == word] == [(word, company)]


@pytest.mark.parametrize(
    "text",
    [
        "Toyota and Honda talk. The Japanese carmaker denied it.",
        "Ford talks to BYD. The German carmaker denied it.",
        "The Chinese carmaker BYD talks to Ford.",
        "Die Franzosen wählen im April. Renault und Geely verhandeln.",
    ],
    ids=["two fit", "none fits", "it introduces the name", "nobody is named before"],
)
def test_a_description_that_fits_several_or_none_means_nobody(gazetteer: Gazetteer, text: str) -> None:
    named = Matcher(gazetteer).find(text)
    assert find_described(text, named, (), gazetteer) == tuple(named)


def test_what_the_headline_names_is_named_before(gazetteer: Gazetteer) -> None:
    headline = Matcher(gazetteer).find("Renault, Nissan")
    found = find_described("Die Franzosen senken ihren Anteil.", [], headline, gazetteer)
    assert [one.company_id for one in found] == ["renault"]
