from importlib import resources
from itertools import product
from typing import Any

import pytest
from tests.unit.events.test_envelope import event

from tieup.errors import DataError
from tieup.events.headline import load_headlines, parse_headlines
from tieup.model.labels import Basis, EndedAs, EventType, Factuality, Kind, PartyStance, Stage
from tieup.model.story import EventChange, EventParty, PartyPosition

TEXT = (resources.files("tieup.events") / "data" / "headlines.toml").read_text("utf-8")
REPORTED = {"factuality": Factuality.REPORTED, "basis": Basis.ANONYMOUS, "stance_by_party": (), "contested": False}
CONFIRMED = {**REPORTED, "factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}
ONE_DENIES = {"stance_by_party": (PartyPosition("ford", PartyStance.DENIES),)}


@pytest.mark.parametrize(
    ("given", "en", "de"),
    [
        (
            {},
            "Ford and Xiaomi deny talks on a joint venture, reported by Financial Times",
            "Ford und Xiaomi dementieren Gespräche über ein Gemeinschaftsunternehmen, Bericht: Financial Times",
        ),
        (
            {**ONE_DENIES, "origins": ()},
            "Ford denies talks with Xiaomi on a joint venture",
            "Ford dementiert Gespräche mit Xiaomi über ein Gemeinschaftsunternehmen",
        ),
        (
            {"type": EventType.OPENED, **REPORTED},
            "Ford and Xiaomi reportedly in talks on a joint venture (Financial Times)",
            "Ford und Xiaomi verhandeln offenbar über ein Gemeinschaftsunternehmen (Financial Times)",
        ),
        (
            {"type": EventType.CONFIRMED, **CONFIRMED, "stage": Stage.AGREED, "kind": Kind.SUPPLY},
            "Ford and Xiaomi agree on a supply deal",
            "Ford und Xiaomi vereinbaren einen Liefervertrag",
        ),
        (
            {"type": EventType.OPENED, **CONFIRMED, "basis": Basis.AUTHORITY, "kind": Kind.ALLIANCE},
            "Ford and Xiaomi are in talks on a partnership, an authority confirms",
            "Ford und Xiaomi verhandeln über eine Partnerschaft, wie eine Behörde bestätigt",
        ),
        (
            {"type": EventType.ENDED, **CONFIRMED, "stage": Stage.ENDED, "ended_as": EndedAs.TALKS_FAILED},
            "Ford and Xiaomi break off talks on a joint venture",
            "Ford und Xiaomi brechen Gespräche über ein Gemeinschaftsunternehmen ab",
        ),
        (
            {"type": EventType.DENIED, **CONFIRMED, **ONE_DENIES, "contested": True},
            "Ford and Xiaomi are in talks on a joint venture, denied by Ford",
            "Ford und Xiaomi verhandeln über ein Gemeinschaftsunternehmen, dementiert von Ford",
        ),
        (
            {
                "type": EventType.UPDATED,
                **CONFIRMED,
                "stage": Stage.ACTIVE,
                "changes": (
                    EventChange("milestones", "mou", "mou, production_start"),
                    EventChange("figures", None, "x"),
                ),
            },
            "Ford and Xiaomi: joint venture in force; new: start of production, figures",
            "Ford und Xiaomi: Gemeinschaftsunternehmen in Kraft; neu: Produktionsstart, Zahlen",
        ),
        (
            {"type": EventType.CORROBORATED, **REPORTED, "origins": ("FT", "dpa"), "origin_count": 2},
            "Ford and Xiaomi reportedly in talks on a joint venture (FT, dpa); 2 independent sources",
            "Ford und Xiaomi verhandeln offenbar über ein Gemeinschaftsunternehmen (FT, dpa); 2 unabhängige Quellen",
        ),
        (
            {
                "type": EventType.CORRECTED,
                **REPORTED,
                "kind": Kind.LICENSING,
                "changes": (EventChange("support", "stated", None),),
            },
            "Withdrawn by its source: Ford and Xiaomi reportedly in talks on a licence (Financial Times)",
            "Von der Quelle zurückgezogen: Ford und Xiaomi verhandeln offenbar über eine Lizenz (Financial Times)",
        ),
    ],
)
def test_headlines(given: dict[str, Any], en: str, de: str) -> None:
    headline = load_headlines().write(event(**given))
    assert (headline.en, headline.de) == (en, de)


def test_a_headline_is_one_line() -> None:
    parties = (EventParty("Ford\nMotor"), EventParty("Xiaomi"))
    assert load_headlines().write(event(**REPORTED, parties=parties)).en.startswith("Ford Motor and Xiaomi")


def test_many_parties_are_cut() -> None:
    parties = tuple(EventParty(name) for name in "ABCDEF")
    assert load_headlines().write(event(**CONFIRMED, parties=parties)).en.startswith("A, B, C and 3 others are")


def test_every_combination_has_its_line() -> None:
    write = load_headlines().write
    for kind, stage, sure, basis, what in product(EventType, Stage, Factuality, Basis, (None, EndedAs.TALKS_FAILED)):
        for stances in ((), ONE_DENIES["stance_by_party"]):
            one = event(type=kind, stage=stage, factuality=sure, basis=basis, ended_as=what, stance_by_party=stances)
            for line in (write(one).en, write(one).de):
                assert "Ford" in line
                assert "{" not in line
                assert "\n" not in line


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('joint_venture = "a joint venture"', "", "en.kinds.joint_venture"),
        ('joint_venture = "Gemeinschaftsunternehmen"', "", "de.names.joint_venture"),
        ('mou = "memorandum"', "", "en.milestones.mou"),
        ('"denied.talks" = "{deniers} deny', '"denied.talks" = "{who} deny', "who"),
        ('"confirmed.active" = "{parties}: {name} in force"', "", "confirmed.active"),
        ('and = "and"', "", "and"),
        ("[en]", "[en", "headlines.toml"),
    ],
)
def test_a_wrong_wording_is_refused(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(DataError, match=fault):
        parse_headlines(TEXT.replace(old, new))
