"""Which drafts are relations: judged by their statements, by what their sentences mean, and by the rival drafts."""

import math
from collections.abc import Mapping, Sequence

from tieup.claims.drafts import Draft
from tieup.claims.lexicon.load import Topic
from tieup.claims.logit import probability
from tieup.claims.meaning import CHARACTERS, encode, told_of
from tieup.claims.models import Models
from tieup.claims.reading import Sentence
from tieup.claims.ties import How
from tieup.companies.strangers import is_stranger
from tieup.model.labels import Kind

LIKELY = -0.5
"""The least log-odds of a relation: where missing one costs as much as inventing one, a little below even."""

HOPELESS = -3.0
"""The log-odds up to which not even the best statement is thought over: a fifth of the drafts, two in a hundred of the
right ones, and their sentences need not be encoded.
"""

ABOUT = 0.0
"""The least sum of the best draft's log-odds and of the whole article's, below which it is other news.

In a natural stream two articles of a hundred are relevant, so that a few false ones of the rest would outnumber them.
"""

LEAD = 2
"""Sentences under the headline, of those that name companies, that tell what an article is about."""

PLAIN = 2.0
"""The least weight of a plain word of agreements ("alliance", "supplies")."""

PLAINLY = 1.0
"""The least log-odds of what is said plainly: articles are seldom so short, so that trees learn little of it."""

OTHER = 1.5
"""The weight of other news from which a sentence says nothing plainly."""

TELLING = 0.0
"""The least log-odds of a statement that speaks for a relation, beside a better one."""


def accepted(drafts: Sequence[Draft], sentences: Sequence[Sentence], models: Models) -> list[Draft]:
    """Return the drafts that are more likely relations than not, none of them the shadow of a larger one.

    None where the article is about something else, by its best draft and by what its headline and lead mean.
    """
    likely = hopeful(drafts)
    if not likely:
        return []
    meanings, article = meanings_of(likely, sentences, models)
    strong: list[Draft] = []
    for draft, meaning in zip(likely, meanings, strict=True):
        odds = models.relation.odds({**draft_features(draft, drafts, sentences), "meaning": meaning})
        draft.odds = max(odds, PLAINLY) if is_plain(draft) else odds
        if draft.odds > LIKELY:
            draft.statements = [one for one in draft.statements if one.odds >= min(TELLING, draft.best)]
            strong.append(draft)
    if max((one.odds for one in strong), default=LIKELY) + article <= ABOUT:
        return []
    return [draft for draft in strong if not _is_shadow(draft, strong)]


def hopeful(drafts: Sequence[Draft]) -> list[Draft]:
    """Return the drafts that are worth thinking over."""
    return [one for one in drafts if one.best > HOPELESS]


def is_plain(draft: Draft) -> bool:
    """Whether a sentence that names just its parties ties them by a plain word, and is not of another sort of news."""
    return any(
        one.how is How.CHOSEN
        and one.cue.weight >= PLAIN
        and len(one.sentence.companies) == len(draft.parties)
        and one.sentence.weight(Topic.TEXT, "no_relation") < OTHER
        and not any(one.sentence.has(Topic.TEXT, label) for label in ("aside", "product"))
        for one in draft.statements
    )


def article_texts(sentences: Sequence[Sentence]) -> tuple[str, str]:
    """Return the article's lead and headline, with one stand-in for all companies; one stands in for both if alone."""
    lead = " ".join(told_of(one, ()) for one in [one for one in sentences if not one.in_title and one.companies][:LEAD])
    headline = headline_text(sentences)
    return lead or headline, headline or lead


def meanings_of(drafts: Sequence[Draft], sentences: Sequence[Sentence], models: Models) -> tuple[list[float], float]:
    """Return the log-odds of each draft's most telling sentence, under the headline, and those of the whole article.

    All texts are encoded at once, since each call goes through all of the encoder's weights.
    """
    texts = [told_of(draft.top.sentence, draft.parties) for draft in drafts]
    title = headline_text(sentences)
    lead, headline = article_texts(sentences)
    distinct = list(dict.fromkeys((*texts, lead, headline)))
    places = dict(zip(distinct, encode(distinct), strict=True))
    found = [models.statement.odds(places[text], places[title or text]) for text in texts]
    return found, models.article.odds(places[lead], places[headline])


def headline_text(sentences: Sequence[Sentence]) -> str:
    """Return the headline with one stand-in for all companies, "" without one."""
    return " ".join(told_of(one, ()) for one in sentences if one.in_title)[:CHARACTERS]


def draft_features(draft: Draft, drafts: Sequence[Draft], sentences: Sequence[Sentence]) -> dict[str, float]:
    """Return what speaks for a draft's being a relation: its statements, the best one's structure, the rival drafts."""
    odds = sorted((one.odds for one in draft.statements), reverse=True)
    labels = {one.cue.label for one in draft.statements if one.odds > 0}
    return {
        **_structure(draft.top.features),
        "best": max(-6.0, min(6.0, odds[0])),
        "second": probability(odds[1]) if len(odds) > 1 else 0.0,
        "sum": math.log1p(sum(probability(one) for one in odds)),
        "draft weight": math.log1p(draft.weight),
        "titled": float(draft.in_title),
        "outright": float(draft.is_outright),
        "only links": float(labels <= {"link"}),
        "only open": float(labels <= {"link", Kind.ALLIANCE}),
        "sorts": float(len(labels)),
        "parties": float(len(draft.parties)),
        "strangers": float(sum(is_stranger(one) for one in draft.parties)),
        "third of a triangle": float(_is_third(draft, drafts)),
        "outdone": _outdone(draft, drafts),
        "within a larger": float(any(set(draft.parties) < set(other.parties) for other in drafts)),
        "other news": min(3.0, sum(one.weight(Topic.TEXT, "no_relation") for one in sentences[:4])),
    }


def _structure(features: Mapping[str, float]) -> dict[str, float]:
    """A statement's features without its words, which are too many for trees, and weighed in its odds."""
    return {name: value for name, value in features.items() if not name.startswith("word ")}


def _outdone(draft: Draft, drafts: Sequence[Draft]) -> float:
    """How far the words of the draft rather tie other companies: the least lead of a rival at one of its words."""
    places = {(one.sentence.index, one.cue.start): one.odds for one in draft.statements}
    leads = dict.fromkeys(places, 0.0)
    for other in drafts:
        if other is draft or set(other.parties) <= set(draft.parties):
            continue
        for one in other.statements:
            place = (one.sentence.index, one.cue.start)
            if place in places:
                leads[place] = max(leads[place], probability(one.odds) - probability(places[place]))
    return min(leads.values())


def _is_third(draft: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether both its parties are tied to one other company by better statements: partners of one hub."""
    if len(draft.parties) != 2:
        return False
    own = draft.best
    left, right = (
        {one for other in drafts if party in other.parties and other.best > own for one in other.parties}
        for party in draft.parties
    )
    return bool((left & right) - set(draft.parties))


def _is_shadow(draft: Draft, drafts: list[Draft]) -> bool:
    """A pair whose every statement is also one of a larger set is that set's shadow."""
    cues = {(one.sentence.index, one.cue.start) for one in draft.statements}
    return any(
        set(draft.parties) < set(other.parties)
        and cues <= {(one.sentence.index, one.cue.start) for one in other.statements}
        for other in drafts
    )
