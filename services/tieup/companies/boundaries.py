"""Where a name may begin and end in running text, by script and by the inflections in the data."""

import re

from tieup.companies.company import NameRules
from tieup.companies.folding import fold, is_hangul, is_katakana, is_unspaced

_SHORT_HANGUL = 2
"""Korean names of so few syllables are also parts of other words, so only particles may follow."""
_BEFORE_BANK = 60
_FROM = r"(?:at|of|from|with|von|bei|vom|von der|der|de|chez|di|en)"


class Boundaries:
    """Decides whether what stands left and right of a name leaves it a name of its own."""

    def __init__(self, rules: NameRules) -> None:
        endings, compounds, outside = (_union(part) for part in (rules.endings, rules.compounds, rules.outside))
        inner = _union(rules.compound_endings)
        self._inflected = re.compile(rf"(?:{endings})?(?:{compounds})(?:{inner})?(?!\w)|(?:{endings})(?!\w)")
        self._compound = re.compile(rf"-(?:{compounds})(?:{inner})?(?!\w)")
        self._outside = re.compile(rf"(?:s)?-(?:{outside})(?:{inner})?(?!\w)")
        self._particle = re.compile(f"(?:{_union(rules.particles)})")
        self._follower = re.compile(f"(?:{_union(rules.followers)})")
        analysts = _union(rules.analysts) or r"(?!)"
        self._analyst_after = re.compile(rf"(?:'s|s)?[\s-]?(?:{analysts})")
        self._analyst_before = re.compile(rf"(?:{analysts})(?: [^\s,.;:]{{1,20}}){{0,3}}? {_FROM} $")

    def holds(self, unified: str, folded: str, start: int, end: int, *, ambiguous: bool) -> bool:
        """Say whether the name at [start, end) stands as a name of its own.

        `unified` and `folded` are the text as `unify` and `fold` give it. An ambiguous name may take no bare ending and
        only compounds of the list after its hyphen (Smart-Chef, never Smart-Home).
        """
        return self._left(unified, start) and self._right(unified, folded, start, end, ambiguous=ambiguous)

    def comments(self, folded: str, start: int, end: int) -> bool:
        """Say whether the bank named at [start, end) only says where an analyst comes from."""
        before = self._analyst_before.search(folded, max(0, start - _BEFORE_BANK), start)
        return before is not None or self._analyst_after.match(folded, end) is not None

    def _left(self, unified: str, start: int) -> bool:
        if start == 0:
            return True
        first, before = unified[start], unified[start - 1]
        if is_hangul(first):
            return not is_hangul(before)
        if is_katakana(first):
            return not is_katakana(before)
        if is_unspaced(first) or is_unspaced(before) or is_hangul(before):
            return True
        if before in "@_" or before.isalnum():
            return False
        return not (before == "." and first.islower() and start > 1 and unified[start - 2].isalnum())

    def _right(self, unified: str, folded: str, start: int, end: int, *, ambiguous: bool) -> bool:
        if end == len(unified):
            return True
        last, after = unified[end - 1], unified[end]
        if is_hangul(last):
            return self._right_of_hangul(unified, start, end)
        if is_katakana(last) and is_katakana(after):
            return self._follower.match(folded, end) is not None
        if is_unspaced(last) or is_unspaced(after) or is_hangul(after):
            return True
        return self._right_of_latin(unified, folded, end, ambiguous=ambiguous)

    def _right_of_latin(self, unified: str, folded: str, end: int, *, ambiguous: bool) -> bool:
        after = unified[end]
        if after == "-":
            return self._right_of_hyphen(folded, end, ambiguous=ambiguous)
        if after == "_" or after.isalnum():
            return not ambiguous and self._glued(folded, end)
        return not (after == "." and _is_domain_ending(unified, end))

    def _glued(self, folded: str, end: int) -> bool:
        return self._inflected.match(folded, end) is not None and self._outside.match(folded, end) is None

    def _right_of_hyphen(self, folded: str, end: int, *, ambiguous: bool) -> bool:
        if ambiguous:
            return self._compound.match(folded, end) is not None
        return self._outside.match(folded, end) is None

    def _right_of_hangul(self, unified: str, start: int, end: int) -> bool:
        if end - start > _SHORT_HANGUL or not is_hangul(unified[end]):
            return True
        return self._particle.match(unified, end) is not None


def _union(words: tuple[str, ...]) -> str:
    ordered = sorted({fold(word) for word in words}, key=lambda word: (-len(word), word))
    return "|".join(map(re.escape, ordered))


def _is_domain_ending(unified: str, end: int) -> bool:
    following = unified[end + 1 : end + 2]
    return following.isascii() and following.islower()
