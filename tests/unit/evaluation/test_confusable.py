from dataclasses import replace

import pytest
from tests.unit.evaluation.making import GAZETTEER, article, gold

from tieup.companies.company import Company
from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.confusable import confusable
from tieup.evaluation.gold import GoldArticle

AUDI = Company("audi", "Audi", (), "DE", ("brand",), True, "volkswagen")
COMPANIES = Gazetteer({one.id: one for one in (*GAZETTEER, AUDI)}, GAZETTEER.rules)
SUPPLY = article("supply", gold("Ford", "BYD", kind="supply"), story="cells")


@pytest.mark.parametrize(
    "other",
    [
        article("venture", gold("BYD", "Ford"), story="venture"),
        article("three", gold("Ford", "Honda", "BYD"), story="venture"),
    ],
)
def test_the_same_pair_in_another_deal(other: GoldArticle) -> None:
    third = article("third", gold("Ford", "Honda"), story="third")
    assert confusable([SUPPLY, other], COMPANIES) == {"supply", other.id}
    assert "supply" not in confusable([SUPPLY, third], COMPANIES)


def test_another_brand_of_the_group() -> None:
    brands = [
        article("vw", gold("Volkswagen", "SAIC"), story="one"),
        article("audi", gold("Audi", "SAIC"), story="two"),
    ]
    assert confusable(brands, COMPANIES) == {"vw", "audi"}


def test_one_story_is_not_taken_for_itself_nor_for_background() -> None:
    again = replace(SUPPLY, id="again")
    recalling = article("recalls", gold("Ford", "Xiaomi"), gold("Ford", "BYD", focus="background"), story="elsewhere")
    assert confusable([SUPPLY, again, recalling], COMPANIES) == frozenset()
