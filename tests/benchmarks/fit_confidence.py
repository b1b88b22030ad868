"""Fits what extraction's probabilities are worth (claims/confidence.toml); `tests.benchmarks.fit` runs it.

A relation is right as a whole if it is stated and its kind, stage and factuality are right. Probabilities are of
articles whose stories were in no set that the weights were fitted to; tables fitted to the same articles would promise
too much. What speaks for a whole relation is weighed in folds again, so that its table, too, is of relations that its
weights had not seen. The steps are those of isotonic regression (pool adjacent violators), drawn a little to the mean.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks import made_from
from tests.benchmarks.descent import descend
from tests.benchmarks.fit_labels import FOLDS, Told

from tieup.claims.confidence import ALL, JUDGEMENTS, Confidences, Table, rate, sure_features, sure_probability
from tieup.claims.logit import Logit
from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.lines import line_relation
from tieup.model.relation import Relation

DRAWN = 2
LEAST = 40
"""The fewest judgements on a step."""
MOST = 0.99
"""No step promises more."""
STIFFNESS = 2.0
HEAD = """\
# What extraction's probabilities are worth. Under `steps`, for each judgement: from each probability on, the share that
# was right, among stories that no weight was fitted to. `sure` weighs what speaks for a relation's being right as a
# whole (parties, kind, stage, factuality), whose steps are those of `all`. Written by `make fit`; docs/confidence.md
# shows what comes true.
"""


@dataclass(frozen=True, slots=True)
class Point:
    """A relation found, how many its article has, which judgements were right, and its fold.

    The labels of a relation that nobody stated are neither right nor wrong.
    """

    relation: Relation
    among: int
    right: Mapping[str, bool]
    fold: int


def points(gazetteer: Gazetteer, told: Iterable[Told]) -> list[Point]:
    """Return each relation found, its confidences the bare probabilities, and what of it is right."""
    keys = PartyKeys(gazetteer)
    found: list[Point] = []
    for one, stated in told:
        lines = [line_relation(relation) for relation in stated]
        matched = align(one.gold.relations, lines, keys)
        pairs = {id(pair.found): pair for pair in (*matched.pairs, *matched.optional)}
        for relation, line in zip(stated, lines, strict=True):
            pair = pairs.get(id(line))
            labels = {} if pair is None else {name: pair.is_right(name) for name in JUDGEMENTS[1:]}
            right = {"relation": pair is not None, **labels, ALL: pair is not None and all(labels.values())}
            found.append(Point(relation, len(stated), right, one.fold))
    return found


def fit(found: Sequence[Point]) -> Confidences:
    """Return the weights of all points, and the tables of what came true in folds."""
    crossed = {ALL: [(sure, one.right[ALL]) for one, sure in _crossed(found)]}
    for name in JUDGEMENTS:
        crossed[name] = [
            (getattr(one.relation.confidences, name), one.right[name]) for one in found if name in one.right
        ]
    return Confidences(_weigh(found), {name: steps(said) for name, said in crossed.items()})


def _weigh(found: Sequence[Point]) -> Logit:
    samples = [
        ((sure_features(one.relation, one.among), {}), frozenset({0 if one.right[ALL] else 1}), 1.0) for one in found
    ]
    return Logit(descend(samples, STIFFNESS))


def _crossed(found: Sequence[Point]) -> Iterator[tuple[Point, float]]:
    """Yield each point with the probability that weights fitted to the other folds give it."""
    for fold in sorted({one.fold for one in found}):
        sure = _weigh([one for one in found if one.fold != fold])
        yield from ((one, sure_probability(sure, one.relation, one.among)) for one in found if one.fold == fold)


def steps(said: Sequence[tuple[float, bool]]) -> Table:
    """Return the steps (least probability, share right), rising."""
    mean = sum(right for _, right in said) / len(said)
    pools: list[tuple[float, int, int]] = []
    for score, right in sorted(said):
        pools.append((score, int(right), 1))
        while len(pools) > 1 and (
            pools[-2][2] < LEAST or pools[-1][0] == pools[-2][0] or _share(pools[-2]) >= _share(pools[-1])
        ):
            last = pools.pop()
            pools[-1] = (pools[-1][0], pools[-1][1] + last[1], pools[-1][2] + last[2])
    table: list[tuple[float, float]] = []
    for score, right, count in pools:
        share = min(MOST, round((right + DRAWN * mean) / (count + DRAWN), 2))
        if not table or share > table[-1][1]:
            table.append((round(score, 3), share))
    return tuple(table)


def _share(pool: tuple[float, int, int]) -> float:
    return pool[1] / pool[2]


def reliability(found: Sequence[Point]) -> Iterator[tuple[str, float, float, int]]:
    """Yield per judgement from what on is said (tenths), the share that came true, and of how many, in folds."""
    told: dict[tuple[str, float], list[bool]] = {}
    for fold in range(FOLDS):
        confidences = fit([one for one in found if one.fold != fold])
        for one in (one for one in found if one.fold == fold):
            worth = rate(one.relation, one.among, confidences)
            for name, right in one.right.items():
                said = worth.confidence if name == ALL else getattr(worth.confidences, name)
                told.setdefault((name, math.floor(10 * said + 1e-6) / 10), []).append(right)
    for (name, said), rights in sorted(told.items()):
        yield name, said, sum(rights) / len(rights), len(rights)


def plot(found: Sequence[Point]) -> str:
    """The reliability of each judgement as rows of a Markdown table, with a bar of twenty signs."""
    rows = [
        f"| {name} | {said:.1f} | {right:.2f} | {count} | `{'█' * round(20 * right):░<20}` |"
        for name, said, right, count in reliability(found)
    ]
    return "\n".join(["| judgement | said, from | right | of | |", "|---|---|---|---|---|", *rows])


def written(confidences: Confidences) -> str:
    """The data file of the weights and tables."""
    tables = [
        f"{name} = [\n" + "".join(f"    [{least}, {share}],\n" for least, share in table) + "]\n"
        for name, table in confidences.tables.items()
    ]
    sure = "".join(f'"{name}" = {weight}\n' for name, weight in sorted(confidences.sure.weights.items()))
    return f"{HEAD}{made_from.line()}[sure]\n{sure}\n[steps]\n" + "".join(tables)
