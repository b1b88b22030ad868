"""Loads and checks the lexicons: one TOML file per language, and the media that articles credit.

A language file holds tables of entries, `[[kind.joint_venture]]`-like but one line each:

    [kind]
    joint_venture = [{ match = "joint venture*", weight = 3, example = "They form a joint venture." }]

`match` is a pattern (see `tieup.claims.patterns`), `weight` how much one occurrence counts (default 1), `example` a
text in which it must occur; the tests try every example.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

from tieup.claims.needles import Needles
from tieup.claims.patterns import Pattern, compile_pattern
from tieup.errors import DataError
from tieup.model.labels import EndedAs, Kind, Milestone, Stage

_PUNCTUATION: Final = (
    r"[;:]\s|\s[–—-]\s|,\s(?:and|but|und|aber|doch|sondern)\b|,\s(?:(?:mit|an|bei|für|von|in|with|of)\s)?"
    r"(?:der|die|das|dem|denen|den|dessen|deren|which|whom|whose|who)\b"
)
"""What parts clauses in every language with Latin letters: points, dashes, relative pronouns after a comma."""

LANGUAGES: Final = ("de", "en", "es", "fr", "it", "ja", "ko", "zh")


class Topic(StrEnum):
    """What a table of a lexicon is about: the first part of its name."""

    KIND = "kind"
    STAGE = "stage"
    ENDED_AS = "ended_as"
    MILESTONE = "milestone"
    BINDING = "binding"
    STANCE = "stance"
    SOURCE = "source"
    FOCUS = "focus"
    TEXT = "text"


_SORTING: Final = ("no_relation", "no_article")
_PARTIES: Final = ("aside", "both", "matter", "hub", "joint", "unit", "theirs", "others", "product", "adds", "trio")
_LABELS: Final[dict[Topic, frozenset[str]]] = {
    Topic.KIND: frozenset(Kind) | {"link"},
    Topic.STAGE: frozenset(Stage),
    Topic.ENDED_AS: frozenset(EndedAs),
    Topic.MILESTONE: frozenset(Milestone),
    Topic.BINDING: frozenset({"yes", "no"}),
    Topic.STANCE: frozenset({"denies", "denies_end", "declines_comment", "confirms"}),
    Topic.SOURCE: frozenset({"anonymous", "medium", "credits", "own", "authority", "document", "rumour"}),
    Topic.FOCUS: frozenset({"background", "news"}),
    Topic.TEXT: frozenset({*_SORTING, *_PARTIES, "void", "vehicle"}),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a lexicon."""

    topic: Topic
    label: str
    pattern: Pattern
    weight: float
    example: str


@dataclass(frozen=True)
class Lexicon:
    """The lexicon of one language: its entries, its abbreviations (lower case, no last stop), what parts clauses."""

    language: str
    entries: tuple[Entry, ...]
    abbreviations: frozenset[str]
    breaks: re.Pattern[str]

    @cached_property
    def needles(self) -> Needles:
        """The needles of the entries' patterns, by the entries' indices."""
        return Needles([entry.pattern for entry in self.entries])


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium that articles credit; `exact` names are found only as written."""

    name: str
    aliases: tuple[str, ...]
    exact: bool


def load_lexicon(language: str) -> Lexicon:
    """Return the lexicon of a language (ISO 639-1). Raises DataError, naming file and entry, if the file is wrong."""
    return read_lexicon(language, _text(f"lexicon/{language}.toml"))


def read_lexicon(language: str, text: str) -> Lexicon:
    """Return the lexicon written in a TOML text. Raises DataError, naming file and entry, if it is wrong."""
    place = f"lexicon/{language}.toml"
    table = _parsed(place, text)
    if unknown := set(table) - {*Topic, "abbreviations", "breaks"}:
        raise DataError(f"{place}: unknown table {min(unknown)!r}")
    breaks = [compile_pattern(word).regex.pattern for word in _words(place, table, "breaks")]
    return Lexicon(
        language=language,
        entries=tuple(_entries(place, table)),
        abbreviations=frozenset(_words(place, table, "abbreviations")),
        breaks=re.compile("|".join((_PUNCTUATION, *breaks))),
    )


def load_media() -> tuple[Medium, ...]:
    """Return the media by name. Raises DataError if the file is wrong or a name stands twice."""
    table = _parsed("lexicon/media.toml", _text("lexicon/media.toml"))
    media: list[Medium] = []
    seen: set[str] = set()
    for name, row in table.items():
        if not isinstance(row, dict) or set(row) - {"aliases", "exact"}:
            raise DataError(f"lexicon/media.toml: {name!r}: wants aliases and exact only")
        medium = Medium(name, tuple(row.get("aliases", ())), bool(row.get("exact", False)))
        if twice := seen.intersection((name, *medium.aliases)):
            raise DataError(f"lexicon/media.toml: {min(twice)!r} stands twice")
        seen.update((name, *medium.aliases))
        media.append(medium)
    return tuple(media)


def _text(place: str) -> str:
    try:
        return files("tieup.claims").joinpath(place).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{place}: missing") from error


def _parsed(place: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{place}: {error}") from error


def _entries(place: str, table: dict[str, Any]) -> Iterator[Entry]:
    for topic in Topic:
        for label, rows in table.get(topic, {}).items():
            if label not in _LABELS[topic]:
                raise DataError(f"{place}: {topic}.{label}: no such label")
            for row in rows:
                yield _entry(f"{place}: {topic}.{label}", topic, label, row)


def _entry(place: str, topic: Topic, label: str, row: object) -> Entry:
    if not isinstance(row, dict) or set(row) - {"match", "weight", "example"} or not {"match", "example"} <= set(row):
        raise DataError(f"{place}: {row!r}: wants match, example and perhaps weight")
    weight = row.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 10:
        raise DataError(f"{place}: {row['match']!r}: weight must be above 0 and at most 10")
    return Entry(topic, label, compile_pattern(str(row["match"])), float(weight), str(row["example"]))


def _words(place: str, table: dict[str, Any], key: str) -> list[str]:
    words = table.get(key)
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise DataError(f"{place}: {key}: wants a list of words")
    return words
