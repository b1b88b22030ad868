"""What public registers' answers say, in the shapes that their documentation describes, and what is proposed of it."""

import tomllib
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from tieup.companies.company import Company
from tieup.companies.registers import (
    Addresses,
    Item,
    ask,
    gleif_urls,
    proposals,
    read_candidates,
    read_entities,
    read_items,
    search_url,
    wikidata_urls,
)
from tieup.errors import FetchError

LEI = "TIEUP0MADEUP0ENTRY53"
ACME = Company("acme", "Acme", (), "DE", ("maker",), automotive=True, wikidata="Q1")
BARE = Company("bare", "Bare", (), "DE", ("maker",), automotive=True)
ADDRESSES = Addresses("http://w.test/sparql", "http://w.test/api", "http://g.test/lei")


def sparql(*rows: Mapping[str, str]) -> bytes:
    """Results as SPARQL 1.1 writes them in JSON."""
    bindings = [{name: {"type": "literal", "value": value} for name, value in row.items()} for row in rows]
    return orjson.dumps({"head": {"vars": ["item"]}, "results": {"bindings": bindings}})


def lei_record(lei: str = LEI, status: str = "ACTIVE", registration: str = "ISSUED") -> dict[str, object]:
    return {
        "type": "lei-records",
        "id": lei,
        "attributes": {
            "lei": lei,
            "entity": {"legalName": {"name": "ACME AG", "language": "de"}, "jurisdiction": "DE", "status": status},
            "registration": {"status": registration, "nextRenewalDate": "2027-01-01T00:00:00Z"},
        },
    }


ITEM = "http://www.wikidata.org/entity/Q1"
ANSWER = sparql(
    {"item": ITEM, "lei": LEI, "symbol": "ACM", "exchangeLabel": "Some Stock Exchange"},
    {"item": ITEM, "lei": LEI, "parent": "http://www.wikidata.org/entity/Q2", "end": "2020-05-01T00:00:00Z"},
)


def test_items_are_asked_for_in_parts() -> None:
    many = [Company(f"c{n}", f"C{n}", (), "DE", ("maker",), automotive=True, wikidata=f"Q{n + 1}") for n in range(120)]
    urls = wikidata_urls([*many, BARE], "http://w.test/sparql")
    asked = [parse_qs(urlsplit(url).query) for url in urls]
    assert [one["format"] for one in asked] == [["json"]] * 3
    assert sum(one["query"][0].count("wd:Q") for one in asked) == 120
    assert all("P1278" in one["query"][0] for one in asked)


def test_only_leis_that_can_be_are_asked_for() -> None:
    (url,) = gleif_urls([LEI, "TIEUP0MADEUP0ENTRY54"], "http://g.test/lei")
    assert parse_qs(urlsplit(url).query) == {"filter[lei]": [LEI], "page[size]": ["50"], "page[number]": ["1"]}


def test_a_search_is_for_the_name() -> None:
    asked = parse_qs(urlsplit(search_url(BARE, "http://w.test/api")).query)
    assert (asked["action"], asked["search"], asked["format"]) == (["wbsearchentities"], ["Bare"], ["json"])


def test_an_item_gathers_its_rows() -> None:
    assert read_items(ANSWER) == {"Q1": Item((LEI,), ("Some Stock Exchange ACM",), ("Q2",), "2020")}


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"results": []}', b"\xff", b'{"data": [{"attributes": 1}]}'])
def test_an_answer_of_another_shape_is_refused(body: bytes) -> None:
    for read in (read_items, read_candidates, read_entities):
        with pytest.raises(FetchError, match="not the answer"):
            read(body)


def test_a_lei_is_proposed_where_gleif_knows_it_as_active() -> None:
    entities = read_entities(orjson.dumps({"data": [lei_record()]}))
    text = proposals([ACME, BARE], {"Q1": Item((LEI,))}, entities, {})
    assert tomllib.loads(text) == {"acme": {"lei": LEI}}
    assert "# ACME AG, DE, ACTIVE, registration ISSUED" in text


@pytest.mark.parametrize(
    ("lei", "records", "hint"),
    [
        (LEI, [], f"# {LEI}: GLEIF does not know it"),
        (LEI, [lei_record(status="INACTIVE")], f"# {LEI}: ACME AG, DE, INACTIVE, registration ISSUED"),
        (LEI, [lei_record(registration="LAPSED")], f"# {LEI}: ACME AG, DE, ACTIVE, registration LAPSED"),
        ("TIEUP0MADEUP0ENTRY54", [], "# TIEUP0MADEUP0ENTRY54: its check digits are wrong"),
    ],
)
def test_any_other_lei_is_a_hint(lei: str, records: list[dict[str, object]], hint: str) -> None:
    text = proposals([ACME], {"Q1": Item((lei,))}, read_entities(orjson.dumps({"data": records})), {})
    assert tomllib.loads(text) == {"acme": {}}
    assert hint in text.splitlines()


def test_what_comes_from_outside_stays_in_its_comment() -> None:
    hits = [{"id": "Q9", "label": 'x"\n[ford]\nlei = "1"', "description": "\x1b[2J\r\nname = 'y'"}]
    candidates = read_candidates(orjson.dumps({"search": hits}))
    text = proposals([BARE], {}, {}, {"bare": candidates})
    assert tomllib.loads(text) == {"bare": {}}
    assert "\x1b" not in text


async def test_asks_the_registers_one_after_the_other() -> None:
    asked: list[str] = []

    async def get(url: str) -> bytes:
        asked.append(url.partition("?")[0])
        if url.startswith(ADDRESSES.wikidata):
            return ANSWER
        if url.startswith(ADDRESSES.gleif):
            return orjson.dumps({"data": [lei_record()]})
        return orjson.dumps({"search": [{"id": "Q9", "label": "Bare", "description": "a maker"}]})

    text = await ask(get, [ACME, BARE], ADDRESSES, search=True)
    assert asked == [ADDRESSES.wikidata, ADDRESSES.gleif, ADDRESSES.search]
    assert tomllib.loads(text)["acme"] == {"lei": LEI}
    assert '# wikidata = "Q9"  Bare: a maker' in text


async def test_without_search_only_known_items_are_asked_for() -> None:
    async def get(url: str) -> bytes:
        assert url.startswith(ADDRESSES.wikidata)
        return sparql()

    assert tomllib.loads(await ask(get, [ACME, BARE], ADDRESSES, search=False)) == {}
