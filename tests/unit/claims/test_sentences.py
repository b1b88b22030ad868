"""Sentences and clauses, by offsets."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.claims.sentences import MAX_SENTENCE, split_sentences

ABBREVIATIONS = frozenset({"z.b", "mrd", "co", "inc", "u.s", "mr"})


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Eins. Zwei.", ["Eins.", "Zwei."]),
        ("anbieten zu können.Unter anderem", ["anbieten zu können.", "Unter anderem"]),
        ("in China vertreibt.FAW baut", ["in China vertreibt.", "FAW baut"]),
        ("Am 4. März kam es. Im 1. Quartal auch.", ["Am 4. März kam es.", "Im 1. Quartal auch."]),
        ("Es kostet 2,3 Mrd. Euro, z.B. hier.", ["Es kostet 2,3 Mrd. Euro, z.B. hier."]),
        ("Ford Motor Co. said so. Mr. Li too.", ["Ford Motor Co. said so.", "Mr. Li too."]),
        ("The U.S. market. J. Farley spoke.", ["The U.S. market.", "J. Farley spoke."]),
        ("“It is false.” He left.", ["“It is false.”", "He left."]),
        ("Reuters.com wrote 3.5 times", ["Reuters.com wrote 3.5 times"]),
        ("Überschrift\n\nText folgt", ["Überschrift", "Text folgt"]),
        ("小米与北汽合作。双方未回应。", ["小米与北汽合作。", "双方未回应。"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    assert [text[one.start : one.end] for one in split_sentences(text, ABBREVIATIONS)] == sentences


@given(st.text(alphabet=st.sampled_from('aB .!?\n"”。한ü1,'), max_size=300))
def test_sentences_lose_only_blanks(text: str) -> None:
    stretches = split_sentences(text, ABBREVIATIONS)
    assert "".join("".join(text[one.start : one.end] for one in stretches).split()) == "".join(text.split())
    assert all(left.end <= right.start for left, right in itertools.pairwise(stretches))


@pytest.mark.parametrize("text", ["a" * 5_000, "word " * 2_000])
def test_no_sentence_is_longer_than_its_bound(text: str) -> None:
    assert all(one.end - one.start <= MAX_SENTENCE for one in split_sentences(text, ABBREVIATIONS))
