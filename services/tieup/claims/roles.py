"""The parties' roles where the text shows them: who buys, who supplies, who builds for whom."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from tieup.claims.reading import Sentence
from tieup.claims.votes import Scope
from tieup.errors import DataError
from tieup.model.labels import Kind, Role

BETWEEN: Final = 120
"""How many code points may stand between two parties that one word ties in their roles."""
_BREAK: Final = re.compile(r"[,;]")


@dataclass(frozen=True, slots=True)
class Rule:
    """A word between two parties and the roles that it gives the one before and the one after it."""

    kinds: frozenset[Kind]
    words: re.Pattern[str]
    marked: re.Pattern[str] | None
    first: Role
    second: Role | None


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in order, and what before the second party bars a role."""

    rules: tuple[Rule, ...]
    never: re.Pattern[str]


@cache
def load_roles() -> Rules:
    """Return the rules of the package's data. Raises DataError if the file is wrong."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("roles.toml").read_text(encoding="utf-8"))
        rules = tuple(
            Rule(
                frozenset(Kind(kind) for kind in row["kinds"]),
                re.compile(rf"(?<!\w)(?:{_any(row['words'])})(?!\w)", re.IGNORECASE),
                _before(row["marked"]) if "marked" in row else None,
                Role(row["first"]),
                Role(row["second"]) if "second" in row else None,
            )
            for row in data["rule"]
        )
        return Rules(rules, _before(data["never"]))
    except (tomllib.TOMLDecodeError, KeyError, ValueError, OSError) as error:
        raise DataError(f"roles.toml: {error}") from error


def read_roles(scope: Scope, kind: Kind) -> dict[str, Role]:
    """Return the roles by company id; empty where the text shows none: that all are partners the kind says already."""
    table = load_roles()
    if len(scope.draft.parties) != 2:
        return {}
    for sentence in scope.draft.sentences:
        if found := _shown(sentence, frozenset(scope.draft.parties), kind, table):
            return found
    return {}


def _shown(sentence: Sentence, parties: frozenset[str], kind: Kind, table: Rules) -> dict[str, Role]:
    for left, right in pairwise(sentence.mentions):
        if {left.company_id, right.company_id} != parties or right.start - left.end > BETWEEN:
            continue
        between = sentence.text[left.end - sentence.start : right.start - sentence.start]
        if table.never.search(between) or _BREAK.search(between):
            continue
        for rule in table.rules:
            if kind in rule.kinds and rule.words.search(between) and (not rule.marked or rule.marked.search(between)):
                shown = {left.company_id: rule.first, right.company_id: rule.second}
                return {company: role for company, role in shown.items() if role is not None}
    return {}


def _before(words: Iterable[str]) -> re.Pattern[str]:
    """What ends in one of the words, an article or two words more."""
    return re.compile(rf"(?<!\w)(?:{_any(words)})\s(?:[\w-]{{1,20}}\s){{0,2}}$", re.IGNORECASE)


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda one: (-len(one), one)))
