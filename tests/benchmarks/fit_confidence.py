"""Fits the table that turns the score of a relation into its confidence, and shows how far it can be trusted.

Run with a labelled set: `python -m tests.benchmarks.fit_confidence GOLD.jsonl`. A relation is right if it is stated
and its kind, stage and factuality are right. The steps are those of isotonic regression (pool adjacent violators),
drawn towards the mean by eight relations, since the set is small. The reliability shown is of folds over stories: no
story is in the part that fitted it.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from tieup.claims.confidence import Table, look_up
from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import load_gazetteer
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.gold import GoldArticle, load_gold
from tieup.evaluation.lines import line_relation
from tieup.model.article import Article

FOLDS = 5
DRAWN = 8
LEAST = 30
"""The fewest relations on a step."""
Point = tuple[float, bool, int]


def points(gold: Sequence[GoldArticle]) -> list[Point]:
    """Each relation found: its score, whether it is right, its fold."""
    gazetteer = load_gazetteer()
    extractor = Extractor(gazetteer, confidences=())
    at = datetime(2026, 1, 1, tzinfo=UTC)
    found: list[Point] = []
    for one in gold:
        article = Article(one.id, 1, one.title, one.text or "", observed_at=at, language=one.lang)
        stated = extractor.extract(article).relations
        relations = [line_relation(relation) for relation in stated]
        matched = align(one.relations, relations, PartyKeys(gazetteer))
        right = {
            id(pair.found)
            for pair in (*matched.pairs, *matched.optional)
            if all(pair.is_right(label) for label in ("kind", "stage", "factuality"))
        }
        fold = crc32((one.story or one.id).encode()) % FOLDS
        found += [(one.confidence, id(line) in right, fold) for one, line in zip(stated, relations, strict=True)]
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
    return tuple((score, round((right + DRAWN * mean) / (count + DRAWN), 2)) for score, right, count in steps)


def _share(step: tuple[float, int, int]) -> float:
    return step[1] / step[2]


def main(path: str) -> None:
    found = points(load_gold(Path(path)))
    print("steps = [")
    for score, share in fit(found):
        print(f"    [{score}, {share}],")
    print("]")
    told: dict[float, list[bool]] = {}
    for fold in range(FOLDS):
        table = fit([one for one in found if one[2] != fold])
        for score, right, own in found:
            if own == fold:
                told.setdefault(round(look_up(table, score), 1), []).append(right)
    for said, rights in sorted(told.items()):
        print(f"# said {said:.1f}: {sum(rights) / len(rights):.2f} right of {len(rights)}")


if __name__ == "__main__":
    main(sys.argv[1])
