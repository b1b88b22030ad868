"""Finds the media that an article names."""

import re
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick

from tieup.claims.lexicon.load import Medium
from tieup.companies.folding import fold


@dataclass(frozen=True, slots=True)
class MediumMention:
    """A medium's name at [start, end) of a part."""

    name: str
    start: int
    end: int


class MediaFinder:
    """Finds media by name; immutable."""

    def __init__(self, media: tuple[Medium, ...]) -> None:
        self._names = {
            _key(alias, medium.exact): medium.name for medium in media for alias in (medium.name, *medium.aliases)
        }
        exact = [alias for medium in media if medium.exact for alias in (medium.name, *medium.aliases)]
        free = [alias for medium in media if not medium.exact for alias in (medium.name, *medium.aliases)]
        self._likely = AhoCorasick(sorted({fold(alias) for alias in (*exact, *free)}))
        self._patterns = (_union(exact, 0), _union(free, re.IGNORECASE))

    def find(self, text: str) -> list[MediumMention]:
        """Return the media in order; where two overlap, the longer one."""
        if not self._likely.find_matches_as_indexes(fold(text)):
            return []
        found = [match for pattern in self._patterns for match in pattern.finditer(text)]
        kept: list[MediumMention] = []
        for match in sorted(found, key=lambda one: (one.start(), -one.end())):
            if not kept or match.start() >= kept[-1].end:
                name = self._names.get(match.group()) or self._names[_key(match.group(), exact=False)]
                kept.append(MediumMention(name, match.start(), match.end()))
        return kept


def _key(alias: str, exact: bool) -> str:
    return alias if exact else alias.lower()


def _union(aliases: list[str], flags: int) -> re.Pattern[str]:
    ordered = sorted(set(aliases), key=lambda alias: (-len(alias), alias))
    parts = [_bounded(alias) for alias in ordered]
    return re.compile("|".join(parts), flags)


def _bounded(alias: str) -> str:
    escaped = re.escape(alias)
    return rf"(?<!\w){escaped}(?!\w)" if alias[0].isascii() or alias[0] == "Ö" else escaped
