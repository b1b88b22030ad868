"""What the gazetteer's data must satisfy; every function names the file and the company in its complaint."""

import re
from collections.abc import Iterable, Iterator, Mapping

from tieup.companies.company import Company
from tieup.companies.folding import fold, name_key
from tieup.companies.people import Person

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_QID = re.compile(r"Q[1-9][0-9]*")
_TICKER = re.compile(r"[A-Z]+:[A-Z0-9]+(?:[.\-][A-Z0-9]+)?")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_COUNTRY = re.compile(r"[A-Z]{2}")


def faults_of_company(company: Company, countries: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with one company taken alone, in words."""
    if not _ID.fullmatch(company.id):
        yield f"the id {company.id!r} is not in lower case with hyphens"
    if not _COUNTRY.fullmatch(company.country) or company.country not in countries:
        yield f"{company.country!r} is no ISO 3166-1 alpha-2 country"
    if not company.sectors:
        yield "no sector is given"
    if company.wikidata is not None and not _QID.fullmatch(company.wikidata):
        yield f"{company.wikidata!r} is no Wikidata item"
    if company.ticker is not None and not _TICKER.fullmatch(company.ticker):
        yield f"{company.ticker!r} is not exchange:symbol"
    if company.lei is not None and not is_lei(company.lei):
        yield f"the LEI {company.lei!r} fails its check digits"
    if company.years is not None and company.years[0] > company.years[1]:
        yield f"the years {company.years} run backwards"
    yield from _faults_of_spellings(company)


def faults_between(
    companies: Mapping[str, Company], traps: Iterable[str], people: Iterable[Person] = ()
) -> Iterator[tuple[str, str]]:
    """Yield (company id, what is wrong) for what only the companies together show."""
    for company in companies.values():
        if company.parent is not None and company.parent not in companies:
            yield company.id, f"the parent {company.parent!r} is unknown"
        elif _runs_in_a_circle(company, companies):
            yield company.id, "its parents run in a circle"
        for owner in company.owners:
            if owner not in companies or owner == company.id:
                yield company.id, f"the owner {owner!r} is unknown"
    owners: dict[str, str] = {name_key(trap): "" for trap in traps}
    owners |= {name_key(name): f"the person {person.name}" for person in people for name in person.spellings}
    for company in companies.values():
        for name in (*company.spellings, *company.people):
            owner = owners.setdefault(name_key(name), company.id)
            if owner != company.id:
                yield company.id, f"the name {name!r} is also {f'one of {owner}' if owner else 'a trap'}"


def is_lei(code: str) -> bool:
    """Say whether the code is a legal entity identifier whose check digits hold (ISO 17442, by ISO 7064 MOD 97-10)."""
    return _LEI.fullmatch(code) is not None and int("".join(str(int(sign, 36)) for sign in code)) % 97 == 1


def is_isin(code: str) -> bool:
    """Say whether the code is a security's number whose check digit holds (ISO 6166: Luhn over letters as numbers)."""
    if _ISIN.fullmatch(code) is None:
        return False
    digits = [int(digit) for digit in "".join(str(int(sign, 36)) for sign in code)]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _faults_of_spellings(company: Company) -> Iterator[str]:
    seen: set[str] = set()
    for name in (*company.spellings, *company.people):
        if not name.strip() or name != name.strip():
            yield f"the name {name!r} is empty or has spaces around it"
        if name in seen:
            yield f"the name {name!r} is given twice"
        seen.add(name)
    for field, names in (("exact", company.exact), ("ambiguous", company.ambiguous)):
        for name in names:
            if name not in company.spellings:
                yield f"{name!r} in {field} is neither the name nor an alias"
            for other in company.spellings:
                if other not in names and fold(other) == fold(name):
                    yield f"{other!r} belongs in {field} like {name!r}"


def _runs_in_a_circle(company: Company, companies: Mapping[str, Company]) -> bool:
    seen = {company.id}
    parent = company.parent
    while parent is not None and parent in companies:
        if parent in seen:
            return True
        seen.add(parent)
        parent = companies[parent].parent
    return False
