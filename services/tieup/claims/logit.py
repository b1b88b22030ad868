"""Fitted judgements: log-linear models whose weights are data, and whose features are read off the text by rules."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Logit:
    """A weight per feature; a feature without a weight counts nothing."""

    weights: Mapping[str, float]

    def odds(self, features: Features) -> float:
        """Return the log-odds of what the model judges, with four digits, so that no float noise decides."""
        weights = self.weights
        return round(sum(weights.get(name, 0.0) * value for name, value in features.items()), 4)


def probability(odds: float) -> float:
    """Return the probability (0 to 1) that log-odds stand for."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


def shares(odds: Mapping[str, float]) -> dict[str, float]:
    """Return the probabilities of exclusive choices from their log-odds (softmax)."""
    most = max(odds.values())
    weights = {name: math.exp(value - most) for name, value in odds.items()}
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}
