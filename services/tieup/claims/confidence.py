"""How sure the extraction is of a relation and of each of its labels: fitted to what came true of other stories.

Each judgement (that companies are tied, and each label) comes with a probability of its own; a table says, per
judgement, what a probability is worth. That all of them are right at once is a judgement of its own: it weighs the
probabilities with how the relation is told (`sure_features`). Weights and tables are data, written by `make fit`.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from tieup.claims.logit import Logit, probability
from tieup.errors import DataError
from tieup.model.relation import JudgementConfidences, Relation

Table = tuple[tuple[float, float], ...]
"""Steps (least probability, share that was right), rising."""

ALL: Final = "all"
"""The judgement that a relation is right as a whole: parties, kind, stage and factuality."""

JUDGEMENTS: Final = ("relation", "kind", "stage", "factuality")

CERTAIN: Final = 0.005
"""Probabilities nearer to 0 or 1 count as this near: no fit on hundreds of relations tells them apart."""


@dataclass(frozen=True, slots=True)
class Confidences:
    """What probabilities are worth: `tables` by judgement, and the weights of what speaks for all being right.

    Without tables probabilities are left as they are, and that of all is their product.
    """

    sure: Logit = field(default_factory=lambda: Logit({}))
    tables: Mapping[str, Table] = field(default_factory=dict)


def product(said: JudgementConfidences) -> float:
    """Return the probability of all being right, as far as the judgements are independent, with two digits."""
    return round(said.relation * said.kind * said.stage * said.factuality, 2)


def rated(relations: Sequence[Relation], confidences: Confidences) -> tuple[Relation, ...]:
    """Return the relations of one article, what their probabilities are worth in the place of each."""
    return tuple(rate(one, len(relations), confidences) for one in relations)


def rate(relation: Relation, among: int, confidences: Confidences) -> Relation:
    """Return a relation of an article that has so many, what its probabilities are worth in the place of each."""
    if relation.confidences is None or not confidences.tables:
        return relation
    sure = sure_probability(confidences.sure, relation, among)
    worth = {name: look_up(confidences.tables[name], getattr(relation.confidences, name)) for name in JUDGEMENTS}
    return replace(
        relation, confidence=look_up(confidences.tables[ALL], sure), confidences=JudgementConfidences(**worth)
    )


def sure_probability(sure: Logit, relation: Relation, among: int) -> float:
    """Return the probability of a relation's being right as a whole, before the table, with three digits."""
    return round(probability(sure.odds(sure_features(relation, among))), 3)


def sure_features(relation: Relation, among: int) -> dict[str, float]:
    """Return what speaks for a relation's being right as a whole.

    That is: how sure each judgement is, alone and together, whether the headline agrees, whether all parties are known,
    and how many relations the article states (`among`, itself counted). More features gain nothing in folds.
    """
    said = relation.confidences
    if said is None:
        return {}
    shares = {name: getattr(said, name) for name in JUDGEMENTS}
    return {
        "bias": 1.0,
        ALL: _odds(math.prod(shares.values())),
        **{name: _odds(share) / len(JUDGEMENTS) for name, share in shares.items()},
        "among": math.log(max(1, among)),
        "titled": float(relation.in_title),
        "strangers": float(any(one.id is None for one in relation.parties)),
    }


def _odds(share: float) -> float:
    bounded = max(CERTAIN, min(1.0 - CERTAIN, share))
    return math.log(bounded / (1.0 - bounded))


def look_up(table: Table, value: float) -> float:
    """Return what a probability is worth: the highest step that it reaches (the lowest below all).

    An empty table leaves it as it is.
    """
    if not table:
        return value
    return next((share for least, share in reversed(table) if value >= least), table[0][1])


@cache
def load_confidences() -> Confidences:
    """Return the fitted weights and tables. Raises DataError if a table is missing, falls, or leaves 0 to 1."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("confidence.toml").read_text(encoding="utf-8"))
        tables = {name: _table(name, data["steps"][name]) for name in (ALL, *JUDGEMENTS)}
        return Confidences(Logit({key: float(value) for key, value in data["sure"].items()}), tables)
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise DataError(f"confidence.toml: {error}") from error


def _table(name: str, steps: Iterable[tuple[float, float]]) -> Table:
    table = tuple((float(least), float(share)) for least, share in steps)
    rising = all(one[0] < other[0] and one[1] <= other[1] for one, other in pairwise(table))
    if not table or not rising or any(not 0 <= share <= 1 for _, share in table):
        raise DataError(f"confidence.toml: {name}: steps must rise and lie between 0 and 1")
    return table
