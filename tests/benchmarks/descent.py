"""How the models of extraction are fitted: by gradient descent, and by scikit-learn.

The same samples in the same order give the same models on one machine, whatever the order of hashes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from tieup.claims.logit import Features
from tieup.claims.meaning import Vector
from tieup.claims.trees import Node, Trees

Sample = tuple[Sequence[Features], frozenset[int], float]
"""The features of each choice, the right choices, and how much the sample counts."""

STEPS = 300
RATE = 0.1
SELDOM = 6
"""Words that fewer samples hold are not weighed."""
LEAST = 0.02
"""Weights smaller than this are left out."""
STRETCH = 4.0
"""Places are vectors of length 1, so that their numbers are small beside the rate of the descent."""
LEANING = 20.0
"""How strongly the weights of places are drawn to zero; from 10 to 30 unseen stories are judged about alike."""
TREES = 150
SHARE = 0.05
"""How much of its word a tree is given."""
LEAVES = 8
IN_A_LEAF = 40
"""The fewest samples that a leaf speaks for."""
LOOKED_AT = 0.3
"""The share of the features that a branch chooses from, so that trees differ."""


def descend(samples: Sequence[Sample], stiffness: float) -> dict[str, float]:
    """Return the weights that make the right choices likeliest (softmax), drawn to zero: Adam over all samples."""
    counts = Counter(name for choices, _, _ in samples for features in choices for name in features)
    names = sorted(name for name, count in counts.items() if count >= SELDOM or "word " not in name)
    table = _table([features for choices, _, _ in samples for features in choices], names)
    starts = np.cumsum([0, *(len(choices) for choices, _, _ in samples)])[:-1]
    sample = np.repeat(np.arange(len(samples)), [len(choices) for choices, _, _ in samples])
    right = np.array([at in good for choices, good, _ in samples for at in range(len(choices))], dtype=float)
    counts_for = np.array([weight for _, _, weight in samples])[sample]
    weights = np.zeros(len(names))
    for slope in _steps(weights):
        odds = table @ weights
        shares = np.exp(odds - np.maximum.reduceat(odds, starts)[sample])
        whole = np.add.reduceat(shares, starts)[sample]
        good = np.add.reduceat(shares * right, starts)[sample]
        slope[:] = table.T @ (counts_for * (shares / whole - shares * right / good)) + stiffness * weights
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True) if abs(weight) >= LEAST}


def leaned(places: Vector, right: Sequence[bool], counts: Sequence[float]) -> tuple[Vector, float]:
    """Return the weights over places (samples by numbers) and the bias that make what is right likeliest."""
    middle = places.mean(axis=0)
    leaner = LogisticRegression(C=1.0 / LEANING, max_iter=500)
    leaner.fit((places - middle) * STRETCH, right, sample_weight=counts)
    weights = (leaner.coef_[0] * STRETCH).round(3).astype(np.float32)
    return weights, round(float(leaner.intercept_[0] - middle @ weights), 3)


def grown(features: Sequence[Features], right: Sequence[bool], counts: Sequence[float]) -> Trees:
    """Return trees that judge what is right."""
    names = sorted({name for one in features for name in one})
    grower = GradientBoostingClassifier(
        n_estimators=TREES,
        learning_rate=SHARE,
        max_leaf_nodes=LEAVES,
        max_depth=None,
        min_samples_leaf=IN_A_LEAF,
        max_features=LOOKED_AT,
        random_state=0,
    )
    grower.fit(_table(features, names).toarray(), right, sample_weight=counts)
    share = float(grower.init_.class_prior_[1])
    trees = tuple(tuple(_nodes(tree[0].tree_)) for tree in grower.estimators_)
    return Trees(tuple(names), round(float(np.log(share / (1.0 - share))), 4), trees)


def _nodes(tree: object) -> Iterator[Node]:
    rows = (tree.feature, tree.threshold, tree.value[:, 0, 0], tree.children_left, tree.children_right)  # type: ignore[attr-defined]
    for feature, at, worth, low, high in zip(*rows, strict=True):
        if low < 0:
            yield Node(-1, round(SHARE * float(worth), 5), -1, -1)
        else:
            yield Node(int(feature), round(float(at), 6), int(low), int(high))


def _table(features: Iterable[Features], names: Sequence[str]) -> csr_array:
    number = {name: at for at, name in enumerate(names)}
    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for one in features:
        for name, value in one.items():
            if name in number:
                columns.append(number[name])
                values.append(value)
        ends.append(len(values))
    return csr_array((values, columns, ends), shape=(len(ends) - 1, len(names)))


def _steps(weights: Vector) -> Iterator[Vector]:
    """Yield an empty slope, step by step, and move the weights by what was put in (Adam)."""
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        slope = np.zeros_like(weights)
        yield slope
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        rate = RATE if step < STEPS // 2 else RATE / 4
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
