"""How sure the extraction is of a relation: a score of its evidence, and a fitted table that says what it is worth."""

import math
import tomllib
from functools import cache
from importlib.resources import files
from itertools import pairwise

from tieup.errors import DataError

Table = tuple[tuple[float, float], ...]
"""Steps (least score, share of relations that were right), rising."""


def score(relation: float, *labels: float) -> float:
    """Return the score of the evidence, from 0 to 1 with two digits.

    `relation` is the probability that the relation is stated at all, `labels` those of its kind, stage and factuality;
    their product is that of all being right, as far as they are independent. The table mends how far they are not.
    """
    return round(math.prod((relation, *labels)), 2)


def look_up(table: Table, value: float) -> float:
    """Return the confidence that a score is worth: the highest step that it reaches (the lowest below all).

    An empty table leaves the score as it is.
    """
    if not table:
        return value
    return next((share for least, share in reversed(table) if value >= least), table[0][1])


@cache
def load_confidences() -> Table:
    """Return the fitted table. Raises DataError if it is wrong: it must rise and lie between 0 and 1."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("confidence.toml").read_text(encoding="utf-8"))
        table = tuple((float(least), float(share)) for least, share in data["steps"])
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(f"confidence.toml: {error}") from error
    rising = all(one[0] < other[0] and one[1] <= other[1] for one, other in pairwise(table))
    if not table or not rising or any(not 0 <= share <= 1 for _, share in table):
        raise DataError("confidence.toml: steps must rise and lie between 0 and 1")
    return table
