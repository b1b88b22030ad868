"""Companies that the gazetteer lacks, as parties: without an id, and only where the text makes them one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tieup.model.relation import Relation

Read = Callable[..., list[Relation]]
OTHER_NEWS = [
    line.split("|")
    for line in Path(__file__).with_name("other_news.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize(
    ("language", "title", "parties"),
    [
        ("en", "BMW takes a 5% stake in battery startup Lytenix", [("BMW", "bmw"), ("Lytenix", None)]),
        ("en", "Ford and Zorblatt form joint venture for electric cars", [("Ford", "ford"), ("Zorblatt", None)]),
        ("de", "BMW und der Batteriehersteller Zellfix gründen Joint Venture", [("BMW", "bmw"), ("Zellfix", None)]),
        ("fr", "Renault et la start-up Voltix créent une coentreprise", [("Renault", "renault"), ("Voltix", None)]),
        ("zh", "比亚迪与亮晶科技成立合资公司", [("BYD", "byd"), ("亮晶科技", None)]),
    ],
)
def test_a_stranger_is_a_party_without_an_id(
    read: Read, language: str, title: str, parties: list[tuple[str, str | None]]
) -> None:
    (relation,) = read(title, "", language)
    assert sorted((one.name, one.id) for one in relation.parties) == sorted(parties)
    names = [one.text for one in relation.evidence if one.label == "party"]
    assert parties[1][0] in names


def test_what_a_stranger_says_is_a_claim_without_an_id(read: Read) -> None:
    (relation,) = read(
        "BMW in talks with battery startup Lytenix on a stake", "Lytenix denied the report. BMW declined to comment."
    )
    denials = [one for one in relation.claims if one.speaker == "Lytenix"]
    assert [one.company_id for one in denials] == [None]


def test_strangers_alone_are_no_news_of_ours(read: Read) -> None:
    assert read("Zorblatt Inc. and Quibix Robotics form joint venture for electric cars", "") == []


@pytest.mark.parametrize(("language", "title", "text"), OTHER_NEWS, ids=[row[1] for row in OTHER_NEWS])
def test_whoever_stands_beside_a_company_is_no_party_yet(read: Read, language: str, title: str, text: str) -> None:
    assert read(title, text, language) == []
