"""Fits the models of extraction to labelled articles, one after the other; `tests.benchmarks.fit` runs it.

What a model gives the next one is, while the next is fitted, the word of one that had not seen the story (`FOLDS`
parts): a model's word on its own examples is worth more than on any others, and the next would rely on it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
from tests.benchmarks.descent import Sample, descend, grown, leaned
from tests.benchmarks.made_from import EXAMPLES
from tests.benchmarks.news_stream import FITTED, generated, handwritten
from tests.benchmarks.other_news import other_news
from tests.unit.claims.test_examples import FACTUALITIES, FOCUSES, KINDS, LINES, OPEN_LINES, STAGES

from tieup.claims.acceptance import article_texts, draft_features, headline_text, hopeful
from tieup.claims.account import Account
from tieup.claims.confidence import Confidences
from tieup.claims.drafts import Draft
from tieup.claims.extract import Extractor, without_strangers
from tieup.claims.logit import Features, Logit
from tieup.claims.meaning import Meaning, Vector, encode, told_of
from tieup.claims.models import Models
from tieup.claims.relations import gather
from tieup.claims.trees import Trees
from tieup.claims.votes import Scope
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.strangers import is_stranger
from tieup.evaluation.align import PartyKeys, align
from tieup.evaluation.archive import article_id, dated, gold_archive
from tieup.evaluation.gold import GoldArticle, GoldRelation, load_gold
from tieup.evaluation.lines import line_relation
from tieup.model.article import Article
from tieup.model.relation import Relation

FOLDS = 3
STIFFNESS = {"tie": 3.0, "kind": 0.7, "stage": 0.7, "factuality": 0.7}
"""How strongly each model's weights are drawn to zero."""
CERTAIN = 2.0
"""How much a short text counts that shows one matter."""
LOOSE = {"worded.jsonl": 0.3, "denied.jsonl": 0.3}
"""How much the kinds, stages and factualities of a file count, where one annotator judged invented wordings: they agree
less with those of two annotators than whether companies are tied at all.
"""
OTHER_NEWS = 1200
"""Articles of generated other news that are fitted to."""
OTHER_LINES = [f"{line}|" for line in EXAMPLES[-1].read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
OTHER_SEED = 7
REPEATED = 0.4
"""How much generated other news counts, since many of it say the same; for what whole articles mean it counts fully."""
NOWHERE = np.zeros(512, dtype=np.float32)
"""The weights of a model that is not fitted."""
NEUTRAL = Models(
    tie=Logit({"bias": 1.0, "how loose": -9.0}),
    statement=Meaning(NOWHERE, NOWHERE, 0.0),
    article=Meaning(NOWHERE, NOWHERE, 9.0),
    relation=Trees((), 0.0, ()),
    kind=Logit({"own": 1.0}),
    stage=Logit({"own": 1.0, "titled": 1.0}),
    factuality=Logit({}),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article and its gold, how much it counts, and how much the labels of its relations do."""

    article: Article
    gold: GoldArticle
    weight: float = 1.0
    sure: float = 1.0

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
        sure = LOOSE.get(Path(path).name, 1.0)
        found += [Labelled(articles[article_id(one.id)], one, sure=sure) for one in gold]
    return found


def own_words() -> list[Labelled]:
    """The examples of the unit tests and other news from patterns: short texts whose labels are certain.

    And other news as feeds bring it.
    """
    certain = [_example(line, number) for number, line in enumerate(sorted(LINES + OPEN_LINES))]
    certain += [_example(line, number) for number, line in enumerate(OTHER_LINES, start=len(certain))]
    certain += other_news(odd=False, each=1)
    news = [*generated(OTHER_NEWS, seed=OTHER_SEED, folder=FITTED), *handwritten(unseen=False)]
    articles = {one.id: one for one in dated(gold_archive([*certain, *news], "own words"))}
    return [
        Labelled(replace(articles[article_id(one.id)], language=one.lang), one, weight)
        for gold, weight in ((certain, CERTAIN), (news, REPEATED))
        for one in gold
    ]


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


Scopes = Sequence[tuple[Scope, bool]]
"""The relations of an article with what speaks about each, and whether the article is about it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft as it is judged: its features, the places of its sentence and of the headline, and whether the gold has a
    relation of its parties. Or an article: the place of its lead, and whether it is relevant.
    """

    features: Features
    statement: Vector
    headline: Vector
    right: bool
    weight: float
    fold: int


class Fitter:
    """Fits the models one after the other, each on what those before it find."""

    def __init__(self, gazetteer: Gazetteer, accounts: Sequence[Read], places: dict[str, Vector]) -> None:
        """`places` are those of texts encoded before: encoding takes longer than all else."""
        self.keys = PartyKeys(gazetteer)
        self.accounts = accounts
        self.places = places
        self.models = NEUTRAL

    def fit(self) -> Models:
        """Return the models fitted to all the labelled articles."""
        ties = [(list(self._ties(*read)), read[0].fold) for read in self.accounts]
        tie_of = [_tie([one for one in ties if one[1] != fold]) for fold in range(FOLDS)]
        judged = [one for read in self.accounts for one in self._judged(*read, tie_of[read[0].fold])]
        meaning_of = [_meaning([one for one in judged if one.fold != fold]) for fold in range(FOLDS)]
        said = [meaning_of[one.fold].odds(one.statement, one.headline) for one in judged]
        self.models = replace(
            self.models,
            tie=_tie(ties),
            statement=_meaning(judged),
            article=_meaning([self._whole(*read) for read in self.accounts]),
            relation=_trees(judged, said),
        )
        scoped = [(one, account, replace(account, models=self.models).scopes()) for one, account in self.accounts]
        for label in ("kind", "stage", "factuality"):
            samples = [sample for one in scoped for sample in self._choices(label, *one)]
            self.models = replace(self.models, **{label: Logit(descend(samples, STIFFNESS[label]))})
        return self.models

    def _gathered(self, account: Account, tie: Logit, *, whole: bool) -> list[Draft]:
        models = replace(self.models, tie=tie)
        return gather(account.sentences, account.group_of, models, whole=whole)[0]

    def _verdict(self, gold: GoldArticle, account: Account, parties: Iterable[str]) -> bool | None:
        """Whether the gold has a relation of the parties; None where it leaves it open."""
        named = frozenset(
            self.keys.of_name(account.gazetteer.get(one).name) if is_stranger(one) else one for one in parties
        )
        fitting = [
            one
            for one in gold.relations
            if named in [self.keys.of_names(names) for names in (one.parties, *one.alt_parties)]
        ]
        return None if fitting and all(one.optional for one in fitting) else bool(fitting)

    def _ties(self, one: Labelled, account: Account) -> Iterator[Sample]:
        for draft in self._gathered(account, NEUTRAL.tie, whole=True):
            right = self._verdict(one.gold, account, draft.parties)
            if right is not None:
                yield from (
                    ((said.features, {}), frozenset({0 if right else 1}), one.weight) for said in draft.statements
                )

    def _judged(self, one: Labelled, account: Account, tie: Logit) -> Iterator[Judged]:
        drafts = self._gathered(account, tie, whole=False)
        headline = headline_text(account.sentences)
        for draft in hopeful(drafts):
            right = self._verdict(one.gold, account, draft.parties)
            if right is not None:
                features = draft_features(draft, drafts, account.sentences)
                text = told_of(draft.top.sentence, draft.parties)
                places = self._place(text), self._place(headline or text)
                yield Judged(features, *places, right, one.weight, one.fold)

    def _whole(self, one: Labelled, account: Account) -> Judged:
        lead, headline = (self._place(text) for text in article_texts(account.sentences))
        return Judged({}, lead, headline, one.gold.relevant or bool(one.gold.relations), max(1.0, one.weight), one.fold)

    def _place(self, text: str) -> Vector:
        if text not in self.places:
            (self.places[text],) = encode([text])
        return self.places[text]

    def _choices(self, label: str, one: Labelled, read: Account, scopes: Scopes) -> Iterator[Sample]:
        account = replace(read, models=self.models)
        lines = [line_relation(relation) for relation in without_strangers(account.relations(scopes))]
        matched = align(one.gold.relations, lines, self.keys)
        for pair in matched.pairs:
            at = next(index for index, line in enumerate(lines) if line is pair.found)
            choices = account.choices(label, scopes[at][0], main=scopes[at][1])
            right = frozenset(index for index, value in enumerate(choices) if pair.gold.is_right(label, value))
            if right:
                yield list(choices.values()), right, one.weight * one.sure


def _tie(ties: Iterable[tuple[Sequence[Sample], int]]) -> Logit:
    return Logit(descend([sample for samples, _ in ties for sample in samples], STIFFNESS["tie"]))


def _meaning(judged: Sequence[Judged]) -> Meaning:
    places = np.array([np.concatenate((one.statement, one.headline)) for one in judged])
    weights, bias = leaned(places, [one.right for one in judged], [one.weight for one in judged])
    return Meaning(weights[: NOWHERE.size], weights[NOWHERE.size :], bias)


def _trees(judged: Sequence[Judged], said: Sequence[float]) -> Trees:
    features = [{**one.features, "meaning": odds} for one, odds in zip(judged, said, strict=True)]
    return grown(features, [one.right for one in judged], [one.weight for one in judged])
