"""What may be the name of a company that the gazetteer lacks, and what only looks like one."""

import re
from collections.abc import Iterable, Sequence

from tieup.companies.folding import name_key
from tieup.companies.stranger_rules import StrangerRules

KNOWN = "\ue000"
"""What a known company's name is blotted out with, character by character."""

UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶŁĻŃŅŇŌŐŒŘŚŞŠŤŪŮŰŹŻŽ"
LOWER = "a-zà-öø-ÿāăąćčďđēėęěğģīıķłļńņňōőœřśşšťūůűźżž"
_WORD = (
    rf"(?:[{UPPER}][\w’'&+]{{0,30}}(?:-[{UPPER}0-9]\w{{0,30}}){{0,3}}(?:\.(?:ai|io|com|auto|energy|tech))?(?<![’'])"
    rf"|[{LOWER}]{{1,2}}[{UPPER}]\w{{1,30}}|\d{{1,2}}[{UPPER}]\w{{0,30}})"
)
NAME = rf"(?<!\w){_WORD}(?:[ \u00a0](?:{_WORD}|(?:of|&|de|\+) {_WORD})){{0,3}}"
"""Up to four capitalised words; regular expressions that hold it cannot run away, since every part is bounded."""

_LINKS = frozenset({"of", "&", "de", "+"})
_SHORT_NOUN = 7
_LONGEST = 40
_SHORTEST = 3
_INNER_CAPITAL = re.compile(rf"[{LOWER}0-9][{UPPER}]|^[{UPPER}]{{3,}}$|\.|\d|&|\+")
_NOUN_ENDINGS = (
    "ung",
    "ungen",
    "heit",
    "keit",
    "keiten",
    "schaft",
    "tion",
    "tionen",
    "tät",
    "ismus",
    "ment",
    "zeuge",
    "werke",
    "gespräche",
    "pläne",
    "zahlen",
    "träger",
)
_MAKER = re.compile(rf"{KNOWN}(?:[’']s?)? $")
_STAKE = re.compile(
    r"invest|inver|investi|stake|share|interest|holding|parti|anteil|beteilig|acciones|quot|money|dollars|million|billion"
    r"|percent|%|put|stieg|einstieg|investor|trust|confidence|confiance",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"[’']s?$")


def union(words: Sequence[str]) -> str:
    """Return an alternation of the words as they are, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))


class NameTests:
    """Tells companies' names from what is written like them; immutable."""

    def __init__(self, rules: StrangerRules, others: Iterable[str]) -> None:
        words = rules.words
        self._leading = frozenset(words.leading)
        self._common = frozenset(words.common)
        self._institutions = frozenset(words.institutions)
        self._titles = frozenset(words.titles)
        self._first_names = frozenset(words.first_names)
        self._suffixes = frozenset(rules.suffixes)
        self._forms = frozenset(form.rstrip(".") for form in rules.legal_forms)
        self._others = frozenset(name_key(one) for one in (*others, *words.places))
        self._speech = re.compile(rf",? (?:{union(words.speech)})(?!\w)")

    def name(self, found: str, stretch: str, start: int, *, sure: bool, german: bool = False) -> str | None:
        """Return the name of a company in what was found at `start` of the stretch; None if there is none.

        Where the text does not introduce it as a company (`sure`), it must not look like a person's, a place's or a
        noun's. In `german` text every noun has a capital, so a name ends where a plain word follows.
        """
        skipped, words = self._trimmed(found)
        if german:
            words = self._without_nouns(words)
        name = " ".join(words)
        if not _SHORTEST <= len(name) <= _LONGEST or not self._may_be(words):
            return None
        at = start + skipped
        if self._is_person(words, stretch, at, at + len(name)) or _follows_its_maker(stretch, at):
            return None
        if german and not self._is_no_noun(words, stretch, at, sure=sure):
            return None
        return name if sure or self._stands_out(words, stretch, at) else None

    def short(self, name: str) -> str | None:
        """Return the first word of a name that ends in a word of trade, if it stands for the name by itself."""
        words = name.split(" ")
        if len(words) < 2 or words[-1] not in self._suffixes:
            return None
        first = words[0]
        return first if len(words) == 2 and len(first) > _SHORTEST and self._may_be([first]) else None

    def suffixed(self, found: str) -> str | None:
        """Return what was found up to the last word of it that companies' names end in; None if there is none."""
        words = found.split(" ")
        if self._institutions.intersection(words):
            return None
        ends = [at for at, word in enumerate(words) if at and word in self._suffixes]
        return " ".join(words[: ends[-1] + 1]) if ends else None

    def _trimmed(self, found: str) -> tuple[int, list[str]]:
        """Return the name's words and how many characters before it were left out."""
        words = _POSSESSIVE.sub("", found).replace("\u00a0", " ").split(" ")
        skipped = 0
        while words and words[0] in self._leading:
            skipped += len(words[0]) + 1
            words = words[1:]
        while len(words) > 1 and self._is_tail(words[-1]):
            words = words[:-1]
        return skipped, words

    def _is_tail(self, word: str) -> bool:
        return (
            word in _LINKS
            or word in self._forms
            or word in self._leading
            or (word in self._common and word not in self._suffixes)
        )

    def _without_nouns(self, words: list[str]) -> list[str]:
        kept = words[:1]
        for word in words[1:]:
            if not (word in self._suffixes or word in _LINKS or kept[-1] in _LINKS or is_no_noun(word)):
                break
            kept.append(word)
        return kept

    def _is_no_noun(self, words: Sequence[str], stretch: str, start: int, *, sure: bool) -> bool:
        """German: a plain word must be introduced, and one glued to a known company by a hyphen is a compound."""
        if stretch[max(0, start - 1) : start] == "-":
            return False
        if len(words) > 1 or is_no_noun(words[0]):
            return True
        return sure and not (len(words[0]) > _SHORT_NOUN and words[0].endswith(_NOUN_ENDINGS))

    def _may_be(self, words: Sequence[str]) -> bool:
        if not words or self._institutions.intersection(words) or self._titles.intersection(words):
            return False
        if all(word in self._common or word in self._suffixes or word in self._forms for word in words):
            return False
        return name_key(" ".join(words)) not in self._others

    def _is_person(self, words: Sequence[str], stretch: str, start: int, end: int) -> bool:
        if words[-1] in self._suffixes:
            return False
        if len(words) > 1 and words[0] in self._first_names:
            return True
        before = stretch[max(0, start - 24) : start].split()
        titled = bool(before) and before[-1] in self._titles
        return titled or (len(words) > 1 and self._speech.match(stretch, end) is not None)

    def _stands_out(self, words: Sequence[str], stretch: str, start: int) -> bool:
        """Whether a name beside a known company is more than a capitalised noun, a place or a sentence's first word."""
        if any(name_key(word) in self._others or word in self._common for word in words):
            return False
        if words[0] in self._first_names or (len(words) == 1 and any(map(str.isdigit, words[0]))):
            return False
        opens = not stretch[:start].strip(" „“\"'«")
        return not opens or len(words) > 1 or _INNER_CAPITAL.search(words[0]) is not None


def is_no_noun(name: str) -> bool:
    """Say whether a name is written as no German noun is: capitals or digits inside, or several words."""
    return _INNER_CAPITAL.search(name) is not None


def is_place(name: str, text: str) -> bool:
    """Say whether the text says of one word that something is in it ("in Maharashtra"), if no stake is."""
    if " " in name:
        return False
    where = re.compile(rf"(?:([\w%]{{1,30}}) )?(?<!\w)(?:in|near|outside|en|à|nahe) {re.escape(name)}(?!\w)")
    return any(not _STAKE.match(found.group(1) or "") for found in where.finditer(text))


def _follows_its_maker(stretch: str, start: int) -> bool:
    """Whether a known company's name stands right before it: "Ford Mustang" and "Lucid's Gravity" are products."""
    return _MAKER.search(stretch, max(0, start - 4), start) is not None
