"""Which patterns may occur in which stretch of a text: all their needles are looked for in one pass."""

from collections.abc import Sequence

from ahocorasick_rs import AhoCorasick

from tieup.claims.patterns import Pattern
from tieup.claims.sentences import Stretch, stretch_at


class Needles:
    """The needles of a list of patterns; immutable."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        owners: dict[str, list[int]] = {}
        for at, pattern in enumerate(patterns):
            for needle in pattern.needles:
                owners.setdefault(needle, []).append(at)
        self._always = tuple(at for at, pattern in enumerate(patterns) if not pattern.needles)
        self._owners = list(owners.values())
        self._search = AhoCorasick(list(owners)) if owners else None

    def by_stretch(self, masked: str, stretches: list[Stretch]) -> list[list[int]]:
        """Return, for each stretch of the masked text, the indices of the patterns that may occur in it, ascending."""
        found: list[set[int]] = [set(self._always) for _ in stretches]
        hits = self._search.find_matches_as_indexes(masked, overlapping=True) if self._search and stretches else ()
        for index, start, end in hits:
            at = stretch_at(stretches, start)
            if stretches[at].start <= start and end <= stretches[at].end:
                found[at].update(self._owners[index])
        return [sorted(one) for one in found]
