"""Fitted judgements: log-linear models whose weights are data, and whose features are read off the text by rules."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tieup.errors import DataError

Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Logit:
    """A weight per feature; a feature without a weight counts nothing."""

    weights: Mapping[str, float]

    def odds(self, features: Features) -> float:
        """Return the log-odds of what the model judges, with four digits, so that no float noise decides."""
        weights = self.weights
        return round(sum(weights.get(name, 0.0) * value for name, value in features.items()), 4)


Models = Mapping[str, Logit]


def probability(odds: float) -> float:
    """Return the probability (0 to 1) that log-odds stand for."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


def shares(odds: Mapping[str, float]) -> dict[str, float]:
    """Return the probabilities of exclusive choices from their log-odds (softmax)."""
    most = max(odds.values())
    weights = {name: math.exp(value - most) for name, value in odds.items()}
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}


@cache
def load_models() -> Models:
    """Return the models of the package's data by name. Raises DataError if the file is wrong."""
    try:
        data = tomllib.loads(files("tieup.claims").joinpath("weights.toml").read_text(encoding="utf-8"))
        return {name: Logit({key: float(value) for key, value in table.items()}) for name, table in data.items()}
    except (tomllib.TOMLDecodeError, AttributeError, ValueError, TypeError, OSError) as error:
        raise DataError(f"weights.toml: {error}") from error
