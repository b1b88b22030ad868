"""Fits the table that turns the score of a relation into its confidence, and shows how far it can be trusted.

Run with labelled sets: `python -m tests.benchmarks.fit_confidence GOLD.jsonl...`. A relation is right if it is stated
and its kind, stage and factuality are right. Scores are of articles whose stories were in no set that the weights were
fitted to; a table fitted to the same articles as the weights would promise too much. The steps are those of isotonic
regression (pool adjacent violators), drawn a little towards the mean. The reliability shown is of tables fitted to the
other folds. `--write` writes the table into claims/confidence.toml.
"""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from tests.benchmarks.fit_labels import FOLDS, Fitter, Labelled, load, own_words

from tieup.claims.confidence import Table, look_up
from tieup.claims.extract import Extractor
from tieup.claims.logit import Models
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.lines import line_relation

DRAWN = 2
LEAST = 40
"""The fewest relations on a step."""
HEAD = """\
# What a relation's score is worth: from each score on, the share of relations whose parties, kind, stage and factuality
# were all right, among stories that the weights were not fitted to. Written by
# `python -m tests.benchmarks.fit_confidence --write GOLD.jsonl...`; docs/confidence.md shows what comes true.
"""
Point = tuple[float, bool, int]


def points(gazetteer: Gazetteer, models: Models, labelled: Sequence[Labelled]) -> list[Point]:
    """Each relation found: its score, whether it is right, its fold."""
    extractor = Extractor(gazetteer, confidences=(), models=models)
    found: list[Point] = []
    for one in labelled:
        stated = extractor.extract(one.article).relations
        relations = [line_relation(relation) for relation in stated]
        matched = align(one.gold.relations, relations, PartyKeys(gazetteer))
        right = {
            id(pair.found)
            for pair in (*matched.pairs, *matched.optional)
            if all(pair.is_right(label) for label in ("kind", "stage", "factuality"))
        }
        found += [(said.confidence, id(line) in right, one.fold) for said, line in zip(stated, relations, strict=True)]
    return found


def unseen(gazetteer: Gazetteer, labelled: Sequence[Labelled]) -> list[Point]:
    """The relations found in each fold with weights fitted to the other folds."""
    found: list[Point] = []
    for fold in range(FOLDS):
        models = Fitter(gazetteer, [one for one in labelled if one.fold != fold] + own_words()).fit()
        found += points(gazetteer, models, [one for one in labelled if one.fold == fold])
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


def main(arguments: Sequence[str]) -> None:
    found = unseen(load_gazetteer(), load([one for one in arguments if not one.startswith("--")]))
    table = HEAD + "steps = [\n" + "".join(f"    [{score}, {share}],\n" for score, share in fit(found)) + "]\n"
    print(table)
    told: dict[float, list[bool]] = {}
    for fold in range(FOLDS):
        fitted = fit([one for one in found if one[2] != fold])
        for score, right, own in found:
            if own == fold:
                told.setdefault(round(look_up(fitted, score), 1), []).append(right)
    for said, rights in sorted(told.items()):
        print(f"said {said:.1f}: {sum(rights) / len(rights):.2f} right of {len(rights)}")
    if "--write" in arguments:
        Path(str(files("tieup.claims").joinpath("confidence.toml"))).write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
