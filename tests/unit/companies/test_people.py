"""Persons who stand for companies, by the year of the text."""

from pathlib import Path

import pytest

from tieup.companies import gazetteer as module
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.companies.matcher import Matcher
from tieup.companies.people import Person, Post, company_of, faults_of_people
from tieup.errors import DataError

MOVED = (Post("seat", 2015, 2020), Post("renault", 2020, 2025))


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


@pytest.fixture(scope="module")
def matcher(gazetteer: Gazetteer) -> Matcher:
    return Matcher(gazetteer)


@pytest.mark.parametrize(
    ("year", "company"),
    [(2014, None), (2015, "seat"), (2019, "seat"), (2020, "renault"), (2026, "renault"), (2027, None)],
)
def test_a_person_stands_for_the_company_of_the_post_held_then(year: int, company: str | None) -> None:
    assert company_of(MOVED, year) == company


def test_without_a_year_the_last_post_counts() -> None:
    assert company_of(MOVED, None) == "renault"


@pytest.mark.parametrize(
    ("text", "year", "companies"),
    [
        ("Luca de Meo fährt vor", 2017, ["seat"]),
        ("Luca de Meo fährt vor", 2023, ["renault"]),
        ("Luca de Meo fährt vor", 2010, []),
        ("Herbert Diess meets Oliver Blume", 2024, ["volkswagen"]),
        ("Herbert Diess and Oliver Blume", 2019, ["volkswagen", "porsche"]),
        ("Ola Källenius spricht", 2020, ["daimler"]),
        ("Ola Källenius spricht", 2022, ["mercedes-benz"]),
        ("雷军表示", 2025, ["xiaomi"]),
        ("徐留平调研", 2015, ["changan"]),
        ("徐留平调研", 2020, ["faw"]),
        ("Hackett said so", 2018, []),
        ("Ford: Hackett said so", 2018, ["ford", "ford"]),
        ("Ford: Hackett said so", 2024, ["ford"]),
        ("정의선 회장", 2024, ["hyundai"]),
        ("ゴーン被告", 2015, ["renault"]),
    ],
)
def test_the_matcher_goes_by_the_year_of_the_text(matcher: Matcher, text: str, year: int, companies: list[str]) -> None:
    assert [one.company_id for one in matcher.find(text, year)] == companies


@pytest.mark.parametrize("text", ["Ein Barraportal", "the Musketeers", "Blumenladen"])
def test_a_part_of_a_word_is_no_person(matcher: Matcher, text: str) -> None:
    assert matcher.find(f"{text}. Ford, Tesla, VW, GM", 2024)[0].start > len(text)


def test_people_are_in_order_of_their_posts(gazetteer: Gazetteer) -> None:
    assert len(gazetteer.people) > 250
    late = [
        one.name for one in gazetteer.people if [post.since for post in one.posts] != sorted(p.since for p in one.posts)
    ]
    assert late == []


@pytest.mark.parametrize(
    ("person", "fault"),
    [
        (Person("A", ()), "no post is given"),
        (Person("A", (Post("nobody", 2000),)), "the company 'nobody' is unknown"),
        (Person("A", (Post("ford", 2020, 2010),)), "the years 2020 to 2010 run backwards"),
        (Person("A", (Post("ford"),), ("B", "B")), "the name 'B' is given twice"),
        (Person("B", (Post("ford"),), ("a",)), "the name 'a' is also one of A"),
    ],
)
def test_tells_what_is_wrong_with_a_person(person: Person, fault: str) -> None:
    known = [Person("A", (Post("ford"),))] if person.name == "B" else []
    assert list(faults_of_people([*known, person], ["ford"])) == [(person.name, fault)]


def test_a_fault_in_our_own_file_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in module._DATA.rglob("*.toml"):
        target = tmp_path / path.relative_to(module._DATA)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(module, "_DATA", tmp_path)
    people = tmp_path / "people.toml"
    people.write_text(people.read_text("utf-8") + '\n["No Body"]\nposts = [{ company = "nobody", since = 2000 }]\n')
    with pytest.raises(DataError, match=r"people\.toml: No Body: the company 'nobody' is unknown"):
        load_gazetteer()
