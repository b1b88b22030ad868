"""The evidence marked in the text."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.unit.cli.making import drawn

from tieup.cli.evidence import article_evidence, marked, marks_of
from tieup.model.article import Article
from tieup.model.labels import Basis, Factuality, Focus, Kind, SpeakerType, Stage, Stance, Target
from tieup.model.relation import Claim, Evidence, JudgementConfidences, Part, Party, Relation, Span

TEXT = "Ford und Xiaomi bestreiten\nGespräche."
ARTICLE = Article("a" * 32, 1, "Dementi", TEXT, datetime(2026, 2, 1, tzinfo=UTC), language="de")
RELATION = Relation(
    parties=(Party("Ford", "ford"), Party("Xiaomi", "xiaomi")),
    kind=Kind.ALLIANCE,
    stage=Stage.TALKS,
    factuality=Factuality.DENIED,
    basis=Basis.PARTY,
    focus=Focus.NEWS,
    claims=(Claim("Ford", SpeakerType.PARTY, Stance.DENIES, Target.TALKS, Span(Part.TEXT, 16, 26, "bestreiten")),),
    evidence=(
        Evidence("relation", Part.TEXT, 0, 36, TEXT),
        Evidence("factuality", Part.TEXT, 16, 26, "bestreiten"),
        Evidence("stage", Part.TEXT, 27, 36, "Gespräche"),
        Evidence("kind", Part.TITLE, 0, 7, "Dementi"),
    ),
)


def test_marks_stand_behind_their_words_and_share_a_stretch() -> None:
    shown = marked(TEXT, marks_of([RELATION], Part.TEXT)).plain
    assert shown == "Ford und Xiaomi bestreiten[factuality 1, claim 1]\nGespräche[stage 1]."


def test_colour_lies_on_exactly_the_words() -> None:
    shown = marked(TEXT, marks_of([RELATION], Part.TEXT))
    coloured = {shown.plain[span.start : span.end] for span in shown.spans if span.style == "blue"}
    assert coloured == {"Gespräche"}


def test_marks_survive_characters_that_are_not_shown() -> None:
    evil = TEXT.replace("Ford", "F\x1b\u202ed")
    assert marked(evil, marks_of([RELATION], Part.TEXT)).plain.endswith("Gespräche[stage 1].")


def test_overlapping_and_overlong_marks_do_not_lose_text() -> None:
    wide = replace(
        RELATION, evidence=(Evidence("kind", Part.TEXT, 0, 99, "x"), Evidence("stage", Part.TEXT, 2, 9, "y"))
    )
    shown = marked(TEXT, marks_of([wide], Part.TEXT)).plain
    assert shown.replace("[stage 1]", "").replace("[claim 1]", "").replace("[kind 1]", "") == TEXT


def test_the_relation_in_words() -> None:
    text = drawn(article_evidence(ARTICLE, [RELATION]))
    assert "1  Ford – Xiaomi" in text
    assert "alliance · talks · denied (basis: party) · news" in text
    assert "Ford denies talks: “bestreiten”" in text
    assert "Dementi[kind 1]" in text


def test_an_article_without_relations_says_so() -> None:
    assert "No relation" in drawn(article_evidence(ARTICLE, []))


def test_explained_each_label_tells_how_sure_it_is_and_which_words_led_to_it() -> None:
    told = replace(RELATION, confidence=0.71, confidences=JudgementConfidences(0.97, 0.82, 0.9, 0.99))
    rows = [line.split() for line in drawn(article_evidence(ARTICLE, [told], explain=True)).splitlines()]
    assert ["kind", "alliance", "0.82", "“Dementi”"] in rows
    assert ["stage", "talks", "0.90", "“Gespräche”"] in rows
    assert ["factuality", "denied", "(party)", "0.99", "“bestreiten”"] in rows
    assert ["all", "right", "0.71"] in rows


def test_a_label_without_words_says_what_led_to_it() -> None:
    bare = replace(RELATION, evidence=())
    assert "no words of its own: the kind" in drawn(article_evidence(ARTICLE, [bare], explain=True), width=160)


def test_without_explanation_nothing_of_it_is_shown() -> None:
    assert "all right" not in drawn(article_evidence(ARTICLE, [RELATION]))
