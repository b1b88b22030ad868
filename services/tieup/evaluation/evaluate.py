"""The scores of what was found against the gold labels."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Final

from tieup.companies.gazetteer import Gazetteer
from tieup.evaluation.align import SCORED_LABELS, Alignment, Pair, PartyKeys, align
from tieup.evaluation.confusable import confusable
from tieup.evaluation.gold import GoldArticle, GoldRelation, load_gold
from tieup.evaluation.lines import BacktestLine
from tieup.evaluation.measures import Retrieval, Share, bcubed_f1, macro_f1
from tieup.model.labels import Factuality, Focus

EXACT: Final = ("kind", "stage", "factuality")
NO_LANGUAGE: Final = "unknown"

__all__ = ["Figures", "GoldArticle", "GoldRelation", "Judgement", "Scores", "judge", "load_gold", "score"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One article judged. `cluster` and `baseline` are where its story and the trivial baseline put it."""

    gold: GoldArticle
    line: BacktestLine
    alignment: Alignment
    cluster: Hashable
    baseline: Hashable

    @property
    def faultless(self) -> bool:
        """Whether relevance, relations and their scored labels are all right."""
        wrong = self.alignment.missed or self.alignment.extra or self.gold.relevant != self.line.relevant
        return not wrong and all(pair.labels_right == len(SCORED_LABELS) for pair in self.alignment.pairs)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures over a set of articles.

    `relations` are aligned by parties. `news_recall`: gold news relations that were found. `kind`, `stage`,
    `factuality`, `focus`: right labels of the aligned. `denials`: denied relations that were found as denied. `exact`:
    parties, kind, stage and factuality all right. `stories` is BCubed F1, `baseline` that of the trivial grouping by
    the first party set; `confusable` and `confusable_baseline` are the same over the articles whose stories are easily
    taken for one another (see `confusable`).
    """

    articles: int
    relevance: Retrieval
    relations: Retrieval
    news_recall: Share
    kind: Share
    stage: Share
    factuality: Share
    focus: Share
    factuality_macro_f1: float | None
    denials: Retrieval
    exact: Retrieval
    stories: float | None
    baseline: float | None
    confusable: float | None = None
    confusable_baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures over all articles and by the articles' language; `unanswered` gold articles had no line."""

    overall: Figures
    by_language: dict[str, Figures]
    unanswered: int = 0


def score(gold: Sequence[GoldArticle], lines: Sequence[BacktestLine], gazetteer: Gazetteer) -> Scores:
    """Return the scores of the lines against the gold.

    Party names go through the gazetteer, else they are compared folded. Optional gold relations count neither when
    found nor when missed. An article without a line counts as one in which nothing was found; lines of other articles
    are passed over.
    """
    judged = judge(gold, lines, gazetteer)
    alike = confusable(gold, gazetteer)
    languages = sorted({_language(one) for one in judged})
    answered = {line.id for line in lines}
    return Scores(
        overall=_figures(judged, alike),
        by_language={name: _figures([one for one in judged if _language(one) == name], alike) for name in languages},
        unanswered=sum(one.id not in answered for one in gold),
    )


def judge(gold: Sequence[GoldArticle], lines: Sequence[BacktestLine], gazetteer: Gazetteer) -> list[Judgement]:
    """Return each gold article beside what was found in it, in the gold's order."""
    keys = PartyKeys(gazetteer)
    by_id = {line.id: line for line in lines}
    return [_judge(article, by_id.get(article.id) or BacktestLine(article.id, False), keys) for article in gold]


def figures_as_dict(figures: Figures) -> dict[str, object]:
    """Return the figures as plain numbers, for JSON: counts beside shares."""
    plain: dict[str, object] = {}
    for name in (field.name for field in fields(Figures)):
        value = getattr(figures, name)
        if isinstance(value, Share):
            plain[name] = {"value": value.value, "right": value.right, "of": value.of}
        elif isinstance(value, Retrieval):
            shares = {"precision": value.precision, "recall": value.recall, "f1": value.f1}
            plain[name] = shares | {"right": value.right, "found": value.found, "wanted": value.wanted}
        else:
            plain[name] = value
    return plain


def _judge(gold: GoldArticle, line: BacktestLine, keys: PartyKeys) -> Judgement:
    alone = ("alone", gold.id)
    first = keys.of_parties(line.relations[0].parties) if line.relations else alone
    return Judgement(
        gold,
        line,
        align(gold.relations, line.relations, keys),
        ("story", line.story_id) if line.story_id else alone,
        first,
    )


def _language(one: Judgement) -> str:
    return one.gold.lang or one.line.language or NO_LANGUAGE


def _figures(judged: Sequence[Judgement], alike: frozenset[str]) -> Figures:
    pairs = [pair for one in judged for pair in one.alignment.pairs]
    missed = [relation for one in judged for relation in one.alignment.missed]
    found = len(pairs) + sum(len(one.alignment.extra) for one in judged)
    wanted = len(pairs) + len(missed)
    factuality = [_factualities(pair) for pair in pairs if pair.gold.factuality is not None]
    stories, baseline = _clusters(judged)
    among_alike, baseline_alike = _clusters([one for one in judged if one.gold.id in alike])
    return Figures(
        articles=len(judged),
        relevance=_relevance(judged),
        relations=Retrieval(len(pairs), found, wanted),
        news_recall=_news_recall(pairs, missed),
        kind=_accuracy(pairs, "kind"),
        stage=_accuracy(pairs, "stage"),
        factuality=_accuracy(pairs, "factuality"),
        focus=_accuracy(pairs, "focus"),
        factuality_macro_f1=macro_f1(factuality),
        denials=_denials(judged, factuality, missed),
        exact=Retrieval(sum(all(pair.is_right(label) for label in EXACT) for pair in pairs), found, wanted),
        stories=stories,
        baseline=baseline,
        confusable=among_alike,
        confusable_baseline=baseline_alike,
    )


def _clusters(judged: Sequence[Judgement]) -> tuple[float | None, float | None]:
    """BCubed F1 of the stories, and of the trivial baseline."""
    gold = [_gold_cluster(one.gold) for one in judged]
    told = bcubed_f1(gold, [one.cluster for one in judged])
    return told, bcubed_f1(gold, [one.baseline for one in judged])


def _gold_cluster(gold: GoldArticle) -> Hashable:
    return ("story", gold.story) if gold.story else ("alone", gold.id)


def _relevance(judged: Sequence[Judgement]) -> Retrieval:
    return Retrieval(
        right=sum(one.gold.relevant and one.line.relevant for one in judged),
        found=sum(one.line.relevant for one in judged),
        wanted=sum(one.gold.relevant for one in judged),
    )


def _news_recall(pairs: Sequence[Pair], missed: Sequence[GoldRelation]) -> Share:
    found = sum(pair.gold.focus == Focus.NEWS for pair in pairs)
    return Share(found, found + sum(relation.focus == Focus.NEWS for relation in missed))


def _accuracy(pairs: Sequence[Pair], label: str) -> Share:
    labelled = [pair for pair in pairs if pair.gold.label(label) is not None]
    return Share(sum(pair.is_right(label) for pair in labelled), len(labelled))


def _factualities(pair: Pair) -> tuple[str, str]:
    """The pair's factuality as (gold, predicted); where the prediction is right, the gold is taken to say the same."""
    said = str(pair.found.factuality)
    return (said if pair.is_right("factuality") else str(pair.gold.factuality), said)


def _denials(
    judged: Sequence[Judgement], pairs: Sequence[tuple[str, str]], missed: Sequence[GoldRelation]
) -> Retrieval:
    extra = [relation for one in judged for relation in one.alignment.extra]
    return Retrieval(
        right=sum(pair == (Factuality.DENIED, Factuality.DENIED) for pair in pairs),
        found=sum(found == Factuality.DENIED for _, found in pairs)
        + sum(relation.factuality == Factuality.DENIED for relation in extra),
        wanted=sum(gold == Factuality.DENIED for gold, _ in pairs)
        + sum(relation.factuality == Factuality.DENIED for relation in missed),
    )
