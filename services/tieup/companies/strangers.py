"""Finds companies that the gazetteer lacks, by how the text introduces them.

A name counts as a company's where a legal form closes it ("Silex Microsystems AB"), a word of trade stands before it
("battery startup Lyten", "der Batteriehersteller Customcells") or after a comma ("Lyten, a maker of"), it ends like a
company's ("... Robotics"), or it stands beside a known company where ties name their partners ("Ford and X", "a stake
in X"). Once introduced, it is found wherever the text writes it again, in short as well. Precision comes first: what
looks like a person, a place, a medium, an authority or a product beside its maker is left out.

The known companies are blotted out first, so that a stranger's name never holds one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from tieup.companies.company import Company
from tieup.companies.east import EastFinder
from tieup.companies.folding import name_key
from tieup.companies.introductions import Introductions
from tieup.companies.matcher import Mention
from tieup.companies.stranger_names import KNOWN, NameTests, is_place
from tieup.companies.stranger_rules import StrangerRules

STRANGER = "?"
"""What the id of a company that the gazetteer lacks begins with; no id of the gazetteer holds it."""

DOUBTFUL = "??"
"""What it begins with where the text only names it beside a known company: it may be a singer or a museum."""

NAMES = 24
"""Names per article that are looked for again: more than any labelled article introduces."""

_STRETCH = re.compile(r"[^.!?\n]+(?:[.!?]+(?![\s\n])[^.!?\n]+){0,40}[.!?]*")


def is_stranger(company_id: str) -> bool:
    """Say whether the id stands for a company that the gazetteer lacks."""
    return company_id.startswith(STRANGER)


def is_doubtful(company_id: str) -> bool:
    """Say whether the text introduces the stranger nowhere as a company."""
    return company_id.startswith(DOUBTFUL)


def strangers_in(mentions: Iterable[Mention]) -> tuple[Company, ...]:
    """Return a company for each stranger mentioned, called as the text first calls it; nothing else is known of it."""
    names: dict[str, str] = {}
    for one in mentions:
        if is_stranger(one.company_id):
            names.setdefault(one.company_id, one.surface)
    return tuple(Company(key, name, (), "", (), automotive=False) for key, name in names.items())


class StrangerFinder:
    """Finds mentions of companies beside the known ones; immutable, so one serves many threads."""

    def __init__(self, rules: StrangerRules, others: Iterable[str] = ()) -> None:
        """`others` are names of what is no company, such as media."""
        self._tests = NameTests(rules, others)
        self._east = EastFinder(rules.east)
        self._latin = {one: Introductions(one, rules, self._tests) for one in rules.heads}

    def find(self, text: str, mentions: Sequence[Mention], language: str) -> list[Mention]:
        """Return mentions of strangers in order; they overlap neither the given ones nor each other.

        `mentions` are those of known companies, in order. Without any there is no stranger, nor in other languages than
        those of the rules.
        """
        if not mentions:
            return []
        blotted = _blotted(text, mentions)
        latin = self._latin.get(language)
        found = self._east.names(blotted, language) if latin is None else _introduced(latin, blotted)
        named: dict[str, bool] = {}
        for name, sure in islice(found, NAMES):
            named[name] = sure or named.get(name, False)
        if latin is None:
            return _everywhere(blotted, {name: name for name in named}, named, bounded=False)
        named = {name: sure for name, sure in named.items() if not is_place(name, blotted)}
        short = {self._tests.short(name): name for name in reversed(named)}
        spelled = {one: name for one, name in short.items() if one is not None} | {name: name for name in named}
        return _everywhere(blotted, spelled, named, bounded=True)


def _introduced(introductions: Introductions, blotted: str) -> Iterator[tuple[str, bool]]:
    for stretch in _STRETCH.finditer(blotted):
        yield from introductions.names(stretch.group())


def _blotted(text: str, mentions: Sequence[Mention]) -> str:
    pieces: list[str] = []
    at = 0
    for one in mentions:
        pieces += (text[at : one.start], KNOWN * (one.end - one.start))
        at = one.end
    return "".join((*pieces, text[at:]))


def _everywhere(blotted: str, spelled: dict[str, str], named: dict[str, bool], *, bounded: bool) -> list[Mention]:
    """Return where the spellings stand, the longest first; each leads to the name that it stands for."""
    if not spelled:
        return []
    ordered = sorted(spelled, key=lambda one: (-len(one), one))
    edges = (rf"(?<![\w{KNOWN}])", r"(?!\w)") if bounded else ("", "")
    pattern = re.compile(f"{edges[0]}(?:{'|'.join(map(re.escape, ordered))}){edges[1]}")
    ids = {name: (STRANGER if sure else DOUBTFUL) + name_key(name) for name, sure in named.items()}
    return [
        Mention(ids[spelled[one.group()]], one.start(), one.end(), one.group(), person=False)
        for one in pattern.finditer(blotted)
    ]
