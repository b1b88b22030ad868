"""Fits extraction's weights and confidences to labelled articles, and shows in folds over stories how far they hold.

Run with labelled sets: `python -m tests.benchmarks.fit GOLD.jsonl...` (`make fit`). First come the figures that hold
for stories unseen: for each fold the weights are fitted to the other folds, and its articles are extracted with them.
From these also come the confidences and what they are worth, but for articles whose wordings were invented. Then come
the models fitted to all. `--write` writes the data files; `--check` only says whether those there were made from what
is in the repository now.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from tests.benchmarks import fit_confidence, made_from
from tests.benchmarks.fit_labels import FOLDS, Fitter, Read, Told, load, own_words, read_all, told
from threadpoolctl import threadpool_limits

from tieup.claims.meaning import Vector
from tieup.claims.models import Models
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.evaluation.evaluate import Scores, score
from tieup.evaluation.gold import GoldArticle
from tieup.evaluation.lines import BacktestLine, line_relation

WEIGHTS = """\
# The weights of extraction's fitted judgements, per feature: whether a word ties companies (tie), and which value a
# label takes (kind, stage, factuality). Written by `make fit`, which shows in folds over stories how far they hold.
"""
MEANING = """\
# Whether a statement ties its companies and whether an article is about ties, by where the sentence encoder places the
# text and the headline above it: the weights of the 512 numbers of each. Written by `make fit`.
"""
RELATION = """\
# Whether a draft is a relation: trees over named features. A row is a tree, its nodes from the root on: [feature, at,
# low, high] goes on to node `low` if the feature is at most `at`, else to `high`; feature -1 is a leaf, worth `at`. The
# log-odds are `start` and the sum of the leaves. Written by `make fit`.
"""


def in_folds(
    gazetteer: Gazetteer, labelled: Sequence[Read], own: Sequence[Read], places: dict[str, Vector]
) -> list[Told]:
    """Return what is found in each fold with weights fitted to the others and to our own examples."""
    found: list[Told] = []
    for fold in range(FOLDS):
        models = Fitter(gazetteer, [*(one for one in labelled if one[0].fold != fold), *own], places).fit()
        found += told(gazetteer, models, [one for one, _ in labelled if one.fold == fold])
    return found


def scored(gazetteer: Gazetteer, gold: Sequence[GoldArticle], found: Sequence[Told]) -> Scores:
    """Score what was found; articles of which nothing is told count as such in which nothing was found."""
    lines = [
        BacktestLine(one.gold.id, bool(stated), one.article.language, relations=tuple(map(line_relation, stated)))
        for one, stated in found
    ]
    return score(gold, lines, gazetteer)


def shown(name: str, scores: Scores) -> str:
    """One line of figures."""
    whole = scores.overall
    return (
        f"{name:10} relevance {whole.relevance.f1} relations {whole.relations.f1}"
        f" (P {whole.relations.precision} R {whole.relations.recall}) kind {whole.kind.value} stage {whole.stage.value}"
        f" factuality {whole.factuality_macro_f1} focus {whole.focus.value} denials {whole.denials.precision}"
        f"/{whole.denials.recall} exact {whole.exact.f1}"
    )


def written(models: Models) -> tuple[str, str, str]:
    """The data files of the models: weights, meaning, relation."""
    tables = [
        f"\n[{name}]\n"
        + "".join(f'"{key}" = {weight}\n' for key, weight in sorted(getattr(models, name).weights.items()))
        for name in ("tie", "kind", "stage", "factuality")
    ]
    trees = "".join(f"  {[list(node) for node in tree]},\n" for tree in models.relation.trees)
    names = orjson.dumps(models.relation.features).decode()
    relation = f"start = {models.relation.start}\nfeatures = {names}\ntrees = [\n{trees}]\n"
    line = made_from.line()
    return WEIGHTS + line + "".join(tables), f"{MEANING}{line}{_meaning(models)}", f"{RELATION}{line}\n{relation}"


def _meaning(models: Models) -> str:
    tables = {"statement": models.statement, "article": models.article}
    return "".join(
        f"\n[{name}]\nbias = {said.bias}\ntext = {_rounded(said.text)}\nheadline = {_rounded(said.headline)}\n"
        for name, said in tables.items()
    )


def _rounded(numbers: Vector) -> list[float]:
    return [round(float(one), 3) for one in numbers]


def check() -> None:
    """Say what has changed since the fit, and end with 1 if anything has."""
    stale = made_from.stale()
    print("\n".join([*stale, "`make fit` renews them"] if stale else ["fitted to what is there"]))
    sys.exit(bool(stale))


def main(arguments: Sequence[str]) -> None:
    if "--check" in arguments:
        check()
    threadpool_limits(1, user_api="blas")  # as extraction works: sums hang on how many share them
    paths = [one for one in arguments if not one.startswith("--")]
    gazetteer, labelled = load_gazetteer(), load(paths)
    read, own = read_all(gazetteer, labelled), read_all(gazetteer, own_words())
    places: dict[str, Vector] = {}
    found = in_folds(gazetteer, read, own, places)
    for path in paths:
        print(shown(Path(path).stem, scored(gazetteer, [one.gold for one in load([path])], found)))
    gold = [one.gold for one in labelled]
    print(shown("in folds", scored(gazetteer, gold, found)))
    points = fit_confidence.points(gazetteer, [one for one in found if one[0].sure == 1.0])
    print(fit_confidence.plot(points))
    table = fit_confidence.written(fit_confidence.fit(points))
    models = Fitter(gazetteer, [*read, *own], places).fit()
    print(shown("fitted to", scored(gazetteer, gold, told(gazetteer, models, labelled))))
    if "--write" in arguments:
        for name, text in zip(made_from.OUTPUTS, (*written(models), table), strict=True):
            made_from.PACKAGE.joinpath("claims", name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
