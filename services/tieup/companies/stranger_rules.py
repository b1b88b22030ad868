"""How texts introduce companies that the gazetteer lacks: the record of the rules, and their loader."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Final

import msgspec

from tieup.errors import DataError

_FILE: Final = "strangers.toml"


@dataclass(frozen=True, slots=True)
class EastRules:
    """The same for Chinese, Japanese and Korean: words before a name, endings of names, endings of other words.

    `zh_generic` are words that before an ending make a word of the trade (动力电池) and no name.
    """

    zh_before: tuple[str, ...]
    zh_suffixes: tuple[str, ...]
    zh_generic: tuple[str, ...]
    ja_before: tuple[str, ...]
    ja_suffixes: tuple[str, ...]
    ko_before: tuple[str, ...]
    ko_suffixes: tuple[str, ...]
    ko_particles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordRules:
    """Capitalised words that say something about a name.

    `leading` words only stand before a name, `common` ones are none by themselves, `institutions` make it an authority,
    a school or a medium, `titles` before it and `speech` after it make it a person, as `first_names` do; `places` are
    none.
    """

    leading: tuple[str, ...]
    common: tuple[str, ...]
    institutions: tuple[str, ...]
    titles: tuple[str, ...]
    speech: tuple[str, ...]
    places: tuple[str, ...]
    first_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where ties name a partner: right after a word of `last`, a few words after `tie` (a regular expression)."""

    last: tuple[str, ...]
    tie: str


@dataclass(frozen=True, slots=True)
class StrangerRules:
    """How texts introduce companies.

    `legal_forms` close a name, `suffixes` are the last words of many; per language (ISO 639-1), `heads` are the words
    of trade before a name (a leading hyphen: the end of a compound), `afterwards` those after a comma, `frames` what
    stands before a partner's name.
    """

    legal_forms: tuple[str, ...]
    suffixes: tuple[str, ...]
    heads: Mapping[str, tuple[str, ...]]
    afterwards: Mapping[str, tuple[str, ...]]
    frames: Mapping[str, tuple[Frame, ...]]
    east: EastRules
    words: WordRules


def load_stranger_rules() -> StrangerRules:
    """Return the rules of the package's data. Raises DataError, naming the field, if the file is wrong."""
    text = files("tieup.companies").joinpath("data", _FILE).read_text(encoding="utf-8")
    return read_stranger_rules(text)


def read_stranger_rules(text: str) -> StrangerRules:
    """Return the rules written in a TOML text. Raises DataError, naming the field, if it is wrong."""
    try:
        rules = msgspec.convert(tomllib.loads(text), StrangerRules)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{_FILE}: {error}") from error
    if not rules.heads.keys() == rules.afterwards.keys() == rules.frames.keys():
        raise DataError(f"{_FILE}: heads, afterwards and frames name different languages")
    for part in (rules.east, rules.words):
        for field in fields(part):
            if not all(word.strip() for word in getattr(part, field.name)):
                raise DataError(f"{_FILE}: {field.name}: an entry is empty")
    return rules
