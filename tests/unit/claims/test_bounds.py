"""No text costs more than its length: the steps taken are counted, not the time."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.claims.conftest import AT

from tieup.claims.bounds import CUES, MENTIONS, READ_CHARACTERS
from tieup.claims.extract import MAX_RELATIONS, Extractor
from tieup.claims.lexicon.load import load_lexicon
from tieup.companies.gazetteer import Gazetteer
from tieup.model.article import Article

LONGEST = 100_000
MOST = 4_500_000
"""Calls for the longest article: under a second without the counting."""

SENTENCE = "Ford and Xiaomi in talks with BYD, CATL and Volkswagen on a joint venture. "
FRAGMENTS = st.sampled_from(
    [
        "Ford",
        "Xiaomi and BYD",
        "Toyota, Kia, Honda",
        "joint venture",
        "in talks",
        "with",
        "denied",
        "said the government of",
        "Reuters reported",
        "both",
        "partnership between",
        "also",
        ".",
        ",",
        ";",
        "\n",
        "1.2 bn",
        "“",
    ]
)


def filled(fragment: str, length: int) -> str:
    return (fragment * (length // len(fragment) + 1))[:length]


def calls(extractor: Extractor, text: str) -> int:
    """The number of calls, of Python and of C functions, that extracting from a text takes."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    article = Article("a", 1, "Ford and Xiaomi", text, observed_at=AT, published=AT, language="en")
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        found = extractor.extract(article)
    finally:
        sys.setprofile(before)
    assert len(found.relations) <= MAX_RELATIONS
    return count


def names(gazetteer: Gazetteer) -> str:
    return ", ".join(company.name for company in gazetteer) + " "


def cue_words(_: Gazetteer) -> str:
    return " ".join(entry.example.rstrip(".") for entry in load_lexicon("en").entries if entry.topic != "text") + " "


@pytest.mark.parametrize(
    "fragment",
    [
        lambda _: SENTENCE,
        lambda _: SENTENCE.replace(".", ","),
        lambda _: "Ford joint venture with BYD ",
        names,
        cue_words,
    ],
    ids=["sentence", "one long sentence", "names and cues", "names", "cue words"],
)
def test_the_longest_text_costs_no_more_than_its_length(
    extractor: Extractor, gazetteer: Gazetteer, fragment: Callable[[Gazetteer], str]
) -> None:
    repeated = fragment(gazetteer)
    short = calls(extractor, filled(repeated, LONGEST // 10))
    assert calls(extractor, filled(repeated, LONGEST)) < min(MOST, 12 * short)


@settings(max_examples=8, deadline=None)
@given(st.lists(FRAGMENTS, min_size=1, max_size=8).map(lambda pieces: " ".join(pieces) + " "))
def test_no_repeated_fragment_costs_more_than_its_length(extractor: Extractor, fragment: str) -> None:
    assert calls(extractor, filled(fragment, READ_CHARACTERS)) < MOST


def test_a_sentence_keeps_its_first_names_and_cues(extractor: Extractor) -> None:
    text = filled("Ford joint venture with BYD ", LONGEST)
    article = Article("a", 1, "", text, observed_at=AT, published=AT, language="en")
    reader = extractor._reader
    sentences = reader.read(article, reader.companies(article), load_lexicon("en"), extractor._gazetteer)
    assert max(one.end for one in sentences) <= READ_CHARACTERS
    assert {len(one.mentions) for one in sentences[:5]} == {MENTIONS}
    assert max(len(one.cues) for one in sentences) == CUES
