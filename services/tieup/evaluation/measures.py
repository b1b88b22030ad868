"""The measures: shares, precision and recall, macro-F1, BCubed. Pure arithmetic on counts."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

DIGITS = 4


@dataclass(frozen=True, slots=True)
class Share:
    """So many right of so many."""

    right: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1, or None where there was nothing to judge."""
        return round(self.right / self.of, DIGITS) if self.of else None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found: `right` of `found` things were right, of `wanted` things that there are.

    A right thing is counted on both sides, so that precision = right / found and recall = right / wanted.
    """

    right: int
    found: int
    wanted: int

    @property
    def precision(self) -> float | None:
        """The share of the found that is right; None where nothing was found."""
        return Share(self.right, self.found).value

    @property
    def recall(self) -> float | None:
        """The share of the wanted that was found; None where nothing was wanted."""
        return Share(self.right, self.wanted).value

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where nothing was found nor wanted."""
        return Share(2 * self.right, self.found + self.wanted).value


def macro_f1(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Return the mean F1 over the labels that occur, from pairs (gold, predicted); None without pairs."""
    counted = Counter(pairs)
    labels = sorted({label for pair in counted for label in pair})
    scores = [_label_f1(counted, label) for label in labels]
    return round(sum(scores) / len(scores), DIGITS) if scores else None


def _label_f1(counted: Counter[tuple[str, str]], label: str) -> float:
    wanted = sum(count for (gold, _), count in counted.items() if gold == label)
    found = sum(count for (_, predicted), count in counted.items() if predicted == label)
    return 2 * counted[label, label] / (wanted + found)


def bcubed_f1(gold: Sequence[Hashable], found: Sequence[Hashable]) -> float | None:
    """Return the BCubed F1 of two clusterings given as one cluster per item, in the same order; None without items.

    Bagga and Baldwin (1998): for every item, the share of its found cluster that shares its gold cluster (precision)
    and the share of its gold cluster that shares its found one (recall); both are averaged over the items.
    """
    if not gold:
        return None
    both = Counter(zip(gold, found, strict=True))
    wanted, made = Counter(gold), Counter(found)
    items = len(gold)
    precision = sum(count * count / made[cluster] for (_, cluster), count in both.items()) / items
    recall = sum(count * count / wanted[cluster] for (cluster, _), count in both.items()) / items
    return round(2 * precision * recall / (precision + recall), DIGITS)
