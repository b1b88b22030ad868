"""What public registers know of the gazetteer's companies, as a file for a person to check.

Pure: what to ask, what the answers say, and what to propose. The shell that asks is `tieup.outside.registers`.

Three public interfaces, by their documentation:

- the Wikidata query service (SPARQL 1.1 results in JSON) for items that the gazetteer knows: LEI (P1278), listings
  (P414 with the symbol, P249, as a qualifier), parent (P749), end (P576);
- Wikidata's search (MediaWiki's `wbsearchentities`) for items that might be a company without one;
- GLEIF's API v1 (JSON:API, `lei-records`) for the legal name and the state of every LEI.

Nothing is taken over by itself: a register may be wrong, and a name is no proof. Only a LEI whose check digits hold and
that GLEIF knows as active is proposed as a field; all else stands in comments.
"""

import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from tieup.companies.checks import is_lei
from tieup.companies.company import Company
from tieup.errors import FetchError

BATCH: Final = 50
"""Items or LEIs per request; well below what either service takes in one URL."""

CANDIDATES: Final = 3
"""Items that a search may propose for a company."""

T = TypeVar("T")

_ITEM = "http://www.wikidata.org/entity/"
_QUERY = """SELECT ?item ?lei ?symbol ?exchangeLabel ?parent ?end WHERE {{
  VALUES ?item {{ {items} }}
  OPTIONAL {{ ?item wdt:P1278 ?lei }}
  OPTIONAL {{
    ?item p:P414 ?listing . ?listing ps:P414 ?exchange ; pq:P249 ?symbol .
    FILTER NOT EXISTS {{ ?listing pq:P582 ?delisted }}
  }}
  OPTIONAL {{ ?item wdt:P749 ?parent }}
  OPTIONAL {{ ?item wdt:P576 ?end }}
  SERVICE wikibase:label {{ bd:serviceParam wikibase:language "en" }}
}}"""


class _Term(msgspec.Struct):
    value: str


class _Bindings(msgspec.Struct):
    bindings: list[dict[str, _Term]]


class _SparqlResults(msgspec.Struct):
    results: _Bindings


class _Hit(msgspec.Struct):
    id: str
    label: str = ""
    description: str = ""


class _SearchResults(msgspec.Struct):
    search: list[_Hit]


class _LegalName(msgspec.Struct):
    name: str


class _Entity(msgspec.Struct, rename="camel"):
    legal_name: _LegalName
    jurisdiction: str | None = None
    status: str | None = None


class _Registration(msgspec.Struct):
    status: str | None = None


class _Attributes(msgspec.Struct):
    lei: str
    entity: _Entity
    registration: _Registration = msgspec.field(default_factory=_Registration)


class _LeiRecord(msgspec.Struct):
    attributes: _Attributes


class _LeiRecords(msgspec.Struct):
    data: list[_LeiRecord]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three interfaces answer."""

    wikidata: str = "https://query.wikidata.org/sparql"
    search: str = "https://www.wikidata.org/w/api.php"
    gleif: str = "https://api.gleif.org/api/v1/lei-records"


@dataclass(frozen=True, slots=True)
class Item:
    """What Wikidata says of an item: LEIs, listings as "exchange symbol", parents' items, the year of its end."""

    leis: tuple[str, ...] = ()
    listings: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    end: str | None = None


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """What GLEIF says of a LEI; `active` if the entity exists and its registration holds."""

    name: str
    jurisdiction: str
    state: str
    active: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that a search by name found."""

    item: str
    label: str
    description: str


def wikidata_urls(companies: Iterable[Company], base: str) -> list[str]:
    """Return the requests that ask for the items of the companies, some at a time."""
    items = sorted({one.wikidata for one in companies if one.wikidata})
    return [
        f"{base}?{urlencode({'query': _QUERY.format(items=' '.join(f'wd:{one}' for one in part)), 'format': 'json'})}"
        for part in _parts(items)
    ]


def search_url(company: Company, base: str) -> str:
    """Return the request that searches for a company's item by its name."""
    asked = {"action": "wbsearchentities", "search": company.name, "language": "en", "type": "item"}
    return f"{base}?{urlencode({**asked, 'limit': CANDIDATES, 'format': 'json'})}"


def gleif_urls(leis: Iterable[str], base: str) -> list[str]:
    """Return the requests that ask for LEIs, some at a time."""
    known = sorted({one for one in leis if is_lei(one)})
    return [
        f"{base}?{urlencode({'filter[lei]': ','.join(part), 'page[size]': BATCH, 'page[number]': 1})}"
        for part in _parts(known)
    ]


def read_items(body: bytes) -> dict[str, Item]:
    """Return what a query's answer says, by item. Raises FetchError if it is no SPARQL result in JSON."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for row in _decoded(body, _SparqlResults, "Wikidata").results.bindings:
        if "item" not in row:
            continue
        said = found.setdefault(_item(row["item"].value), {"lei": {}, "listing": {}, "parent": {}, "end": {}})
        for name in ("lei", "parent", "end"):
            if name in row:
                said[name][_item(row[name].value)] = None
        if "symbol" in row:
            exchange = row["exchangeLabel"].value if "exchangeLabel" in row else "?"
            said["listing"][f"{exchange} {row['symbol'].value}"] = None
    return {
        item: Item(
            leis=tuple(said["lei"]),
            listings=tuple(said["listing"]),
            parents=tuple(said["parent"]),
            end=next((one[:4] for one in said["end"]), None),
        )
        for item, said in found.items()
    }


def read_candidates(body: bytes) -> list[Candidate]:
    """Return the items that a search found. Raises FetchError if the answer is no search result."""
    hits = _decoded(body, _SearchResults, "Wikidata's search").search
    return [Candidate(one.id, one.label, one.description) for one in hits[:CANDIDATES]]


def read_entities(body: bytes) -> dict[str, LegalEntity]:
    """Return the legal entities of an answer by LEI. Raises FetchError if it is none of GLEIF's."""
    entities: dict[str, LegalEntity] = {}
    for record in _decoded(body, _LeiRecords, "GLEIF").data:
        entity, registration = record.attributes.entity, record.attributes.registration
        state = f"{entity.status or '?'}, registration {registration.status or '?'}"
        entities[record.attributes.lei] = LegalEntity(
            entity.legal_name.name,
            entity.jurisdiction or "?",
            state,
            active=(entity.status, registration.status) == ("ACTIVE", "ISSUED"),
        )
    return entities


async def ask(
    get: Callable[[str], Awaitable[bytes]], companies: Sequence[Company], addresses: Addresses, *, search: bool
) -> str:
    """Ask for all that is to be known, by `get`, and return the proposals.

    Only with `search` those without an item are searched for by name: one request each. Raises FetchError.
    """
    items: dict[str, Item] = {}
    for url in wikidata_urls(companies, addresses.wikidata):
        items |= read_items(await get(url))
    entities: dict[str, LegalEntity] = {}
    for url in gleif_urls((lei for one in items.values() for lei in one.leis), addresses.gleif):
        entities |= read_entities(await get(url))
    unknown = [one for one in companies if search and one.wikidata is None]
    candidates = {one.id: read_candidates(await get(search_url(one, addresses.search))) for one in unknown}
    return proposals(companies, items, entities, candidates)


def proposals(
    companies: Sequence[Company],
    items: Mapping[str, Item],
    entities: Mapping[str, LegalEntity],
    candidates: Mapping[str, Sequence[Candidate]],
) -> str:
    """Return the proposals as a TOML file in the form of a file of one's own companies: whoever checks it deletes
    what is wrong, moves what is right out of the comments, and names the file in the setting `gazetteer`.
    """
    tables = [_table(one, items, entities, candidates.get(one.id, ())) for one in companies]
    text = "\n".join([_HEAD, *(table for table in tables if table)])
    tomllib.loads(text)  # what we write can be read
    return text


_HEAD = """# Proposals from public registers (Wikidata, GLEIF). Nothing here is in force: check every line, delete
# what is wrong, and name the file in the setting `gazetteer`. Lines behind a # are hints.
"""


def _table(
    company: Company,
    items: Mapping[str, Item],
    entities: Mapping[str, LegalEntity],
    candidates: Sequence[Candidate],
) -> str:
    lines = [f'# wikidata = "{one.item}"  {_plain(one.label)}: {_plain(one.description)}' for one in candidates]
    item = items.get(company.wikidata or "")
    if item is not None:
        lines += [line for lei in item.leis if lei != company.lei for line in _lei_lines(lei, entities)]
        lines += [f"# listed: {_plain(one)}" for one in item.listings if company.ticker is None]
        lines += [f"# parent: {_plain(one)}" for one in item.parents if company.parent is None]
        if item.end is not None and company.years is None:
            lines.append(f"# ended: {_plain(item.end)}")
    if not lines:
        return ""
    about = f"# {_plain(company.name)}{f', {company.wikidata}' if company.wikidata else ''}"
    return "\n".join([f"[{company.id}]", about, *lines, ""])


def _lei_lines(lei: str, entities: Mapping[str, LegalEntity]) -> list[str]:
    if not is_lei(lei):
        return [f"# {_plain(lei)}: its check digits are wrong"]
    entity = entities.get(lei)
    if entity is None:
        return [f"# {lei}: GLEIF does not know it"]
    said = f"{_plain(entity.name)}, {_plain(entity.jurisdiction)}, {_plain(entity.state)}"
    return [f"# {lei}: {said}"] if not entity.active else [f"# {said}", f'lei = "{lei}"']


def _decoded(body: bytes, kind: type[T], whose: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FetchError(f"{whose}: not the answer that its documentation describes: {error}") from error


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[at : at + BATCH] for at in range(0, len(values), BATCH)]


def _item(uri: str) -> str:
    return uri.removeprefix(_ITEM)


def _plain(text: str) -> str:
    """One line without control characters: what comes from outside must not leave its comment."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:120]
