from dataclasses import replace
from importlib import resources

import pytest
from tests.unit.stories.making import GAZETTEER, article, relation

from tieup.errors import DataError
from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage
from tieup.model.relation import Evidence, Part, Relation
from tieup.stories.affinity import load_affinity
from tieup.stories.cluster import as_wanted
from tieup.stories.likeness import Judge
from tieup.stories.subjects import load_subjects, parse_subjects

SUBJECTS = load_subjects()
TEXT = (resources.files("tieup.stories") / "data" / "subjects.toml").read_text("utf-8")
AGREED = {"stage": Stage.AGREED, "factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("Feststoffbatterien aus Salzgitter", ("batteries", "Salzgitter")),
        ("a plant for fuel cells in Lordstown", ("hydrogen", "Lordstown")),
        ("燃料电池公司", ("hydrogen",)),
        ("动力电池工厂 合肥", ("batteries", "Hefei")),
        ("vans, in advance", ("vans",)),
        ("wanting shipping", ()),
        ("the MEB platform, as in the ID.4 and the EZ-6", ("platform", "MEB", "ID.4", "EZ-6")),
        ("EV makers from the USA and the EU", ()),
        ("", ()),
    ],
)
def test_what_a_text_is_about(text: str, subjects: tuple[str, ...]) -> None:
    assert SUBJECTS.read(text) == subjects


def test_subjects_are_bounded() -> None:
    text = " ".join(
        f"Zwickau Tychy Graz Vigo Pune Puebla Genk vans tyres chips solar trucks maps Q{at}" for at in range(50)
    )
    assert len(SUBJECTS.read(text)) == 18


def about(sentence: str, *parties: str, **given: object) -> Relation:
    evidence = (Evidence("relation", Part.TEXT, 0, len(sentence), sentence),)
    return relation(*(parties or ("Ford", "Xiaomi")), evidence=evidence, **given)


def test_the_scope_of_news_is_what_its_sentence_and_its_title_are_about() -> None:
    found = article(
        "Batteries for Zwickau",
        about("BYD and CATL speak of FAW's MEB.", "Ford", "BYD", scope=("cars",)),
        about("In Graz.", in_title=True),
        about("In Graz.", focus=Focus.BACKGROUND),
    )
    scopes = [one.scope for one in SUBJECTS.scoped(found, GAZETTEER).relations]
    assert scopes == [("cars", "MEB"), ("batteries", "Zwickau", "Graz"), ()]


@pytest.mark.parametrize(
    ("one", "other", "apart", "shared"),
    [
        (("batteries",), ("vans",), True, False),
        (("batteries", "MEB"), ("vans", "MEB"), False, True),
        (("batteries", "Graz"), ("batteries", "Vigo"), True, False),
        (("batteries",), ("batteries", "Vigo"), False, True),
        (("India",), ("Brazil",), False, False),
        ((), ("batteries",), False, False),
    ],
)
def test_scopes_are_compared(one: tuple[str, ...], other: tuple[str, ...], apart: bool, shared: bool) -> None:
    found = SUBJECTS.compare(one, other)
    assert (found.apart, found.shared) == (apart, shared)
    assert SUBJECTS.compare(other, one) == found


def likeness(one: Relation, other: Relation) -> float:
    judge = Judge(GAZETTEER, load_affinity(), SUBJECTS)
    first, second = (as_wanted(article("a"), replace(each, scope=scope(each)), GAZETTEER) for each in (one, other))
    return judge.of_each_other(first, second)


def scope(one: Relation) -> tuple[str, ...]:
    return SUBJECTS.scoped(article("a", one), GAZETTEER).relations[0].scope


def test_other_goods_part_deals_but_not_stakes() -> None:
    batteries, vans = about("Batteries.", **AGREED), about("Vans.", **AGREED)
    assert likeness(batteries, batteries) == 1
    assert likeness(batteries, vans) < 0.5
    stake = {"kind": Kind.EQUITY_STAKE, **AGREED}
    assert likeness(about("Batteries.", **stake), about("Vans.", **stake)) > 0.5


def test_other_plants_part_deals_even_where_both_are_talks() -> None:
    graz, vigo = about("A plant in Graz."), about("A plant in Vigo.")
    assert likeness(graz, graz) == 1
    assert likeness(graz, vigo) < 0.5


def test_the_same_plant_joins_daughters_of_a_group() -> None:
    def pair(place: str) -> float:
        return likeness(about(place, "Audi", "FAW", **AGREED), about(place, "Skoda", "FAW", **AGREED))

    assert pair("In Graz.") > 0.5 > pair("Somewhere.")


def test_the_same_goods_bring_different_kinds_together() -> None:
    def pair(sentence: str) -> float:
        return likeness(about(sentence), about(sentence, kind=Kind.JOINT_DEVELOPMENT))

    assert pair("Batteries.") > pair("Cars.")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[goods]", "[good]", "goods"),
        ('"chip", "chips"', '"chip", ""', "empty"),
        ('"Vigo" = ["vigo"]', '"Vigo" = ["graz"]', "Graz too"),
        ("[goods]", "[goods", "subjects.toml"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(DataError, match=fault):
        parse_subjects(TEXT.replace(old, new))
