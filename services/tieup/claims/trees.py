"""Boosted decision trees: judgements in which one feature bears on what another is worth, such as a word of agreements
that counts for little between companies that are only compared.

Fitted by scikit-learn (`make fit`), read and weighed here: a few hundred comparisons need no library.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Node(NamedTuple):
    """A place in a tree: values up to `at` go on to `low`, others to `high`; a leaf (feature -1) is worth `at`."""

    feature: int
    at: float
    low: int
    high: int


Tree = tuple[Node, ...]
"""The nodes of a tree, the root first."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees over named features; the log-odds are `start` and the sum of the leaves that features lead to."""

    features: tuple[str, ...]
    start: float
    trees: tuple[Tree, ...]

    def odds(self, features: Mapping[str, float]) -> float:
        """Return the log-odds, with four digits, so that no float noise decides. A feature that is absent is 0."""
        values = [features.get(name, 0.0) for name in self.features]
        return round(self.start + sum(_leaf(tree, values) for tree in self.trees), 4)


def _leaf(tree: Tree, values: list[float]) -> float:
    feature, at, low, high = tree[0]
    while feature >= 0:
        feature, at, low, high = tree[low if values[feature] <= at else high]
    return at
