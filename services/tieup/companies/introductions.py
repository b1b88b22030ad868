"""How one language with Latin letters introduces companies by name.

Each run of capitalised words is looked at once, and what stands around it decides; the words right before it are tried
in a set before any regular expression is, since most names follow none of them.
"""

import re
from collections.abc import Iterator, Sequence

from tieup.companies.stranger_names import KNOWN, NAME, NameTests, union
from tieup.companies.stranger_rules import Frame, StrangerRules

_NAMES = re.compile(NAME)
_ONE = rf"(?:{KNOWN}{{1,60}}(?:[’']s)?|{NAME})"
_LIST = re.compile(rf"{_ONE}(?:, {_ONE}){{0,8}},? (?:and|&|et|y|e|und|sowie) (?:the )?{_ONE}")
_JOINED = (" and ", " & ", " et ", " y ", " e ", " und ", " sowie ")
_EXCHANGE = re.compile(r",? \((?:NYSE|NASDAQ|Nasdaq|TSX|LSE|HKEX|SEHK|ASX|TSE|Euronext)")
_BASED = ("-based", "-listed", "-headquartered")
_ARTICLES = frozenset({"the", "a", "an", "le", "la", "les", "el", "il", "den", "dem", "der", "die", "das"})
_POSSESSIVES = frozenset({"'s", "’s"})
_QUOTES = " „“\"«‘'"
_BEFORE = 100
"""How far before a name the words are looked for that introduce it."""
_ADJECTIVES = 3
"""How many words may stand between a word of trade and the name in Romance languages ("fabricant de batteries X")."""
_FEW_WORDS = 4
_TITLE_CASE = 0.6
"""A headline with so great a share of capitalised words writes every noun so."""


class Introductions:
    """Finds the names that a language's words introduce; immutable."""

    def __init__(self, language: str, rules: StrangerRules, tests: NameTests) -> None:
        self._tests = tests
        self._german = language == "de"
        self._loose = language in {"fr", "es", "it"}
        heads = rules.heads[language]
        self._heads = frozenset(word for word in heads if not word.startswith("-"))
        self._last_words = frozenset(word.split(" ")[-1] for word in self._heads)
        self._compounds = tuple(word[1:] for word in heads if word.startswith("-"))
        self._form = re.compile(rf",? (?:{union(rules.legal_forms)})(?![\w&])")
        self._afterwards = _afterwards(rules.afterwards[language])
        self._frames = _frames(rules.frames[language])

    def names(self, stretch: str) -> Iterator[tuple[str, bool]]:
        """Yield the names that a sentence introduces, and whether as companies' or only beside a known company."""
        known = KNOWN in stretch
        listed = _listed(stretch) if known and any(one in stretch for one in _JOINED) else frozenset()
        title_case: bool | None = None
        for found in _NAMES.finditer(stretch):
            closed = self._closed(stretch, found)
            if closed is not None:
                start, name, sure = found.start(), closed, True
            else:
                start, name, sure = self._introduced(stretch, found, known=known, listed=found.start() in listed)
                if not name:
                    continue
                title_case = self._is_title_case(stretch) if title_case is None else title_case
                if title_case:
                    continue
            kept = self._tests.name(name, stretch, start, sure=sure, german=self._german)
            if kept is not None:
                yield kept, sure

    def _introduced(self, stretch: str, found: re.Match[str], *, known: bool, listed: bool) -> tuple[int, str, bool]:
        """Return where a name starts, the name (empty: none), and whether the text says that it is a company's."""
        start, name = self._after_head(found)
        if start > found.start() or self._is_told(stretch, start, found.end()):
            return start, name, True
        if not known:
            return start, "", False
        owner, name = _after_owner(name)
        start += len(owner)
        suffixed = self._tests.suffixed(name)
        if suffixed is not None:
            return start, suffixed, True
        beside = listed or _is_beside(stretch, start, found.end()) or self._is_framed(stretch, start)
        return start, name if beside else "", False

    def _after_head(self, found: re.Match[str]) -> tuple[int, str]:
        """Return the name without a capitalised word of trade at its beginning ("Batteriehersteller Lyten")."""
        start, name = found.start(), found.group()
        words = name.split(" ")
        for at in range(len(words) - 1, 0, -1):
            if self._is_head(words[at - 1]):
                return start + sum(len(word) + 1 for word in words[:at]), " ".join(words[at:])
        return start, name

    def _is_head(self, word: str) -> bool:
        if word in self._heads or (not self._german and word.lower() in self._heads):
            return True
        return bool(self._compounds) and word.lower().endswith(self._compounds)

    def _closed(self, stretch: str, found: re.Match[str]) -> str | None:
        """Return the name up to the legal form or the ticker that closes it; None where none does."""
        name = found.group()
        for end in (found.end(), found.start() + name.rfind(" ")):
            if stretch[end : end + 1] in {" ", ","} and end > found.start():
                for pattern in (self._form, _EXCHANGE):
                    if pattern.match(stretch, end) is not None:
                        return name[: end - found.start()]
        return None

    def _is_told(self, stretch: str, start: int, end: int) -> bool:
        """Whether a word of trade stands before the name or, after a comma, behind it."""
        if stretch.startswith(", ", end) and self._afterwards.match(stretch, end) is not None:
            return True
        words = stretch[max(0, start - _BEFORE) : start].rstrip(_QUOTES).split()[-1 - _ADJECTIVES :]
        if not words:
            return False
        words[-1] = words[-1].rsplit("’", 1)[-1].rsplit("'", 1)[-1]
        if self._is_head(words[-1]) or words[-1].endswith(_BASED):
            return True
        if words[-1] in self._last_words:
            return any(" ".join(words[-count:]) in self._heads for count in (2, 3))
        return self._loose and _is_after_loose_head(words, self._heads)

    def _is_framed(self, stretch: str, start: int) -> bool:
        words = stretch[max(0, start - _BEFORE) : start].rstrip(_QUOTES).split()
        if words and words[-1] in _ARTICLES:
            words.pop()
        if not words or words[-1] not in self._frames:
            return False
        tie = self._frames[words[-1]]
        return any(one is None or one.search(" ".join(words[-7:-1])) is not None for one in tie)

    def _is_title_case(self, stretch: str) -> bool:
        if self._german:
            return False
        words = re.findall(r"[^\W\d_]{4,}", stretch.replace(KNOWN, " "))
        capital = sum(word[0].isupper() for word in words)
        return len(words) > _FEW_WORDS and capital / len(words) > _TITLE_CASE


def _after_owner(name: str) -> tuple[str, str]:
    """Return a name in two parts: up to a possessive inside it ("Austria's "), and the rest."""
    words = name.split(" ")
    for at in range(len(words) - 1, 0, -1):
        if words[at - 1][-2:] in _POSSESSIVES:
            return " ".join(words[:at]) + " ", " ".join(words[at:])
    return "", name


def _is_after_loose_head(words: Sequence[str], heads: frozenset[str]) -> bool:
    """Whether a word of trade stands a few plain words before ("fabricant de batteries")."""
    for at in range(len(words) - 1, -1, -1):
        if words[at] in heads:
            return True
        if not words[at].islower():
            return False
    return False


def _is_beside(stretch: str, start: int, end: int) -> bool:
    """Whether a known company is joined to the name by a slash or a dash ("Ford-X")."""
    before = start > 1 and stretch[start - 1] in "/–-" and stretch[start - 2] == KNOWN
    return before or (end + 1 < len(stretch) and stretch[end] in "/–-" and stretch[end + 1] == KNOWN)


def _listed(stretch: str) -> frozenset[int]:
    """Return where names start that are named side by side with a known company."""
    return frozenset(
        one.start()
        for listed in _LIST.finditer(stretch)
        if KNOWN in listed.group()
        for one in _NAMES.finditer(stretch, listed.start(), listed.end())
    )


def _afterwards(words: Sequence[str]) -> re.Pattern[str]:
    article = r"(?:a|an|the|one of the|ein|eine|der|die|das|un|une|una|uno|le|la|el|il)"
    return re.compile(
        rf", (?:{article} |l['’])?(?:[\w’'-]{{1,30}} ){{0,5}}?(?:[\w-]{{1,30}}-)?(?:{union(tuple(words))})(?!\w)"
    )


def _frames(frames: Sequence[Frame]) -> dict[str, list[re.Pattern[str] | None]]:
    """Return, per word right before a name, the patterns of which one must stand before that; None: none need."""
    found: dict[str, list[re.Pattern[str] | None]] = {}
    for frame in frames:
        tie = re.compile(rf"(?<!\w){frame.tie}(?!\w)") if frame.tie else None
        for word in frame.last:
            found.setdefault(word, []).append(tie)
    return found
