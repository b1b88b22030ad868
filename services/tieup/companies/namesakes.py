"""Short names that stand for another company than usual ("Volvo" beside Daimler Truck is the lorry maker)."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from tieup.companies.folding import fold
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Mention
from tieup.errors import DataError


@dataclass(frozen=True, slots=True)
class Namesake:
    """A mention of `company` written as `surface` means `means` beside certain companies or words.

    Not so where the text writes one of the `unless` names out.
    """

    surface: str
    company: str
    means: str
    beside: frozenset[str]
    words: frozenset[str]
    unless: tuple[str, ...]


def load_namesakes(gazetteer: Gazetteer) -> tuple[Namesake, ...]:
    """Return the namesakes of the package's data. Raises DataError, naming it, for a company not in the gazetteer."""
    text = files("tieup.companies").joinpath("data", "namesakes.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["namesake"]
    known = {company.id for company in gazetteer}
    for row in rows:
        for company in (row["company"], row["means"], *row["beside"]):
            if company not in known:
                raise DataError(f"namesake {row['surface']!r}: unknown company {company!r}")
    return tuple(
        Namesake(
            row["surface"],
            row["company"],
            row["means"],
            frozenset(row["beside"]),
            frozenset(fold(word) for word in row["words"]),
            tuple(fold(name) for name in row["unless"]),
        )
        for row in rows
    )


def resolve(mentions: Sequence[Mention], text: str, namesakes: Sequence[Namesake]) -> list[Mention]:
    """Return the mentions, those of namesakes with the company that the text means."""
    named = {one.company_id for one in mentions}
    meant = {
        (one.company, one.surface): one.means
        for one in namesakes
        if one.company in named and _is_meant(one, named, text)
    }
    return [
        replace(one, company_id=meant[one.company_id, one.surface]) if (one.company_id, one.surface) in meant else one
        for one in mentions
    ]


def _is_meant(namesake: Namesake, named: set[str], text: str) -> bool:
    folded = fold(text)
    if any(name in folded for name in namesake.unless):
        return False
    return bool(namesake.beside & named) or not namesake.words.isdisjoint(re.findall(r"[\w-]+", folded))
