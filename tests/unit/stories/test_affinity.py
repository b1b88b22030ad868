from datetime import timedelta
from importlib import resources

import pytest

from tieup.errors import DataError
from tieup.model.labels import Kind, Stage
from tieup.stories.affinity import load_affinity, parse_affinity

TEXT = (resources.files("tieup.stories") / "data" / "affinity.toml").read_text("utf-8")


def test_kinds_are_compared_either_way() -> None:
    table = load_affinity()
    assert table.of_kinds(Kind.ALLIANCE, Kind.SUPPLY) == table.of_kinds(Kind.SUPPLY, Kind.ALLIANCE) > 0
    assert table.of_kinds(Kind.SUPPLY, Kind.SUPPLY) == 1
    assert table.of_kinds(Kind.SUPPLY, Kind.JOINT_VENTURE) == 0


def test_rumours_age_sooner_than_deals() -> None:
    table = load_affinity()
    year = timedelta(days=366)
    assert table.of_age(Stage.TALKS, Stage.TALKS, year) == table.of_age(Stage.ENDED, Stage.TALKS, year) == 0
    assert table.of_age(Stage.ACTIVE, Stage.TALKS, year) > 0
    assert table.of_age(Stage.TALKS, Stage.TALKS, timedelta(0)) == 1


def test_a_contract_may_follow_its_talks_later_and_an_end_its_contract_much_later() -> None:
    table = load_affinity()
    days = timedelta(days=500)
    assert table.of_age(Stage.TALKS, Stage.AGREED, days) > table.of_age(Stage.TALKS, Stage.ENDED, days) == 0
    years = timedelta(days=3_000)
    assert table.of_age(Stage.ACTIVE, Stage.ENDED, years) > table.of_age(Stage.ACTIVE, Stage.AGREED, years) == 0


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("join = 0.5", "", "join"),
        ("[[ages.rumour]]", "[[ages.rumor]]", "rumour is missing"),
        ("factor = 0.85", "factor = 1.85", "1.85"),
        ("days = 120", "days = 3", "do not rise"),
        ("licensing = 0.6", "licence = 0.6", "licence"),
        ("[kinds.supply]", "[kinds.supply]\nalliance = 0.1", "given twice"),
        ("[thresholds]", "[thresholds", "affinity.toml"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(DataError, match=fault):
        parse_affinity(TEXT.replace(old, new))
