"""The numbers of a deal: its value, stakes, volumes, capacities and years, each with its role and its owner.

A number counts only in a sentence that states the relation, near a word of its role, where no other relation of the
sentence is nearer. German and Romance texts write 1.234,5 what English and Asian ones write 1,234.5; a German "Billion"
is 10¹².
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Cue, Sentence
from tieup.claims.votes import Scope
from tieup.companies.gazetteer import Gazetteer
from tieup.errors import DataError
from tieup.model.labels import FigureRole
from tieup.model.relation import Evidence, Figure

MAX_FIGURES: Final = 8
NEAR: Final = 45
"""How many code points before an amount its role's word may stand."""
AFTER: Final = 25
"""How many after it."""
LEAST_VALUE: Final = Decimal(1_000_000)
"""The least deal value: below stand prices of cars, fees and fines."""
LEAST_VEHICLES: Final = Decimal(50)
GROUPS_BY_STOP: Final = frozenset({"de", "es", "fr", "it"})
"""Languages that group thousands by full stops and have decimal commas."""

_NUMBER: Final = r"\d{1,3}(?:[.,'’]\d{3})+(?:[.,]\d{1,3})?|\d{1,12}(?:[.,]\d{1,4})?"
_TO: Final = re.compile(r"\b(?:an|in|at|of|von|am|bei)\s(?:der |dem |the )?$", re.IGNORECASE)
_ADJECTIVES: Final = r"(?:\s?(?:[a-zäöü-]{3,20}\s){0,2})"


@dataclass(frozen=True, slots=True)
class Table:
    """One language's patterns of amounts, and the words near a role."""

    money: re.Pattern[str]
    counted: re.Pattern[str]
    year: re.Pattern[str]
    currencies: dict[str, str]
    powers: dict[str, int]
    units: dict[str, str]
    near: dict[str, re.Pattern[str]]
    never: dict[str, re.Pattern[str]]
    shared: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit at [start, end) of a part; `value` is plain."""

    value: Decimal
    unit: str
    start: int
    end: int


@cache
def load_figures(language: str) -> Table:
    """Return the table for a language (ISO 639-1). Raises DataError if the data is wrong."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("figures.toml").read_text(encoding="utf-8"))
        powers = {word.lower(): int(power) for power, words in data["powers"].items() for word in words}
        own = data["powers_of"].get(language, {})
        powers |= {word.lower(): int(power) for power, words in own.items() for word in words}
        currencies = _turned(data["currencies"])
        units = _turned(data["units"])
        near = {role: re.compile(_any(words), re.IGNORECASE) for role, words in data["near"].items()}
        never = {role: re.compile(_any(words), re.IGNORECASE) for role, words in data["never"].items()}
        shared = re.compile(_any(data["owner"]["shared"]), re.IGNORECASE)
        years = _any(data["years"]["before"])
    except (tomllib.TOMLDecodeError, KeyError, ValueError, OSError) as error:
        raise DataError(f"figures.toml: {error}") from error
    number = rf"(?<![A-Za-z\d.,])(?P<number>{_NUMBER})"
    power = rf"(?:\s?(?P<power>{_any(powers)}))?"
    coin = _any(currencies)
    before = rf"(?P<before>{coin})\s?(?P<number2>{_NUMBER})(?:\s?(?P<power2>{_any(powers)}))?"
    return Table(
        money=re.compile(rf"{before}|{number}{power}[\s-]?(?P<after>{coin})", re.IGNORECASE),
        counted=re.compile(rf"{number}{power}{_ADJECTIVES}[\s-]?(?P<unit>{_any(units)})", re.IGNORECASE),
        year=re.compile(rf"(?:{years})\s(?P<year>20[0-5]\d)(?![\d.,]*\d)|(?P<cjk>20[0-5]\d)年(?!\d)", re.IGNORECASE),
        currencies=currencies,
        powers=powers,
        units=units,
        near=near,
        never=never,
        shared=shared,
    )


def read_figures(scope: Scope, language: str | None, gazetteer: Gazetteer) -> list[tuple[Figure, Evidence]]:
    """Return the relation's figures with their evidence, in order, each once."""
    table = load_figures(language or "")
    found: dict[Figure, Evidence] = {}
    for sentence in scope.draft.sentences:
        if not any(character.isdigit() for character in sentence.text):
            continue
        for role, one in _roles(sentence, table, language or ""):
            cue = Cue(Topic.TEXT, "figure", 1.0, one.start, one.end)
            if scope.is_nearest(sentence, cue) and not _is_name(sentence, one):
                owner = _owner(scope, sentence, one, table) if role is FigureRole.STAKE else None
                figure = Figure(role, plain(one.value), one.unit, gazetteer.get(owner).name if owner else None)
                found.setdefault(figure, sentence.evidence("figure", one.start, one.end))
    return list(found.items())[:MAX_FIGURES]


def read_number(digits: str, language: str) -> Decimal:
    """Return the number that a text of the language means by "1.234,5" or "1,234.5"."""
    group = "." if language in GROUPS_BY_STOP else ","
    digits = digits.replace("'", "").replace("’", "")
    parts = re.split(r"[.,]", digits)
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return Decimal(digits)
    mark, several = digits[last], digits.count(digits[last]) > 1
    grouped = len(parts[-1]) == 3 and parts[0] != "0" and (mark == group or several)
    return Decimal("".join(parts)) if grouped else Decimal("".join(parts[:-1]) + "." + parts[-1])


def plain(value: Decimal) -> str:
    """Return the number in plain decimals: no exponent, no zeros behind the point."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _roles(sentence: Sentence, table: Table, language: str) -> Iterable[tuple[FigureRole, Amount]]:
    for one in _money(sentence, table, language):
        if one.value >= LEAST_VALUE and _speaks_of(sentence, one, table, FigureRole.DEAL_VALUE):
            yield FigureRole.DEAL_VALUE, one
    for one in _counted(sentence, table, language):
        if one.unit == "%":
            if 0 < one.value <= 100 and _speaks_of(sentence, one, table, FigureRole.STAKE):
                yield FigureRole.STAKE, one
        elif one.unit == "GWh" or _speaks_of(sentence, one, table, FigureRole.CAPACITY):
            yield FigureRole.CAPACITY, one
        elif one.value >= LEAST_VEHICLES and _speaks_of(sentence, one, table, FigureRole.VOLUME):
            yield FigureRole.VOLUME, one
    for match in table.year.finditer(sentence.text):
        group = "year" if match["year"] else "cjk"
        start, end = match.span(group)
        yield FigureRole.YEAR, Amount(Decimal(match[group]), "year", sentence.start + start, sentence.start + end)


def _money(sentence: Sentence, table: Table, language: str) -> Iterable[Amount]:
    for match in table.money.finditer(sentence.text):
        coin = match["before"] or match["after"]
        digits, power = (match["number2"], match["power2"]) if match["before"] else (match["number"], match["power"])
        value = read_number(digits, language).scaleb(table.powers[power.lower()] if power else 0)
        yield Amount(
            value, table.currencies[coin.lower()], sentence.start + match.start(), sentence.start + match.end()
        )


def _counted(sentence: Sentence, table: Table, language: str) -> Iterable[Amount]:
    for match in table.counted.finditer(sentence.text):
        power = match["power"]
        value = read_number(match["number"], language).scaleb(table.powers[power.lower()] if power else 0)
        unit = table.units[match["unit"].lower()]
        if unit == "MWh":
            value, unit = value.scaleb(-3), "GWh"
        unit = "%" if unit == "percent" else unit
        yield Amount(value, unit, sentence.start + match.start(), sentence.start + match.end())


def _speaks_of(sentence: Sentence, one: Amount, table: Table, role: FigureRole) -> bool:
    """Whether a word of the role stands near the amount, and none of another matter."""
    start, end = one.start - sentence.start, one.end - sentence.start
    around = sentence.text[max(0, start - NEAR) : start] + "\0" + sentence.text[end : end + AFTER]
    wanted, barred = table.near.get(role), table.never.get(role)
    return (wanted is None or wanted.search(around) is not None) and (barred is None or barred.search(around) is None)


def _is_name(sentence: Sentence, one: Amount) -> bool:
    return any(named.start < one.end and one.start < named.end for named in sentence.mentions)


def _owner(scope: Scope, sentence: Sentence, one: Amount, table: Table) -> str | None:
    """Whose stake it is: the clause's last party before it that is not the one the stake is in ("an Mazda").

    What several hold ("each", "together") belongs to none of them.
    """
    clause = sentence.clauses[sentence.clause_of(one.start)]
    around = sentence.text[max(0, one.start - sentence.start - NEAR) : one.end - sentence.start + AFTER]
    if table.shared.search(around):
        return None
    before = [
        named
        for named in sentence.mentions
        if named.company_id in scope.draft.parties
        and clause.start <= named.start
        and named.end <= one.start
        and not _TO.search(sentence.text, max(0, named.start - sentence.start - 12), named.start - sentence.start)
    ]
    return before[-1].company_id if before else None


def _turned(table: dict[str, Sequence[str]]) -> dict[str, str]:
    return {word.lower(): key for key, words in table.items() for word in words}


def _any(words: Iterable[str]) -> str:
    """A pattern for one of the words, the longest first; Latin words whole."""
    return "|".join(_bounded(word) for word in sorted(words, key=lambda one: (-len(one), one)))


def _bounded(word: str) -> str:
    left = r"(?<![^\W\d_])" if word[0].isalpha() and word[0] < "\u0370" else ""
    right = r"(?!\w)" if word[-1].isalpha() and word[-1] < "\u0370" else ""
    return f"{left}{re.escape(word)}{right}"
