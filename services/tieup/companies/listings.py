"""Companies' names as lists of shares have them: with the legal form and the sort of share behind."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import msgspec

from tieup.companies.folding import fold
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.stranger_rules import load_stranger_rules
from tieup.errors import DataError

_FILE: Final = "listings.toml"


@dataclass(frozen=True, slots=True)
class _Endings:
    """What stands behind a name: of the `company`, and of the `share`."""

    company: tuple[str, ...]
    share: tuple[str, ...]


class ListedNames:
    """Finds companies by such names."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        """Read the endings. Raises DataError, naming the file, if they are wrong."""
        endings = _read()
        self._gazetteer = gazetteer
        self._endings = frozenset(map(_key, (*load_stranger_rules().legal_forms, *endings.company, *endings.share)))
        self._longest = max(len(ending.split()) for ending in self._endings)

    def find(self, name: str) -> str | None:
        """Return the id of the company with this name; with what stands behind it taken off, bit by bit, if need be."""
        for one in (name, *self._shorter(name)):
            company = self._gazetteer.find_by_name(one)
            if company is not None:
                return company.id
        return None

    def _shorter(self, name: str) -> Iterator[str]:
        words = name.replace(",", " ").split()
        while taken := self._ending(words):
            words = words[:-taken]
            yield " ".join(words)

    def _ending(self, words: list[str]) -> int:
        """Return how many words the name's ending has, 0 if it has none; one word of a name is its own."""
        counts = range(min(self._longest, len(words) - 1), 0, -1)
        return next((count for count in counts if _key(" ".join(words[-count:])) in self._endings), 0)


def _key(ending: str) -> str:
    return " ".join(fold(ending).replace(".", "").replace(",", " ").split())


def _read() -> _Endings:
    text = files("tieup.companies").joinpath("data", _FILE).read_text(encoding="utf-8")
    try:
        return msgspec.convert(tomllib.loads(text), _Endings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{_FILE}: {error}") from error
