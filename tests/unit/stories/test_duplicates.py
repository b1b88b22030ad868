from datetime import timedelta

from tests.unit.stories.making import START

from tieup.articles.signature import SKETCH, sign
from tieup.model.relation import Signature
from tieup.stories.duplicates import DuplicateIndex, is_copy

WORDS = [f"word{at}" for at in range(2_000)]
LONG = " ".join(WORDS)
TEXT = " ".join(WORDS[:300])


def signature(text: str) -> Signature:
    return sign(text, "")


def original(text: str, copy: str, days: float = 0) -> str | None:
    index = DuplicateIndex()
    index.add("original", START, signature(text))
    return index.original("copy", START + timedelta(days=days), signature(copy))


def test_copies_are_found() -> None:
    assert original(TEXT, TEXT) == "original"
    assert original(TEXT, " ".join(WORDS[:120])) == "original"
    assert original(" ".join(WORDS[:120]), TEXT) == "original"
    assert original(TEXT, "a new headline and a boilerplate line of ours " + TEXT) == "original"


def test_a_copy_of_part_of_a_text_longer_than_the_sketch_is_found() -> None:
    assert len(signature(LONG).shingles) == SKETCH
    assert original(LONG, " ".join(WORDS[:1_200])) == "original"


def test_others_are_not() -> None:
    assert original(TEXT, " ".join(WORDS[200:600])) is None
    assert original(TEXT, LONG[-3_000:]) is None
    assert original("Ford denies talks", "Ford denies talks with Xiaomi on everything") is None


def test_short_texts_are_copies_only_when_the_same() -> None:
    assert original("Ford denies talks", "Ford denies talks!") == "original"


def test_the_window_is_thirty_days() -> None:
    assert original(TEXT, TEXT, days=30) == "original"
    assert original(TEXT, TEXT, days=31) is None
    assert original(TEXT, TEXT, days=-31) is None


def test_an_article_is_no_copy_of_itself_and_the_earliest_is_the_original() -> None:
    index = DuplicateIndex()
    index.add("b", START, signature(TEXT))
    assert index.original("b", START, signature(TEXT)) is None
    index.add("c", START - timedelta(days=1), signature(TEXT))
    index.add("a", START, signature(TEXT))
    assert index.original("x", START, signature(TEXT)) == "c"


def test_what_is_removed_leaves_nothing() -> None:
    index = DuplicateIndex()
    index.add("a", START, signature(TEXT))
    index.add("a", START, signature(LONG))
    index.remove("a")
    index.remove("a")
    assert len(index) == 0
    assert not index._by_band
    assert index.original("x", START, signature(TEXT)) is None


def test_signatures_of_another_algorithm_are_not_compared() -> None:
    index = DuplicateIndex()
    mine = signature(TEXT)
    index.add("a", START, Signature("older", mine.bands, mine.shingles))
    assert index.original("x", START, mine) is None


def test_nothing_is_a_copy_of_nothing() -> None:
    assert not is_copy(frozenset(), [])
    assert not is_copy(frozenset({1}), [])
