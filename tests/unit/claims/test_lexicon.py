"""The lexicons: every entry's example, and what the loader refuses."""

from importlib import resources
from pathlib import Path

import pytest

from tieup.claims.lexicon.load import LANGUAGES, Entry, load_lexicon, load_media, read_lexicon
from tieup.claims.patterns import COMPANY, MEDIUM, PERSON, mask
from tieup.errors import DataError

ENTRIES = [(language, entry) for language in LANGUAGES for entry in load_lexicon(language).entries]


@pytest.mark.parametrize(
    ("language", "entry"), ENTRIES, ids=[f"{language}-{at}" for at, (language, _) in enumerate(ENTRIES)]
)
def test_entry_is_found_in_its_example(language: str, entry: Entry) -> None:
    example = entry.example.replace("<co>", COMPANY).replace("<medium>", MEDIUM).replace("<person>", PERSON)
    masked = mask(example, [])
    assert entry.pattern.regex.search(masked), f"{language} {entry.topic}.{entry.label}: {entry.pattern.source}"
    assert entry.pattern.may_occur(masked)


def test_no_entry_stands_twice() -> None:
    keys = [(language, entry.topic, entry.label, entry.pattern.source) for language, entry in ENTRIES]
    assert len(keys) == len(set(keys))


def test_media_have_names_of_their_own() -> None:
    names = [name for medium in load_media() for name in (medium.name, *medium.aliases)]
    assert "Reuters" in names
    assert len(names) == len(set(names))


def test_every_lexicon_is_a_language() -> None:
    folder = resources.files("tieup.claims").joinpath("lexicon")
    held = {Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".toml")}
    assert held == {*LANGUAGES, "media"}


HEAD = 'abbreviations = ["e.g"]\nbreaks = ["while"]\n'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (HEAD + "[mood]\n", "unknown table 'mood'"),
        (HEAD + '[kind]\nmarriage = [{ match = "wed", example = "wed" }]\n', "no such label"),
        (HEAD + '[kind]\nsupply = [{ match = "supply" }]\n', "wants match, example"),
        (HEAD + '[kind]\nsupply = [{ match = "supply", example = "supply", weight = 11 }]\n', "weight"),
        (HEAD + '[kind]\nsupply = [{ match = "(supply", example = "supply" }]\n', "lexicon pattern"),
        ('breaks = ["while"]\n', "abbreviations"),
        ("[kind\n", "xx.toml"),
    ],
)
def test_wrong_file_is_refused_by_name(text: str, word: str) -> None:
    with pytest.raises(DataError, match=word.replace("(", r"\(")):
        read_lexicon("xx", text)


def test_missing_language_is_named() -> None:
    with pytest.raises(DataError, match=r"xx\.toml: missing"):
        load_lexicon("xx")
