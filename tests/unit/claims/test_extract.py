"""Extraction as a whole: what holds for any text, what is no relation, and the single steps on short texts."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.claims.conftest import AT

from tieup.claims.extract import Extractor
from tieup.model.article import Article
from tieup.model.labels import EndedAs, Factuality, Focus, Kind, Milestone, Stage, Stance
from tieup.model.relation import Part, Relation

Read = Callable[..., list[Relation]]

WORDS = st.sampled_from(
    [
        "Ford",
        "Xiaomi",
        "VW-Chef",
        "BAIC",
        "Toyota, BYD and Kia",
        "joint venture",
        "Gemeinschaftsunternehmen",
        "in talks with",
        "verhandelt mit",
        "denied",
        "dementiert",
        "laut Bloomberg",
        "Reuters reported",
        "beide Konzerne",
        "gründen",
        "beteiligt sich an",
        ".",
        ",",
        ": ",
        "\n",
        "„",
        "”",
        "\u200f",
        "小米",
        "İ",
        "\ud800",
        "é",
        "10 %",
        "die Tochter",
    ]
)
TEXTS = st.one_of(st.text(max_size=120), st.lists(WORDS, max_size=40).map(" ".join))


def article(title: str, text: str, language: str | None) -> Article:
    return Article("a", 1, title, text, observed_at=AT, language=language)


@settings(max_examples=120, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["de", "en", "nl", None]))
def test_every_piece_of_evidence_is_its_exact_text(
    extractor: Extractor, title: str, text: str, language: str | None
) -> None:
    parts = {Part.TITLE: title, Part.TEXT: text}
    for relation in extractor.extract(article(title, text, language)).relations:
        assert relation.evidence[0].label == "relation"
        assert all(parts[one.part][one.start : one.end] == one.text != "" for one in relation.evidence)
        spans = [claim.span for claim in relation.claims]
        assert all(parts[span.part][span.start : span.end] == span.quote != "" for span in spans)
        assert len(relation.parties) > 1
        assert 0 <= relation.confidence <= 1


@settings(max_examples=30, deadline=None)
@given(TEXTS, TEXTS)
def test_same_text_gives_the_same_relations(extractor: Extractor, title: str, text: str) -> None:
    assert extractor.extract(article(title, text, "de")) == extractor.extract(article(title, text, "de"))


@pytest.mark.parametrize(
    "unit", ["Ford ", "Ford-", "Gespräche mit Ford und Xiaomi ", "a", "talks ", "Ford, ", "1.", "（"]
)
def test_a_hundred_thousand_characters_are_read(extractor: Extractor, unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    extractor.extract(article("Ford and Xiaomi form a joint venture", text, "en"))


def test_other_languages_are_undecided(extractor: Extractor) -> None:
    found = extractor.extract(article("Ford i Xiaomi tworzą joint venture", "Ford i Xiaomi: joint venture.", "pl"))
    assert found.relations == ()
    assert found.language == "pl"


@pytest.mark.parametrize(
    ("language", "title", "text"),
    [
        ("de", "VW wird Sponsor der Fußball-EM", "Die Partnerschaft von VW und Adidas gilt bis 2028."),
        ("de", "Model Y gegen ID.4 im Vergleichstest", "Tesla und VW liegen gleichauf, Partner ist der ADAC."),
        ("de", "VW und IG Metall einigen sich", "Die Tarifverhandlungen mit der Gewerkschaft sind abgeschlossen."),
        ("de", "Die meisten Neuzulassungen hat VW", "VW führt vor Mercedes, Ford und Opel bei den Zulassungen."),
        ("de", "Nokia verklagt Daimler", "Im Patentstreit mit Daimler klagt Nokia; die Klage liegt beim Landgericht."),
        ("en", "Ford recalls 300,000 cars", "Ford and Volkswagen recall cars because of a part."),
        ("en", "Tesla sues Rivian", "Tesla has filed a lawsuit against Rivian over trade secrets."),
        ("en", "GM beats expectations", "General Motors earned more than Ford and Stellantis in the quarter."),
        ("en", "Porsche and Puma show new sneakers", "Porsche partners with Puma and BMW with Kith on fashion."),
        ("en", "UAW strikes at GM, Ford and Stellantis", "The union is in talks with GM, Ford and Stellantis on pay."),
        ("en", "Audi names new design chief", "Massimo Frascella joins Audi from Jaguar Land Rover."),
        ("en", "City council ends budget talks", "A partnership with schools was agreed."),
        ("en", "Pfizer and BioNTech extend alliance", "Pfizer and BioNTech extended their joint development."),
    ],
)
def test_other_news_gives_nothing(read: Read, language: str, title: str, text: str) -> None:
    assert [(one.parties, one.evidence[0]) for one in read(title, text, language)] == []


CASES = [
    ("de", "Paccar und Navistar schließen bindenden Vertrag über Fusion", "merger_acquisition", "agreed"),
    ("de", "Renault und Geely gründen Gemeinschaftsunternehmen", "joint_venture", "agreed"),
    ("de", "Daimler steigt bei Aston Martin ein", "equity_stake", "agreed"),
    ("de", "BYD prüft Kauf des Ford-Werks in Saarlouis", "asset_sale", "talks"),
    ("de", "Magna baut künftig Autos für Xpeng", "contract_manufacturing", "agreed"),
    ("de", "BMW und Toyota entwickeln gemeinsam Brennstoffzellen", "joint_development", "agreed"),
    ("de", "Ford erwirbt Lizenz von CATL", "licensing", "agreed"),
    ("de", "CATL beliefert BMW mit Zellen", "supply", "active"),
    ("de", "BMW und Toyota beenden Kooperation", "alliance", "ended"),
    ("en", "Honda and Nissan call off merger talks", "merger_acquisition", "ended"),
    ("en", "Stellantis and Leapmotor form a joint venture", "joint_venture", "agreed"),
    ("en", "Toyota buys 5 percent stake in Suzuki", "equity_stake", "agreed"),
    ("en", "Great Wall to buy Mercedes plant in Brazil", "asset_sale", "agreed"),
    ("en", "Magna to build cars for Fisker", "contract_manufacturing", "agreed"),
    ("en", "Ford and Google jointly develop software", "joint_development", "agreed"),
    ("en", "Panasonic signs battery supply deal with Mazda", "supply", "agreed"),
    ("en", "Uber and Baidu to deploy robotaxis", "service", "agreed"),
    ("en", "Nissan in talks on partnership with Foxconn", "alliance", "talks"),
]


@pytest.mark.parametrize(("language", "title", "kind", "stage"), CASES, ids=[title for _, title, *_ in CASES])
def test_headline_alone_tells_kind_and_stage(read: Read, language: str, title: str, kind: str, stage: str) -> None:
    (relation,) = read(title, "", language)
    assert (relation.kind, relation.stage, relation.focus) == (kind, stage, Focus.NEWS)
    assert relation.in_title


def test_one_group_is_no_relation(read: Read) -> None:
    assert read("Audi and Porsche jointly develop a platform", "Audi and Porsche share a platform.") == []


def test_hub_with_separate_partners_gives_pairs(read: Read) -> None:
    found = read("Uber expands", "Uber has partnerships with companies such as Waymo, Nuro and Baidu.")
    assert {frozenset(party.id for party in one.parties) for one in found} == {
        frozenset({"uber", other}) for other in ("waymo", "nuro", "baidu")
    }


def test_one_contract_of_three_is_one_relation(read: Read) -> None:
    found = read("Three-way alliance of Honda, Nissan and Mitsubishi", "Honda, Nissan and Mitsubishi form an alliance.")
    assert len(found) == 1
    assert len(found[0].parties) == 3


def test_siblings_that_each_speak_are_two_relations(read: Read) -> None:
    found = read("Hyundai und Kia verhandeln nicht mit Apple", "Hyundai und Kia dementieren Gespräche mit Apple.", "de")
    assert {frozenset(party.id for party in one.parties) for one in found} == {
        frozenset({"hyundai", "apple"}),
        frozenset({"kia", "apple"}),
    }
    assert {one.factuality for one in found} == {Factuality.DENIED}


def test_no_longer_negotiating_is_a_confirmed_end(read: Read) -> None:
    (relation,) = read(
        "Renault: keine Gespräche mehr mit Volkswagen",
        "Die Gespräche mit Volkswagen sind beendet, es werde nicht mehr verhandelt, teilte Renault mit.",
        "de",
    )
    assert (relation.stage, relation.factuality) == (Stage.ENDED, Factuality.CONFIRMED)
    assert relation.ended_as is EndedAs.TALKS_FAILED


def test_denied_end_is_a_running_tie(read: Read) -> None:
    (relation,) = read(
        "Huawei denies an end of its partnership with BAIC",
        "Huawei denied an exit: the partnership with BAIC continues.",
    )
    assert (relation.stage, relation.factuality) == (Stage.ACTIVE, Factuality.CONFIRMED)


def test_no_comment_is_no_denial(read: Read) -> None:
    (relation,) = read("Ford in talks with Geely: sources", "Ford is in talks with Geely. Geely declined to comment.")
    assert relation.factuality is Factuality.REPORTED
    assert ("Geely", Stance.DECLINES_COMMENT) in {(one.speaker, one.stance) for one in relation.claims}


@pytest.mark.parametrize(
    ("language", "text", "origin"),
    [
        ("en", "Ford is in talks with Geely, Reuters reported, citing Caixin.", "Caixin"),
        ("en", "Ford is in talks with Geely, according to Bloomberg.", "Bloomberg"),
        ("de", "Ford verhandelt mit Geely, wie Reuters unter Berufung auf Caixin berichtet.", "Caixin"),
        ("de", "Laut „Manager Magazin“ verhandelt Ford mit Geely.", "Manager Magazin"),
        ("de", "DETROIT (Reuters) - Ford verhandelt mit Geely.", "unknown"),
        ("en", "Ford is in talks with Geely.", "unknown"),
        ("en", "Exclusive: Ford is in talks with Geely, we have learned.", "Example News"),
    ],
)
def test_origin_is_the_credited_source(read: Read, language: str, text: str, origin: str) -> None:
    (relation,) = read("Ford und Geely" if language == "de" else "Ford and Geely", text, language, "Example News")
    assert relation.origin == origin


def test_memorandum_does_not_bind(read: Read) -> None:
    (relation,) = read("GM and Hyundai sign memorandum", "GM and Hyundai signed a non-binding memorandum to cooperate.")
    assert relation.binding is False
    assert Milestone.MOU in relation.milestones
    assert relation.stage is Stage.AGREED


def test_venture_is_no_party_of_its_founding(read: Read) -> None:
    (relation,) = read("Horse Powertrain, the joint venture of Renault and Geely, has started", "It has begun work.")
    assert {party.id for party in relation.parties} == {"renault", "geely"}
    assert (relation.kind, relation.venture) == (Kind.JOINT_VENTURE, "Horse Powertrain")


def test_record_carries_the_article(extractor: Extractor) -> None:
    one = replace(article("Ford and Geely form a joint venture", "", "en"), url="https://example.org/1", version=3)
    found = extractor.extract(one)
    assert (found.article_id, found.version, found.url, found.event_time) == ("a", 3, "https://example.org/1", AT)


def test_every_company_of_a_list_is_supplied(read: Read) -> None:
    relations = read("Batteries from Korea", "SK On supplies batteries to Hyundai, Volkswagen, Nissan and Polestar.")
    supplied = {party.name for one in relations for party in one.parties} - {"SK On"}
    assert supplied == {"Hyundai", "Volkswagen", "Nissan", "Polestar"}
    assert {(one.kind, len(one.parties)) for one in relations} == {("supply", 2)}


@pytest.mark.parametrize(
    ("after", "stances"),
    [
        ("Foxconn called the report untrue.", [("Foxconn", "denies")]),
        ("Foxconn declined to comment.", [("Foxconn", "declines_comment")]),
        ("Volkswagen declined to comment.", []),
    ],
)
def test_what_follows_upon_a_side_matter_speaks_of_it(read: Read, after: str, stances: list[tuple[str, str]]) -> None:
    title = "Stellantis and Leapmotor form a joint venture"
    text = (
        "Stellantis and Leapmotor have formed a joint venture. Foxconn is in talks to buy Polestar, Bloomberg reported."
    )
    side = next(one for one in read(title, f"{text} {after}") if one.parties[0].name == "Foxconn")
    parties = [(claim.speaker, claim.stance) for claim in side.claims if claim.speaker_type == "party"]
    assert parties == stances
