"""The filter language: one line of terms, read into a Filter and written back.

    ford kind:joint_venture -kind:distribution          all terms must hold, those with - must not
    company:ford,xiaomi country:DE "solid state"        a list: one of these; what is no key is a word or phrase
    together:ford,xiaomi                                a pair: all of them are parties
    company:ford factuality:denied | company:bmw        | separates alternatives
    kind:supply (company:ford | company:bmw)            in parentheses beside what must hold in any case
    (company:ford role:supplier) -(company:bmw stage:ended)    terms in parentheses speak of one party, and end together

Companies are given by id or by any name of the gazetteer; a word that names a company is that company only after
`company:`. Every fault is a UsageError that names the term.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from tieup.companies.gazetteer import Gazetteer
from tieup.errors import UsageError
from tieup.model.labels import EventType, Factuality, Kind, Role, Stage
from tieup.model.subscription import Condition, Filter

MAX_FILTER_CHARS: Final = 4_000
MAX_VALUES: Final = 2_000
MAX_WORD_CHARS: Final = 100

_NAMES: Final = {
    "company": "companies",
    "together": "together",
    "role": "roles",
    "country": "countries",
    "kind": "kinds",
    "stage": "stages",
    "factuality": "factualities",
    "type": "event_types",
    "language": "languages",
    "word": "words",
    "confidence": "min_confidence",
    "origins": "min_origins",
    "daughters": "daughters",
}
_LABELS: Final[dict[str, type[StrEnum]]] = {
    "roles": Role,
    "kinds": Kind,
    "stages": Stage,
    "factualities": Factuality,
    "event_types": EventType,
}
_KEYS: Final = {name: key for key, name in _NAMES.items()}
_SHORT: Final = {"sure": "factuality"}
_ONCE: Final = frozenset({"min_confidence", "min_origins", "daughters"})
_TOKEN: Final = re.compile(r'\s*(?:(-?\()|([|)])|((?:[^\s"()|]|"[^"]*")+)|(.))', re.DOTALL)
_SIGNS: Final = re.compile(r'[,"]')
EMPTY: Final = Condition()


def parse_filter(text: str, gazetteer: Gazetteer) -> Filter:
    """Return the filter that a line says. Raises UsageError naming the term and, where one is close, the right word."""
    if len(text) > MAX_FILTER_CHARS:
        raise UsageError(f"filter: longer than {MAX_FILTER_CHARS} characters")
    reader = _Reader(list(_tokens(text)), gazetteer)
    alternatives = [reader.sequence("")]
    while reader.take("|"):
        alternatives.append(reader.sequence(""))
    reader.end()
    if len(alternatives) == 1:
        return Filter(tuple(alternatives[0]), tuple(reader.any_of), tuple(reader.none_of))
    if reader.any_of:
        raise UsageError("filter: alternatives in parentheses beside alternatives outside of them")
    return Filter(any_of=tuple(map(_alone, alternatives)), none_of=tuple(reader.none_of))


def filter_of_companies(ids: Sequence[str], wanted: Filter) -> Filter:
    """Return the filter of a watchlist: any of these companies or their daughters, beside what else must hold."""
    return replace(wanted, all_of=(Condition(companies=tuple(dict.fromkeys(ids))), *wanted.all_of))


def filter_of_other_companies(ids: Sequence[str], wanted: Filter) -> Filter:
    """Return the filter with another watchlist in place of the one that it has, if any."""
    first = wanted.all_of[0] if wanted.all_of else EMPTY
    has_one = bool(first.companies) and first == Condition(companies=first.companies)
    return filter_of_companies(ids, replace(wanted, all_of=wanted.all_of[has_one:]))


def describe(wanted: Filter) -> str:
    """Return the filter as a line of the language."""
    either = " | ".join(map(_words_of, wanted.any_of))
    if len(wanted.all_of) == 1 and len(wanted.any_of) != 1:
        all_of = [_words_of(wanted.all_of[0])]
    else:
        all_of = [f"({_words_of(one)})" for one in wanted.all_of]
    any_of = [f"({either})" if all_of or len(wanted.any_of) == 1 else either] if wanted.any_of else []
    none_of = [
        f"-({_words_of(one)})" if len(list(_terms_of(one))) > 1 else f"-{_words_of(one)}" for one in wanted.none_of
    ]
    return " ".join((*all_of, *any_of, *none_of)) or "everything"


def _tokens(text: str) -> Iterator[str]:
    """Yield `(`, `-(`, `|`, `)` and terms; a term keeps its quotation marks."""
    for opening, sign, term, odd in (found.groups("") for found in _TOKEN.finditer(text.rstrip())):
        if odd:
            raise UsageError(f"filter: a quotation mark is not closed in {text[:100]!r}")
        yield opening or sign or term


@dataclass(slots=True)
class _Reader:
    """Reads terms one after another; what must not hold and groups of alternatives are put aside."""

    tokens: list[str]
    gazetteer: Gazetteer
    any_of: list[Condition] = field(default_factory=list)
    none_of: list[Condition] = field(default_factory=list)
    at: int = 0

    def take(self, token: str) -> bool:
        """Pass a token if it is the next."""
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def end(self) -> None:
        """Raise UsageError if anything is left."""
        if self.at < len(self.tokens):
            raise UsageError("filter: a ) without its (")

    def sequence(self, within: str) -> list[Condition]:
        """Read terms up to a sign; `within` is the parenthesis around, in which there are no others."""
        found: dict[str, Any] = {}
        extra: list[dict[str, Any]] = []
        groups: list[Condition] = []
        while self.at < len(self.tokens) and self.tokens[self.at] not in {"|", ")"}:
            token = self.tokens[self.at]
            self.at += 1
            if within and token.startswith(("(", "-")):
                raise UsageError(f"filter: {token!r} stands inside of parentheses, where only terms may")
            if token in {"(", "-("}:
                groups += self._group(token)
            elif token.startswith("-") and len(token) > 1:
                name, value = _term(token[1:], self.gazetteer)
                self.none_of.append(_condition({name: value}, token))
            else:
                _put(found, extra, token, self.gazetteer)
        daughters = {"daughters": found["daughters"]} if "daughters" in found else {}
        conditions = [_condition(found, "daughters")] if found else []
        conditions += [_condition(one | (daughters if one.keys() & _GROUPED else {}), "") for one in extra]
        return [*conditions, *groups]

    def _group(self, opening: str) -> list[Condition]:
        """Read a group; one that must hold whole is returned, others are put aside."""
        alternatives = [_alone(self.sequence(opening))]
        while self.take("|"):
            alternatives.append(_alone(self.sequence(opening)))
        if not self.take(")"):
            raise UsageError("filter: a ( is not closed")
        if opening == "-(":
            self.none_of += alternatives
        elif len(alternatives) == 1:
            return alternatives
        elif self.any_of:
            raise UsageError("filter: only one group of alternatives can be asked for")
        else:
            self.any_of = alternatives
        return []


_GROUPED: Final = frozenset({"companies", "together"})


def _alone(conditions: list[Condition]) -> Condition:
    """Return the one condition that an alternative is. Raises UsageError."""
    if not conditions:
        raise UsageError("filter: an alternative beside | is empty, or what is in parentheses")
    if len(conditions) > 1:
        raise UsageError(
            "filter: a term is given twice in one alternative, or an alternative has parentheses of its own"
        )
    return conditions[0]


def _put(found: dict[str, Any], extra: list[dict[str, Any]], term: str, gazetteer: Gazetteer) -> None:
    """Take a term in; one given twice must hold twice, so it is a condition of its own."""
    name, value = _term(term, gazetteer)
    if name not in found:
        found[name] = value
    elif name in _ONCE:
        raise UsageError(f"filter: {term!r}: {_KEYS[name]} is given twice")
    else:
        extra.append({name: value})


def _condition(found: dict[str, Any], place: str) -> Condition:
    if found.keys() == {"daughters"}:
        raise UsageError(f"filter: {place!r}: daughters says nothing without company or together")
    return replace(EMPTY, **found)


def _term(term: str, gazetteer: Gazetteer) -> tuple[str, object]:
    quoted, term = term.startswith('"'), term.replace('"', "")
    key, colon, text = term.partition(":")
    if not colon or quoted:
        return "words", (_word(term),)
    name = _NAMES.get(_SHORT.get(key.lower(), key.lower()))
    if name is None:
        close = difflib.get_close_matches(key.lower(), list(_NAMES), n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}:?" if close else ""
        raise UsageError(f"filter: {term!r}: there is no {key}:{hint} Keys: {', '.join(_NAMES)}")
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values:
        raise UsageError(f"filter: {term!r}: {key}: needs a value")
    if len(values) > MAX_VALUES:
        raise UsageError(f"filter: {key}: more than {MAX_VALUES} values")
    return name, _value(name, values, term, gazetteer)


def _value(name: str, values: list[str], term: str, gazetteer: Gazetteer) -> object:
    if name in {"companies", "together"}:
        return tuple(dict.fromkeys(company_id(value, gazetteer) for value in values))
    if name in _LABELS:
        return tuple(dict.fromkeys(_label(_LABELS[name], value, term) for value in values))
    if name == "countries":
        return tuple(dict.fromkeys(_country(value, term, gazetteer) for value in values))
    if name == "languages":
        return tuple(dict.fromkeys(_code(value, 2, 3, term).lower() for value in values))
    if name == "words":
        return tuple(dict.fromkeys(map(_word, values)))
    if len(values) > 1:
        raise UsageError(f"filter: {term!r}: takes one value")
    return _single(name, values[0], term)


def _single(name: str, value: str, term: str) -> object:
    if name == "daughters":
        if value.lower() not in {"yes", "no"}:
            raise UsageError(f"filter: {term!r}: daughters is yes or no")
        return value.lower() == "yes"
    try:
        number = float(value) if name == "min_confidence" else int(value)
    except ValueError as error:
        raise UsageError(f"filter: {term!r}: {value!r} is not a number") from error
    low, high = (0, 1) if name == "min_confidence" else (1, 1_000)
    if not low <= number <= high:
        raise UsageError(f"filter: {term!r}: must be between {low} and {high}")
    return number


def company_id(name: str, gazetteer: Gazetteer) -> str:
    """Return the id of the company with this id or name. Raises UsageError, naming one that is close."""
    if name.lower() in gazetteer:
        return name.lower()
    found = gazetteer.find_by_name(name)
    if found is not None:
        return found.id
    close = difflib.get_close_matches(name.lower(), [company.id for company in gazetteer], n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(f"filter: {name!r}: the gazetteer has no such company{hint}")


def _label(kind: type[StrEnum], value: str, term: str) -> StrEnum:
    wanted = value.lower().replace(" ", "_").replace("-", "_")
    for label in kind:
        if wanted in {label.value, label.value.removeprefix("story.")}:
            return label
    names = [label.value.removeprefix("story.") for label in kind]
    close = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise UsageError(f"filter: {term!r}: {value!r} is none of {', '.join(names)}{hint}")


def _country(value: str, term: str, gazetteer: Gazetteer) -> str:
    code = _code(value, 2, 2, term).upper()
    if not any(company.country == code for company in gazetteer):
        hint = "; did you mean GB?" if code == "UK" else ""
        raise UsageError(f"filter: {term!r}: no company of the gazetteer is from {code}{hint}")
    return code


def _code(value: str, low: int, high: int, term: str) -> str:
    if not (value.isascii() and value.isalpha() and low <= len(value) <= high):
        raise UsageError(f"filter: {term!r}: {value!r} is not a code of {low} letters")
    return value


def _word(text: str) -> str:
    word = " ".join(_SIGNS.sub(" ", text).split())  # which no word of a text holds
    if not any(character.isalnum() for character in word) or len(word) > MAX_WORD_CHARS:
        raise UsageError(f"filter: {text[:100]!r}: not a word of at most {MAX_WORD_CHARS} characters")
    return word


def _words_of(condition: Condition) -> str:
    return " ".join(_terms_of(condition))


def _terms_of(condition: Condition) -> Iterator[str]:
    for one in fields(Condition):
        value = getattr(condition, one.name)
        if value == getattr(EMPTY, one.name):
            continue
        yield f"{_KEYS[one.name]}:{_quoted(_shown(value))}"


def _shown(value: tuple[str, ...] | bool | float) -> str:
    if isinstance(value, tuple):
        return ",".join(one.removeprefix("story.") for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[\s()|]", value) else value
