"""An index by pairs: what two companies, or two groups, have with each other is found without looking at the rest.

Looking up costs as much as is found, however much the index holds.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations, product
from sys import intern

from tieup.model.story import StoryParty

Pair = tuple[str, str]


def pairs(parties: Sequence[StoryParty]) -> frozenset[Pair]:
    """Return the pairs of names that two of these parties are found by: own key or group, since groups change."""
    return frozenset(
        (min(left, right), max(left, right))
        for one, other in combinations(parties, 2)
        for left, right in product({one.key, one.group}, {other.key, other.group})
    )


class PairIndex:
    """Keys (of stories, of articles) by the pairs of their parties."""

    def __init__(self) -> None:
        self._keys: dict[Pair, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, found: Iterable[Pair]) -> None:
        """Put the key under these pairs."""
        for left, right in found:
            pair = (intern(left), intern(right))
            self._keys[pair] = (*self._keys.get(pair, ()), key)

    def remove(self, key: str, found: Iterable[Pair]) -> None:
        """Take the key away from these pairs."""
        for pair in found:
            left = tuple(one for one in self._keys.get(pair, ()) if one != key)
            if left:
                self._keys[pair] = left
            else:
                self._keys.pop(pair, None)

    def find(self, found: Iterable[Pair]) -> set[str]:
        """Return the keys under any of these pairs."""
        return {key for pair in found for key in self._keys.get(pair, ())}
