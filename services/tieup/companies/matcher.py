"""Finds the companies' names in a text: every spelling at once, then boundaries, context, and the longest wins.

Two Aho-Corasick automata, one over the folded text and one over the case-kept text for the spellings that match only as
written, report all overlapping hits in one pass each; so the time is linear in the text whatever the gazetteer's size.
The longest hit wins only after the filters: "Ford Motor" must not hide "Ford" in "Ford Motorsport".
"""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ahocorasick_rs import AhoCorasick

from tieup.companies.boundaries import Boundaries
from tieup.companies.company import Company
from tieup.companies.folding import fold, is_hangul, is_unspaced, unify
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.people import Person, Post, company_of

CONTEXT_WINDOW = 300
"""How many code points either side of an ambiguous name may hold the proof that the company is meant."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A company's name, or that of a person who stands for it, at [start, end) in code points of the text.

    `surface` is the text there, without inflection: "Ford" in "Fords", "VW" in "VW-Chef".
    """

    company_id: str
    start: int
    end: int
    surface: str
    person: bool


@dataclass(frozen=True, slots=True)
class _Spelling:
    """What a pattern stands for. `company` None marks a trap: it takes its place and says nothing.

    A person stands for the company of the post held in the text's year.
    """

    company: str | None
    posts: tuple[Post, ...] = ()
    person: bool = False
    ambiguous: bool = False
    needs_company: bool = False
    bank: bool = False


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    spelling: _Spelling


class Matcher:
    """Finds mentions of the gazetteer's companies; immutable, so one serves many threads."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._boundaries = Boundaries(gazetteer.rules)
        self._folded = _Automaton(_folded_spellings(gazetteer))
        self._exact = _Automaton(_exact_spellings(gazetteer))
        self._proofs = _Proofs(gazetteer)

    def find(self, text: str, year: int | None = None) -> list[Mention]:
        """Return the mentions in order of their start; they never overlap. Any text gives a result.

        `year` is that of the text, by which persons stand for companies; without it, their last posts count.
        """
        unified = unify(text)
        folded = unified.lower()
        raw = [*self._folded.hits(folded), *self._exact.hits(unified)]
        if not raw:
            return []
        held = (_in_office(hit, year) if hit.spelling.posts else hit for hit in raw)
        standing = [hit for hit in held if hit is not None and self._stands(unified, folded, hit)]
        hits = _longest(self._proofs.proven(folded, standing))
        return [
            Mention(hit.spelling.company, hit.start, hit.end, text[hit.start : hit.end], hit.spelling.person)
            for hit in hits
            if hit.spelling.company is not None
        ]

    def _stands(self, unified: str, folded: str, hit: _Hit) -> bool:
        if hit.spelling.bank and self._boundaries.comments(folded, hit.start, hit.end):
            return False
        ambiguous = hit.spelling.ambiguous and not hit.spelling.person
        return self._boundaries.holds(unified, folded, hit.start, hit.end, ambiguous=ambiguous)


class _Automaton:
    """Patterns and what they stand for; where two hold the same pattern, the first one counts."""

    def __init__(self, spellings: Iterable[tuple[str, _Spelling]]) -> None:
        first: dict[str, _Spelling] = {}
        for pattern, spelling in spellings:
            first.setdefault(pattern, spelling)
        self._spellings = list(first.values())
        self._search = AhoCorasick(list(first), store_patterns=False)

    def hits(self, text: str) -> Iterator[_Hit]:
        for index, start, end in self._search.find_matches_as_indexes(text, overlapping=True):
            yield _Hit(start, end, self._spellings[index])


class _Proofs:
    """Decides which ambiguous hits the text proves."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._automotive = frozenset(company.id for company in gazetteer if company.automotive)
        self._own = {company.id for company in gazetteer if company.context}
        owners: dict[str, set[str | None]] = {}
        for word in gazetteer.rules.automotive_words:
            owners.setdefault(fold(word), set()).add(None)
        for company in gazetteer:
            for word in company.context:
                owners.setdefault(fold(word), set()).add(company.id)
        self._owners = list(owners.values())
        self._search = AhoCorasick(list(owners), store_patterns=False) if owners else None

    def proven(self, folded: str, hits: list[_Hit]) -> list[_Hit]:
        """Return the hits that need no proof or have it."""
        certain = [hit for hit in hits if not (hit.spelling.ambiguous or hit.spelling.needs_company)]
        if len(certain) == len(hits):
            return hits
        settled = [hit for hit in _longest(certain) if hit.spelling.company is not None]
        named = {hit.spelling.company for hit in settled}
        signs = self._signs(folded)
        for hit in settled:
            if hit.spelling.company in self._automotive:
                signs.setdefault(None, []).append(hit.start)
        signs = {owner: sorted(places) for owner, places in signs.items()}
        return [
            hit
            for hit in hits
            if not (hit.spelling.ambiguous or hit.spelling.needs_company)
            or hit.spelling.company in named
            or (not hit.spelling.needs_company and self._near(signs, hit))
        ]

    def _signs(self, folded: str) -> dict[str | None, list[int]]:
        """Return, per company (None: any), where words of its context stand."""
        signs: dict[str | None, list[int]] = {}
        found = self._search.find_matches_as_indexes(folded, overlapping=True) if self._search else ()
        for index, start, _ in found:
            if start and folded[start - 1].isalnum() and folded[start].isascii():
                continue
            for owner in self._owners[index]:
                signs.setdefault(owner, []).append(start)
        return signs

    def _near(self, signs: dict[str | None, list[int]], hit: _Hit) -> bool:
        owner = hit.spelling.company if hit.spelling.company in self._own else None
        places = signs.get(owner, [])
        first = bisect_left(places, hit.start - CONTEXT_WINDOW)
        return first < len(places) and places[first] <= hit.end + CONTEXT_WINDOW


def _longest(hits: list[_Hit]) -> list[_Hit]:
    """Return the hits left when each gives way to a longer one that it overlaps, by start; of equals, the first."""
    kept: list[_Hit] = []
    cluster: list[_Hit] = []
    cluster_end = 0
    for hit in sorted(hits, key=lambda one: (one.start, one.end)):
        if hit.start >= cluster_end:
            kept += _longest_of(cluster)
            cluster = []
        cluster.append(hit)
        cluster_end = max(cluster_end, hit.end)
    return kept + _longest_of(cluster)


def _longest_of(cluster: list[_Hit]) -> list[_Hit]:
    kept: list[_Hit] = []
    for hit in sorted(cluster, key=lambda one: (one.start - one.end, one.start)):
        if all(hit.end <= other.start or other.end <= hit.start for other in kept):
            kept.append(hit)
    return sorted(kept, key=lambda one: one.start)


def _folded_spellings(gazetteer: Gazetteer) -> Iterator[tuple[str, _Spelling]]:
    for company in gazetteer:
        for name in company.spellings:
            if name not in company.exact:
                spelling = _company_spelling(company, name)
                yield from ((fold(variant), spelling) for variant in _variants(name))
    for trap in gazetteer.rules.traps:
        yield from ((fold(variant), _Spelling(None)) for variant in _variants(trap))


def _exact_spellings(gazetteer: Gazetteer) -> Iterator[tuple[str, _Spelling]]:
    for company in gazetteer:
        for name in company.exact:
            spelling = _company_spelling(company, name)
            yield from ((unify(variant), spelling) for case in (name, name.upper()) for variant in _variants(case))
        for name in company.people:
            yield from _person_spellings(Person(name, (Post(company.id),)))
    for person in gazetteer.people:
        yield from _person_spellings(person)


def _company_spelling(company: Company, name: str) -> _Spelling:
    return _Spelling(company.id, ambiguous=name in company.ambiguous, bank="finance" in company.sectors)


def _person_spellings(person: Person) -> Iterator[tuple[str, _Spelling]]:
    """A bare Latin surname says little: it counts only where the text also names the company for certain."""
    for name in person.spellings:
        bare = not is_unspaced(name[0]) and not is_hangul(name[0]) and " " not in name
        spelling = _Spelling(person.posts[-1].company, person.posts, person=True, needs_company=bare)
        yield from ((unify(variant), spelling) for variant in _variants(name))


def _in_office(hit: _Hit, year: int | None) -> _Hit | None:
    company = company_of(hit.spelling.posts, year)
    return None if company is None else replace(hit, spelling=replace(hit.spelling, company=company))


def _variants(name: str) -> tuple[str, ...]:
    """Return the name, with its hyphens as spaces too, each composed and decomposed."""
    forms = (name, name.replace("-", " "))
    return tuple(unicodedata.normalize(form, one) for one in forms for form in ("NFC", "NFD"))
