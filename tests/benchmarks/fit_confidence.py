"""Fits the table that turns the score of a relation into its confidence; `tests.benchmarks.fit` runs it.

A relation is right if it is stated and its kind, stage and factuality are right. Scores are of articles whose stories
were in no set that the weights were fitted to; a table fitted to the same articles as the weights would promise too
much. The steps are those of isotonic regression (pool adjacent violators), drawn a little towards the mean.
"""

from collections.abc import Iterable, Iterator, Sequence

from tests.benchmarks import made_from
from tests.benchmarks.fit_labels import FOLDS, Told

from tieup.claims.confidence import Table, look_up
from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.lines import line_relation

DRAWN = 2
LEAST = 40
"""The fewest relations on a step."""
HEAD = """\
# What a relation's score is worth: from each score on, the share of relations whose parties, kind, stage and factuality
# were all right, among stories that the weights were not fitted to. Written by `make fit`; docs/confidence.md shows
# what comes true.
"""
Point = tuple[float, bool, int]


def points(gazetteer: Gazetteer, told: Iterable[Told]) -> list[Point]:
    """Each relation found: its score, whether it is right, its fold."""
    keys = PartyKeys(gazetteer)
    found: list[Point] = []
    for one, stated in told:
        relations = [line_relation(relation) for relation in stated]
        matched = align(one.gold.relations, relations, keys)
        right = {
            id(pair.found)
            for pair in (*matched.pairs, *matched.optional)
            if all(pair.is_right(label) for label in ("kind", "stage", "factuality"))
        }
        found += [(said.confidence, id(line) in right, one.fold) for said, line in zip(stated, relations, strict=True)]
    return found


def fit(found: Sequence[Point]) -> Table:
    """The steps (least score, share right), rising."""
    mean = sum(right for _, right, _ in found) / len(found)
    steps: list[tuple[float, int, int]] = []
    for score, right, _ in sorted(found):
        steps.append((score, int(right), 1))
        while len(steps) > 1 and (
            steps[-2][2] < LEAST or steps[-1][0] == steps[-2][0] or _share(steps[-2]) >= _share(steps[-1])
        ):
            last = steps.pop()
            steps[-1] = (steps[-1][0], steps[-1][1] + last[1], steps[-1][2] + last[2])
    table: list[tuple[float, float]] = []
    for score, right, count in steps:
        share = round((right + DRAWN * mean) / (count + DRAWN), 2)
        if not table or share > table[-1][1]:
            table.append((score, share))
    return tuple(table)


def _share(step: tuple[float, int, int]) -> float:
    return step[1] / step[2]


def reliability(found: Sequence[Point]) -> Iterator[tuple[float, float, int]]:
    """Yield what is said, the share that came true, and of how many, of tables fitted to the other folds."""
    told: dict[float, list[bool]] = {}
    for fold in range(FOLDS):
        fitted = fit([one for one in found if one[2] != fold])
        for score, right, own in found:
            if own == fold:
                told.setdefault(round(look_up(fitted, score), 1), []).append(right)
    for said, rights in sorted(told.items()):
        yield said, sum(rights) / len(rights), len(rights)


def written(table: Table) -> str:
    """The data file of the table."""
    return (
        HEAD
        + made_from.line()
        + "steps = [\n"
        + "".join(f"    [{score}, {share}],\n" for score, share in table)
        + "]\n"
    )
