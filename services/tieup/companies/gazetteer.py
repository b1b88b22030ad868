"""The gazetteer: every company that tieup knows by name, read from the data files beside this module and checked."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson

from tieup.companies.checks import faults_between, faults_of_company, is_isin
from tieup.companies.company import Company, NameRules, Sector
from tieup.companies.folding import name_key
from tieup.companies.people import Person, faults_of_people
from tieup.errors import BadFile, DataError, TieupError

_DATA = Path(__file__).parent / "data"
_VERSION_DIGITS = 12

T = TypeVar("T")

__all__ = ["Company", "Gazetteer", "NameRules", "load_gazetteer"]


class Gazetteer:
    """All companies, by id and by name; iteration is in order of the ids. Immutable."""

    def __init__(
        self,
        companies: dict[str, Company],
        rules: NameRules,
        people: tuple[Person, ...] = (),
        isins: Mapping[str, str] | None = None,
    ) -> None:
        self._companies = dict(sorted(companies.items()))
        self.rules = rules
        self.people = people
        """Who stands for which company when, beside the people that a company of the user's file names."""
        self.isins = dict(isins or {})
        """Company ids by ISIN. They name no company in a text and so count for no version."""
        self._by_name = {name_key(name): company.id for company in self for name in reversed(company.spellings)}
        self.version = _version(list(self), rules, people)
        """The first digits of a hash over all companies, people and rules: same data, same version."""

    def __iter__(self) -> Iterator[Company]:
        return iter(self._companies.values())

    def __len__(self) -> int:
        return len(self._companies)

    def __contains__(self, company_id: object) -> bool:
        return company_id in self._companies

    def get(self, company_id: str) -> Company:
        """Return the company of this id. Raises KeyError if there is none."""
        return self._companies[company_id]

    def including(self, companies: Iterable[Company]) -> "Gazetteer":
        """Return a gazetteer that knows these companies by their ids as well; names and version are as before."""
        wider = copy(self)
        vars(wider)["_companies"] = self._companies | {one.id: one for one in companies}
        return wider

    def find_by_name(self, name: str) -> Company | None:
        """Return the company with this name or alias, whatever its case and width, or None."""
        company_id = self._by_name.get(name_key(name))
        return None if company_id is None else self._companies[company_id]

    def ultimate_parent(self, company_id: str, year: int | None = None) -> str:
        """Return the id at the top of the chain of parents; the company's own where it has none.

        With a year, parents held only since a later year are left out. Raises KeyError for an unknown id.
        """
        company = self.get(company_id)
        while company.parent is not None and not _later(company.parent_since, year):
            company = self.get(company.parent)
        return company.id

    def group(self, company_id: str, year: int | None = None) -> tuple[str, ...]:
        """Return the ids of all companies under the same ultimate parent, itself included, in order."""
        top = self.ultimate_parent(company_id, year)
        return tuple(one for one in self._companies if self.ultimate_parent(one, year) == top)


def load_gazetteer(extra: Path | None = None) -> Gazetteer:
    """Return the gazetteer in the package, with the user's own file merged in.

    In the extra file a table with a known id changes the fields that it gives (aliases, people and the like are added
    to), any other id is a new company. Raises DataError if our own data is wrong and BadFile if the user's is, naming
    the file and the company.
    """
    countries = frozenset(_read(_DATA / "countries.toml", DataError)["codes"])
    rules = _read_rules()
    sources: dict[str, _Source] = {}
    for path in sorted((_DATA / "companies").glob("*.toml")):
        _add(sources, _Source(path, DataError))
    if extra is not None:
        _merge(sources, _Source(extra, BadFile))
    return _checked(sources, rules, countries)


class _Entry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A table of a data file; every field may be left out where it adds to a known company."""

    name: str | None = None
    country: str | None = None
    sectors: tuple[Sector, ...] = ()
    automotive: bool | None = None
    aliases: tuple[str, ...] = ()
    parent: str | None = None
    parent_since: int | None = None
    owners: tuple[str, ...] = ()
    ticker: str | None = None
    wikidata: str | None = None
    lei: str | None = None
    isins: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    exact: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """A data file, the error that its faults raise, and, once read, the company taken from it and its ISINs."""

    path: Path
    error: type[TieupError]
    company: Company | None = None
    isins: tuple[str, ...] = ()


def _add(sources: dict[str, _Source], source: _Source) -> None:
    for company_id, entry in _entries(source):
        if company_id in sources:
            raise source.error(f"{source.path.name}: {company_id}: also in {sources[company_id].path.name}")
        sources[company_id] = replace(source, company=_new_company(company_id, entry, source), isins=entry.isins)


def _merge(sources: dict[str, _Source], source: _Source) -> None:
    for company_id, entry in _entries(source):
        known = sources[company_id].company if company_id in sources else None
        company = _new_company(company_id, entry, source) if known is None else _changed(known, entry)
        before = sources[company_id].isins if company_id in sources else ()
        sources[company_id] = replace(source, company=company, isins=(*before, *entry.isins))


def _entries(source: _Source) -> Iterator[tuple[str, _Entry]]:
    for company_id, table in _read(source.path, source.error).items():
        yield company_id, _convert(table, _Entry, f"{source.path.name}: {company_id}", source.error)


def _new_company(company_id: str, entry: _Entry, source: _Source) -> Company:
    if entry.name is None or entry.country is None:
        raise source.error(f"{source.path.name}: {company_id}: a company needs a name and a country")
    names = (name for name in _Entry.__struct_fields__ if name != "isins")
    given = {name: value for name in names if (value := getattr(entry, name)) is not None}
    return Company(**{"automotive": True, **given, "id": company_id})


def _changed(known: Company, entry: _Entry) -> Company:
    changes: dict[str, Any] = {}
    for field in fields(Company):
        value = getattr(entry, field.name, None)
        if isinstance(value, tuple) and field.name != "years":
            old = getattr(known, field.name)
            changes[field.name] = (*old, *(one for one in value if one not in old))
        elif value is not None:
            changes[field.name] = value
    return replace(known, **changes)


def _read_rules() -> NameRules:
    rules = _convert(_read(_DATA / "names.toml", DataError), NameRules, "names.toml", DataError)
    for field in fields(NameRules):
        if not all(getattr(rules, field.name)):
            raise DataError(f"names.toml: {field.name}: an entry is empty")
    return rules


def _read_people() -> tuple[Person, ...]:
    table = _read(_DATA / "people.toml", DataError)
    rows = [{"name": name, **fields} for name, fields in table.items()]
    return _convert(rows, tuple[Person, ...], "people.toml", DataError)


def _checked(sources: dict[str, _Source], rules: NameRules, countries: frozenset[str]) -> Gazetteer:
    companies = {key: source.company for key, source in sources.items() if source.company is not None}
    for company in companies.values():
        for fault in faults_of_company(company, countries):
            raise _fault(sources[company.id], company.id, fault)
    people = _read_people()
    for name, fault in faults_of_people(people, companies):
        raise DataError(f"people.toml: {name}: {fault}")
    for company_id, fault in faults_between(companies, rules.traps, people):
        raise _fault(sources[company_id], company_id, fault)
    return Gazetteer(companies, rules, people, _isins(sources))


def _isins(sources: Mapping[str, _Source]) -> dict[str, str]:
    found: dict[str, str] = {}
    for company_id, source in sources.items():
        for isin in source.isins:
            if not is_isin(isin):
                raise _fault(source, company_id, f"the ISIN {isin!r} fails its check digit")
            if found.setdefault(isin, company_id) != company_id:
                raise _fault(source, company_id, f"the ISIN {isin!r} is also one of {found[isin]}")
    return found


def _fault(source: _Source, company_id: str, fault: str) -> TieupError:
    return source.error(f"{source.path.name}: {company_id}: {fault}")


def _read(path: Path, error: type[TieupError]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as cause:
        raise error(f"{path}: cannot be read: {cause.strerror}") from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise error(f"{path}: not TOML: {cause}") from cause


def _convert(value: object, kind: type[T], place: str, error: type[TieupError]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as cause:
        raise error(f"{place}: {cause}") from cause


def _later(since: int | None, year: int | None) -> bool:
    return since is not None and year is not None and year < since


def _version(companies: list[Company], rules: NameRules, people: tuple[Person, ...]) -> str:
    return hashlib.sha256(orjson.dumps([companies, rules, people])).hexdigest()[:_VERSION_DIGITS]
