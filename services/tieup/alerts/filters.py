"""The filter language: one line of terms, read into a Filter and written back.

    ford kind:joint_venture -kind:distribution          all terms must hold, those with - must not
    company:ford,xiaomi country:DE "solid state"        a list: one of these; what is no key is a word or phrase
    together:ford,xiaomi                                a pair: all of them are parties
    company:ford sure:denied | company:bmw              | separates alternatives

Companies are given by id or by any name of the gazetteer; a word that names a company is that company only after
`company:`. Every fault is a UsageError that names the term.
"""

import difflib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
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
    "sure": "factualities",
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
_KEYS: Final = {field: key for key, field in _NAMES.items()}
EMPTY: Final = Condition()


def parse_filter(text: str, gazetteer: Gazetteer) -> Filter:
    """Return the filter that a line says. Raises UsageError naming the term and, where one is close, the right word."""
    if len(text) > MAX_FILTER_CHARS:
        raise UsageError(f"filter: longer than {MAX_FILTER_CHARS} characters")
    alternatives: list[dict[str, Any]] = [{}]
    none_of: list[Condition] = []
    extra: list[Condition] = []
    for term in _split(text):
        if term == "|":
            alternatives.append({})
        elif term.startswith("-") and len(term) > 1:
            name, value = _term(term[1:], gazetteer)
            none_of.append(_condition({name: value}, term))
        else:
            _put(alternatives, extra, term, gazetteer)
    if len(alternatives) > 1:
        return _alternatives(alternatives, extra, none_of)
    found = _condition(alternatives[0], text)
    return Filter(all_of=tuple(one for one in (found, *extra) if one != EMPTY), none_of=tuple(none_of))


def filter_of_companies(ids: Sequence[str]) -> Filter:
    """Return the filter of a watchlist: any of these companies or their daughters."""
    return Filter(all_of=(Condition(companies=tuple(dict.fromkeys(ids))),))


def describe(wanted: Filter) -> str:
    """Return the filter as a line of the language."""
    all_of = " ".join(filter(None, map(_words_of, wanted.all_of)))
    any_of = " | ".join(filter(None, map(_words_of, wanted.any_of)))
    none_of = " ".join(f"-{term}" for one in wanted.none_of for term in _terms_of(one))
    return " ".join(filter(None, (all_of, any_of, none_of))) or "everything"


def _split(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.quotes = '"'
    lexer.escape = ""
    try:
        return [term for term in lexer if term]
    except ValueError as error:
        raise UsageError(f"filter: a quotation mark is not closed in {text[:100]!r}") from error


def _put(alternatives: list[dict[str, Any]], extra: list[Condition], term: str, gazetteer: Gazetteer) -> None:
    """Take a term into the alternative in hand; one given twice must hold twice, so it is a condition of its own."""
    name, value = _term(term, gazetteer)
    now = alternatives[-1]
    if name not in now:
        now[name] = value
    elif len(alternatives) > 1:
        raise UsageError(f"filter: {term!r}: {_KEYS[name]} is given twice in one alternative")
    elif name in {"min_confidence", "min_origins", "daughters"}:
        raise UsageError(f"filter: {term!r}: {_KEYS[name]} is given twice")
    else:
        extra.append(_condition({name: value}, term))


def _alternatives(found: list[dict[str, Any]], extra: list[Condition], none_of: list[Condition]) -> Filter:
    if extra:
        raise UsageError("filter: a term is given twice in one alternative")
    conditions = [_condition(one, "an alternative") for one in found]
    if EMPTY in conditions:
        raise UsageError("filter: an alternative beside | is empty")
    return Filter(any_of=tuple(conditions), none_of=tuple(none_of))


def _condition(found: dict[str, Any], place: str) -> Condition:
    if found.keys() == {"daughters"}:
        raise UsageError(f"filter: {place!r}: daughters says nothing without company or together")
    return replace(EMPTY, **found)


def _term(term: str, gazetteer: Gazetteer) -> tuple[str, object]:
    key, colon, text = term.partition(":")
    if not colon:
        return "words", (_word(term),)
    name = _NAMES.get(key.lower())
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
        return tuple(dict.fromkeys(_code(value, 2, 2, term).upper() for value in values))
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


def _code(value: str, low: int, high: int, term: str) -> str:
    if not (value.isascii() and value.isalpha() and low <= len(value) <= high):
        raise UsageError(f"filter: {term!r}: {value!r} is not a code of {low} letters")
    return value


def _word(text: str) -> str:
    word = " ".join(text.split())
    if not any(character.isalnum() for character in word) or len(word) > MAX_WORD_CHARS:
        raise UsageError(f"filter: {text[:100]!r}: not a word of at most {MAX_WORD_CHARS} characters")
    return word


def _words_of(condition: Condition) -> str:
    return " ".join(_terms_of(condition))


def _terms_of(condition: Condition) -> Iterable[str]:
    for field in fields(Condition):
        value = getattr(condition, field.name)
        if value == getattr(EMPTY, field.name):
            continue
        shown = ",".join(value) if isinstance(value, tuple) else {True: "yes", False: "no"}.get(value, f"{value:g}")
        yield _quoted(f"{_KEYS[field.name]}:{shown.replace('story.', '')}")


def _quoted(term: str) -> str:
    return f'"{term}"' if " " in term else term
