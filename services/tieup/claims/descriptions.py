"""Finds the companies that an article calls by a description: "die Franzosen", "the Chinese carmaker", "the supplier".

A description means a company where exactly one of those that the article names before it fits: by country, by trade, by
town. Where several fit, or none, it means nobody.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tieup.companies.company import Company
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Mention
from tieup.errors import DataError


@dataclass(frozen=True, slots=True)
class Descriptions:
    """The pattern that finds descriptions, and what each of its words says of a company."""

    pattern: re.Pattern[str]
    countries: Mapping[str, str]
    sectors: Mapping[str, frozenset[str]]
    towns: Mapping[str, frozenset[str]]


@cache
def load_descriptions() -> Descriptions:
    """Return the descriptions of the package's data. Raises DataError if the file is wrong."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("descriptions.toml").read_text(encoding="utf-8"))
        people = {word: country for country, words in data["people"].items() for word in words}
        adjectives = {word: country for country, words in data["adjectives"].items() for word in words}
        trades = {word: frozenset(row["sectors"]) for row in data["trade"] for word in row["words"]}
        towns = {word: frozenset(ids) for word, ids in data["towns"].items()}
        named = rf"(?P<name>{_any([*people, *towns])})"
        traded = rf"(?:(?P<adjective>{_any(adjectives)})(?:e[nrsm]?|as?|os?)?[\s-])?(?P<trade>{_any(trades)})"
        pattern = rf"(?<!\w)(?:{_any(data['determiners'])})\s?(?:{named}|{traded})(?!\w)"
        countries = {word.lower(): country for word, country in (people | adjectives).items()}
        return Descriptions(
            re.compile(pattern, re.IGNORECASE),
            countries,
            {word.lower(): sectors for word, sectors in trades.items()},
            {word.lower(): ids for word, ids in towns.items()},
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, OSError) as error:
        raise DataError(f"descriptions.toml: {error}") from error


def find_described(
    text: str, named: Sequence[Mention], before: Sequence[Mention], gazetteer: Gazetteer
) -> tuple[Mention, ...]:
    """Return the mentions of a text with those by description, in order.

    `named` are the text's mentions by name, `before` those of what stands before it, the headline.
    """
    if not named and not before:
        return tuple(named)
    table = load_descriptions()
    found = [one for match in table.pattern.finditer(text) if (one := _meant(match, named, before, gazetteer, table))]
    return tuple(sorted([*named, *_beside(found, named)], key=lambda one: one.start))


def _beside(found: Sequence[Mention], named: Sequence[Mention]) -> Iterator[Mention]:
    """Yield the descriptions that overlap no name and do not introduce one ("the Chinese carmaker BYD")."""
    for one in found:
        if not any(one.start < other.end and other.start <= one.end + 2 for other in named):
            yield one


def _meant(
    match: re.Match[str],
    named: Sequence[Mention],
    before: Sequence[Mention],
    gazetteer: Gazetteer,
    table: Descriptions,
) -> Mention | None:
    known = dict.fromkeys([one.company_id for one in before])
    known |= dict.fromkeys([one.company_id for one in named if one.end <= match.start()])
    fitting = [one for one in known if _fits(gazetteer.get(one), match, table)]
    if len(fitting) != 1:
        return None
    group = "name" if match["name"] else "trade"
    start = match.start("adjective") if match["adjective"] else match.start(group)
    return Mention(fitting[0], start, match.end(group), match.string[start : match.end(group)], person=False)


def _fits(company: Company, match: re.Match[str], table: Descriptions) -> bool:
    if match["name"]:
        word = match["name"].lower()
        return company.id in table.towns[word] if word in table.towns else company.country == table.countries[word]
    if match["adjective"] and company.country != table.countries[match["adjective"].lower()]:
        return False
    sectors = table.sectors[match["trade"].lower()]
    return not sectors.isdisjoint(company.sectors) if sectors else match["adjective"] is not None


def _any(words: Sequence[str] | Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=lambda one: (-len(one), one)))
