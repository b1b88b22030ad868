"""How readily a relation is taken for the deal of a story: the table in `data/affinity.toml`, read and checked."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from itertools import pairwise
from typing import Final

import msgspec

from tieup.errors import DataError
from tieup.model.labels import Kind, Stage

_FILE: Final = "affinity.toml"
_AGES: Final = ("rumour", "progress", "deal", "end")
_DAY: Final = timedelta(days=1)
_SETTLED: Final = frozenset({Stage.AGREED, Stage.ACTIVE})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least affinities, and the factors for parties that are not quite the same; all between 0 and 1."""

    join: float
    parties: float
    same_article: float
    daughter: float
    late_daughter: float
    sibling: float
    subset: float
    crosswise: float
    backwards: float
    apart: float
    elsewhere: float
    shared: float
    venture: float


@dataclass(frozen=True, slots=True)
class Age:
    """The factor that holds up to this many days since a story's last news."""

    days: int
    factor: float


def _aged(earlier: Stage, later: Stage) -> str:
    if earlier in _SETTLED:
        return "end" if later is Stage.ENDED else "deal"
    return "progress" if earlier is Stage.TALKS and later in _SETTLED else "rumour"


@dataclass(frozen=True, slots=True)
class Affinity:
    """The table: kinds, ages and thresholds."""

    thresholds: Thresholds
    ages: Mapping[str, tuple[Age, ...]]
    kinds: Mapping[Kind, Mapping[Kind, float]]

    def of_kinds(self, one: Kind, other: Kind) -> float:
        """Return the affinity of two kinds, whichever comes first."""
        if one is other:
            return 1.0
        return max(self.kinds.get(one, {}).get(other, 0.0), self.kinds.get(other, {}).get(one, 0.0))

    def of_stages(self, earlier: Stage, later: Stage) -> float:
        """Return the factor for two stages in the order of time: deals run forward, so talks about a deal that is
        agreed or in force are more likely talks about another one.
        """
        return self.thresholds.backwards if later is Stage.TALKS and earlier in _SETTLED else 1.0

    def of_age(self, earlier: Stage, later: Stage, silence: timedelta) -> float:
        """Return the factor for two stages in the order of time with this silence between; 0 where it is too long."""
        days = silence / _DAY
        return next((one.factor for one in self.ages[_aged(earlier, later)] if days <= one.days), 0.0)


def load_affinity() -> Affinity:
    """Return the table. Raises DataError, naming the place, if the file in the package is wrong."""
    text = (resources.files(__package__) / "data" / _FILE).read_text("utf-8")
    return parse_affinity(text)


def parse_affinity(text: str) -> Affinity:
    """Return the table that the TOML text holds. Raises DataError if it is not such a table."""
    try:
        table = msgspec.convert(tomllib.loads(text), Affinity)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{_FILE}: {error}") from error
    for fault in _faults(table):
        raise DataError(f"{_FILE}: {fault}")
    return table


def _faults(table: Affinity) -> Sequence[str]:
    faults = [f"ages: {name} is missing" for name in _AGES if not table.ages.get(name)]
    for name, ages in table.ages.items():
        if any(later.days <= earlier.days for earlier, later in pairwise(ages)):
            faults.append(f"ages.{name}: the days do not rise")
        faults += [f"ages.{name}: {age.factor} is not between 0 and 1" for age in ages if not 0 <= age.factor <= 1]
    for one, others in table.kinds.items():
        faults += [f"kinds.{one}.{other}: {value}" for other, value in others.items() if not 0 <= value <= 1]
        faults += [f"kinds.{one}.{other}: given twice" for other in others if one in table.kinds.get(other, {})]
    return faults
