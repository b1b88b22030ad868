"""Which predicted relation stands for which gold relation: one to one, by their parties."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tieup.companies.folding import fold
from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.gold import LABELS, GoldRelation
from tieup.evaluation.lines import LineParty, LineRelation

SCORED_LABELS: Final = tuple(LABELS)

PartySet = frozenset[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold relation and the prediction that stands for it."""

    gold: GoldRelation
    found: LineRelation

    def is_right(self, label: str) -> bool:
        """Whether the prediction's label is one of the right ones."""
        return self.gold.is_right(label, getattr(self.found, label))

    @property
    def labels_right(self) -> int:
        """How many of the scored labels are right."""
        return sum(self.is_right(label) for label in SCORED_LABELS)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The outcome for one article: pairs that count, gold missed, predictions too many. What matched only an optional
    gold relation counts nowhere and is kept in `optional`.
    """

    pairs: tuple[Pair, ...]
    missed: tuple[GoldRelation, ...]
    extra: tuple[LineRelation, ...]
    optional: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """Names of companies to comparable keys: the gazetteer id, else the folded name."""

    gazetteer: Gazetteer

    def of_name(self, name: str) -> str:
        """The key of a company by its name."""
        company = self.gazetteer.find_by_name(name)
        return " ".join(fold(name).split()) if company is None else company.id

    def of_names(self, names: Iterable[str]) -> PartySet:
        """The keys of a gold party set."""
        return frozenset(self.of_name(name) for name in names)

    def of_parties(self, parties: Iterable[LineParty]) -> PartySet:
        """The keys of a predicted party set."""
        return frozenset(party.id or self.of_name(party.name) for party in parties)


def align(gold: Sequence[GoldRelation], found: Sequence[LineRelation], keys: PartyKeys) -> Alignment:
    """Return the best one-to-one alignment of relations whose party sets are equal.

    A relation of several parties counts once, and only as a whole. Of all alignments the one with the most required
    gold relations matched is taken, then with the most pairs, then with the most labels right (kind, stage,
    factuality, focus), then the first in the order given.
    """
    accepted = [[keys.of_names(names) for names in (one.parties, *one.alt_parties)] for one in gold]
    party_sets = [keys.of_parties(one.parties) for one in found]
    step = 1 + (len(SCORED_LABELS) * min(len(gold), len(found)))
    weights = [
        [
            _weight(Pair(one, other), step) if parties in sets else 0
            for other, parties in zip(found, party_sets, strict=True)
        ]
        for one, sets in zip(gold, accepted, strict=True)
    ]
    chosen = best_assignment(weights)
    pairs = [(Pair(gold[row], found[column])) for row, column in chosen]
    taken = {column for _, column in chosen}
    matched = {row for row, _ in chosen}
    return Alignment(
        pairs=tuple(pair for pair in pairs if not pair.gold.optional),
        missed=tuple(one for row, one in enumerate(gold) if row not in matched and not one.optional),
        extra=tuple(one for column, one in enumerate(found) if column not in taken),
        optional=tuple(pair for pair in pairs if pair.gold.optional),
    )


def _weight(pair: Pair, step: int) -> int:
    """Required before optional before labels: `step` is more than all labels of one article can add up to."""
    return (step if pair.gold.optional else step * (step + 1)) + pair.labels_right


def best_assignment(weights: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return the (row, column) pairs, by row, of the one-to-one assignment with the greatest sum; weight 0 is no pair.

    The Hungarian method with potentials (Kuhn–Munkres) on the square matrix; rows enter in order, so that equal sums
    give the same answer everywhere.
    """
    size = max(len(weights), max((len(row) for row in weights), default=0))
    costs = [[0] * (size + 1) for _ in range(size + 1)]
    for row, values in enumerate(weights, start=1):
        for column, value in enumerate(values, start=1):
            costs[row][column] = -value
    owner = _hungarian(costs, size)
    pairs = ((owner[column] - 1, column - 1) for column in range(1, size + 1))
    return sorted((row, column) for row, column in pairs if _weight_at(weights, row, column) > 0)


def _weight_at(weights: Sequence[Sequence[int]], row: int, column: int) -> int:
    return weights[row][column] if row < len(weights) and column < len(weights[row]) else 0


def _hungarian(costs: list[list[int]], size: int) -> list[int]:
    """Return the row that owns each column (1-based, 0 unused) at the least total cost."""
    rows, columns = [0] * (size + 1), [0] * (size + 1)
    owner, before = [0] * (size + 1), [0] * (size + 1)
    for row in range(1, size + 1):
        owner[0], at = row, 0
        slack: list[int | None] = [None] * (size + 1)
        done = [False] * (size + 1)
        while owner[at] != 0:
            done[at] = True
            at, least = _cheapest(costs, owner[at], at, rows, columns, slack, done, before)
            for column in range(size + 1):
                if done[column]:
                    rows[owner[column]] += least
                    columns[column] -= least
                elif (left := slack[column]) is not None:
                    slack[column] = left - least
        while at:
            owner[at] = owner[before[at]]
            at = before[at]
    return owner


def _cheapest(
    costs: list[list[int]],
    row: int,
    at: int,
    rows: list[int],
    columns: list[int],
    slack: list[int | None],
    done: list[bool],
    before: list[int],
) -> tuple[int, int]:
    best, least = 0, None
    for column in range(1, len(done)):
        if done[column]:
            continue
        cost = costs[row][column] - rows[row] - columns[column]
        left = slack[column]
        if left is None or cost < left:
            slack[column] = left = cost
            before[column] = at
        if least is None or left < least:
            best, least = column, left
    return best, least or 0
