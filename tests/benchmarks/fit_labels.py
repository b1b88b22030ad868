"""Fits the weights of extraction (claims/weights.toml) to labelled articles; `tests.benchmarks.fit` runs it.

Plain gradient descent in pure Python: the same input gives the same weights, whatever the order of hashes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter, mul
from pathlib import Path
from zlib import crc32

from tests.benchmarks.other_news import other_news
from tests.unit.claims.test_examples import FACTUALITIES, FOCUSES, KINDS, LINES, OPEN_LINES, STAGES

from tieup.claims.acceptance import draft_features
from tieup.claims.account import Account
from tieup.claims.confidence import Confidences
from tieup.claims.drafts import Draft
from tieup.claims.extract import Extractor, without_strangers
from tieup.claims.logit import Features, Logit, Models
from tieup.claims.relations import gather
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.strangers import is_stranger
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.archive import article_id, dated, gold_archive
from tieup.evaluation.gold import GoldArticle, GoldRelation, load_gold
from tieup.evaluation.lines import line_relation
from tieup.model.article import Article
from tieup.model.relation import Relation

FOLDS = 3
STEPS = 300
RATE = 0.1
STIFFNESS = {"tie": 3.0, "relation": 0.5, "kind": 0.7, "stage": 0.7, "factuality": 0.7}
"""How strongly each model's weights are drawn to zero."""
SELDOM = 6
"""Words that fewer samples hold are not weighed."""
LEAST = 0.02
"""Weights smaller than this are left out."""
CERTAIN = 2.0
"""How much a short text counts that shows one matter."""
Sample = tuple[Sequence[Features], frozenset[int], float]
"""The features of each choice, the right choices, and how much the sample counts."""
NEUTRAL: Models = {
    "tie": Logit({"bias": 1.0, "how loose": -9.0}),
    "relation": Logit({"best": 1.0}),
    "kind": Logit({"own": 1.0}),
    "stage": Logit({"own": 1.0, "titled": 1.0}),
    "factuality": Logit({}),
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article and its gold, and how much it counts."""

    article: Article
    gold: GoldArticle
    weight: float = 1.0

    @property
    def fold(self) -> int:
        """Articles of one story share a fold."""
        return crc32((self.gold.story or self.gold.id).encode()) % FOLDS


def load(paths: Iterable[str]) -> list[Labelled]:
    """Return the labelled articles of the files; of a path that ends in ":odd" those on odd lines."""
    found: list[Labelled] = []
    for path in paths:
        gold = load_gold(Path(path.removesuffix(":odd")))[:: 2 if path.endswith(":odd") else 1]
        articles = {one.id: one for one in dated(gold_archive(gold, path))}
        found += [Labelled(articles[article_id(one.id)], one) for one in gold]
    return found


def own_words() -> list[Labelled]:
    """The examples of the unit tests and other news from patterns: short texts whose labels are certain."""
    gold = [_example(line, number) for number, line in enumerate(LINES + OPEN_LINES)] + list(
        other_news(odd=False, each=1)
    )
    articles = {one.id: one for one in dated(gold_archive(gold, "own words"))}
    return [Labelled(replace(articles[article_id(one.id)], language=one.lang), one, CERTAIN) for one in gold]


def _example(line: str, number: int) -> GoldArticle:
    language, title, text, relations = line.split("|")
    stated = tuple(_example_relation(one.strip()) for one in relations.split(";") if one.strip())
    return GoldArticle(f"example-{number}", title, text, language, relevant=bool(stated), relations=stated)


def _example_relation(written: str) -> GoldRelation:
    parties, *letters = written.rsplit(" ", 4)
    tables = {"kind": KINDS, "stage": STAGES, "factuality": FACTUALITIES, "focus": FOCUSES}
    right = {
        label: tuple(str(table[one]) for one in said.split(","))
        for (label, table), said in zip(tables.items(), letters, strict=True)
    }
    return GoldRelation(
        tuple(parties.split("+")), **{label: values[0] for label, values in right.items()}, accept=right
    )


Read = tuple[Labelled, Account]
"""A labelled article as read: that needs no weights, so each is read once for all fits."""


def read_all(gazetteer: Gazetteer, labelled: Iterable[Labelled]) -> list[Read]:
    """Return the articles that may state a relation, as read."""
    extractor = Extractor(gazetteer, confidences=Confidences(), models=NEUTRAL)
    read = ((one, extractor.read(one.article)) for one in labelled)
    return [(one, account) for one, account in read if account is not None]


Told = tuple[Labelled, Sequence[Relation]]
"""A labelled article and the relations found in it, their confidences bare probabilities."""


def told(gazetteer: Gazetteer, models: Models, labelled: Iterable[Labelled]) -> list[Told]:
    """Return what extraction with the models finds."""
    extractor = Extractor(gazetteer, confidences=Confidences(), models=models)
    return [(one, extractor.extract(one.article).relations) for one in labelled]


class Fitter:
    """Fits the models one after the other, each on what those before it find."""

    def __init__(self, gazetteer: Gazetteer, accounts: Sequence[Read]) -> None:
        self.keys = PartyKeys(gazetteer)
        self.accounts = accounts
        self.models: dict[str, Logit] = dict(NEUTRAL)

    def fit(self) -> Models:
        """Return the models fitted to all the labelled articles."""
        self._fit("tie", self._ties())
        self._fit("relation", self._drafts())
        for label in ("kind", "stage", "factuality"):
            self._fit(label, self._choices(label))
        return self.models

    def _fit(self, name: str, samples: Iterable[Sample]) -> None:
        self.models[name] = Logit(descend(list(samples), STIFFNESS[name]))

    def _gathered(self, *, whole: bool) -> Iterator[tuple[Labelled, Account, list[Draft]]]:
        for one, account in self.accounts:
            yield one, account, gather(account.sentences, account.group_of, self.models, whole=whole)[0]

    def _verdict(self, gold: GoldArticle, account: Account, parties: Iterable[str]) -> frozenset[int] | None:
        """Choice 0 where the gold has a relation of the parties, 1 where not; None where it leaves it open."""
        named = frozenset(
            self.keys.of_name(account.gazetteer.get(one).name) if is_stranger(one) else one for one in parties
        )
        fitting = [
            one
            for one in gold.relations
            if named in [self.keys.of_names(names) for names in (one.parties, *one.alt_parties)]
        ]
        if fitting and all(one.optional for one in fitting):
            return None
        return frozenset({0 if fitting else 1})

    def _ties(self) -> Iterator[Sample]:
        for one, account, drafts in self._gathered(whole=True):
            for draft in drafts:
                right = self._verdict(one.gold, account, draft.parties)
                if right is not None:
                    yield from (((said.features, {}), right, one.weight) for said in draft.statements)

    def _drafts(self) -> Iterator[Sample]:
        for one, account, drafts in self._gathered(whole=False):
            for draft in drafts:
                right = self._verdict(one.gold, account, draft.parties)
                if right is not None:
                    yield (draft_features(draft, drafts, account.sentences), {}), right, one.weight

    def _choices(self, label: str) -> Iterator[Sample]:
        for one, read in self.accounts:
            account = replace(read, models=self.models)
            scopes = account.scopes()
            lines = [line_relation(relation) for relation in without_strangers(account.relations(scopes))]
            matched = align(one.gold.relations, lines, self.keys)
            for pair in matched.pairs:
                at = next(index for index, line in enumerate(lines) if line is pair.found)
                choices = account.choices(label, scopes[at][0], main=scopes[at][1])
                right = frozenset(index for index, value in enumerate(choices) if pair.gold.is_right(label, value))
                if right:
                    yield list(choices.values()), right, one.weight


def descend(samples: Sequence[Sample], stiffness: float) -> dict[str, float]:
    """Return the weights that make the right choices likeliest (softmax), drawn to zero: Adam over all samples."""
    counts = Counter(name for choices, _, _ in samples for features in choices for name in features)
    names = sorted(name for name, count in counts.items() if count >= SELDOM or "word " not in name)
    number = {name: at for at, name in enumerate(names)}
    rows = [([_row(features, number) for features in choices], right, weight) for choices, right, weight in samples]
    weights, first, second = ([0.0] * len(names) for _ in range(3))
    for step in range(1, STEPS + 1):
        slope = [stiffness * weight for weight in weights]
        for choices, right, weight in rows:
            _add_slope(slope, weights, choices, right, weight)
        rate = RATE if step < STEPS // 2 else RATE / 4
        for at, value in enumerate(slope):
            first[at] = 0.9 * first[at] + 0.1 * value
            second[at] = 0.99 * second[at] + 0.01 * value * value
            move = first[at] / (1 - 0.9**step) / (math.sqrt(second[at] / (1 - 0.99**step)) + 1e-8)
            weights[at] -= rate * move
    return {name: round(weights[at], 3) for name, at in number.items() if abs(weights[at]) >= LEAST}


Row = tuple[Callable[[Sequence[float]], Sequence[float]], Sequence[float], Sequence[tuple[int, float]]]
"""A choice's features: what takes their weights, their values, and both as pairs."""


def _row(features: Features, number: Mapping[str, int]) -> Row:
    pairs = [(number[name], value) for name, value in features.items() if name in number]
    pairs += [(0, 0.0)] * (2 - len(pairs))
    return itemgetter(*(at for at, _ in pairs)), [value for _, value in pairs], pairs


def _add_slope(
    slope: list[float], weights: Sequence[float], choices: Sequence[Row], right: frozenset[int], counts: float
) -> None:
    odds = [sum(map(mul, taken(weights), values)) for taken, values, _ in choices]
    most = max(odds)
    shares = [math.exp(one - most) for one in odds]
    whole = sum(shares)
    good = sum(shares[at] for at in right)
    for at, (_, _, pairs) in enumerate(choices):
        pull = counts * (shares[at] / whole - (shares[at] / good if at in right else 0.0))
        if abs(pull) > 1e-6:
            for name, value in pairs:
                slope[name] += pull * value
