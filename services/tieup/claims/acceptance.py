"""Which drafts are relations: the fitted judgement of their statements, and of the rival drafts."""

import math
from collections.abc import Sequence

from tieup.claims.drafts import Draft
from tieup.claims.lexicon.load import Topic
from tieup.claims.logit import Models, probability
from tieup.claims.reading import Sentence
from tieup.claims.ties import How
from tieup.companies.strangers import is_stranger
from tieup.model.labels import Kind

LIKELY = -0.4
"""The least log-odds of a relation: where missing one costs as much as inventing one, a little below even.

In folds over stories relations (F1 .67) and exact (.44) hardly differ from here to 0.3, which finds fewer of them (.58
instead of .61) and is right oftener (.79 instead of .75).
"""

BARE_LIKELY = 1.0
"""The least log-odds of a relation that no word of agreements states."""

TELLING = 0.0
"""The least log-odds of a statement that speaks for a relation, beside a better one."""

PLAIN = 2.5
"""The least weight of a plain word of agreements ("partnership", "supplies")."""

OTHER = 1.5
"""The weight of other news from which a sentence says nothing plainly."""


def accepted(drafts: Sequence[Draft], sentences: Sequence[Sentence], models: Models) -> list[Draft]:
    """Return the drafts that are more likely relations than not, none of them the shadow of a larger one."""
    model = models["relation"]
    strong: list[Draft] = []
    for draft in drafts:
        draft.odds = model.odds(draft_features(draft, drafts, sentences))
        least = BARE_LIKELY if all(one.cue.label == "named" for one in draft.statements) else LIKELY
        if draft.odds > least or _is_plain(draft):
            draft.statements = [one for one in draft.statements if one.odds >= min(TELLING, draft.best)]
            strong.append(draft)
    return [draft for draft in strong if not _is_shadow(draft, strong)]


def _is_plain(draft: Draft) -> bool:
    """Whether a sentence that names just the two ties them by a plain word, and is not of another sort of news."""
    return any(
        one.how is How.CHOSEN
        and one.cue.weight >= PLAIN
        and len(one.sentence.companies) == len(draft.parties) == 2
        and one.sentence.weight(Topic.TEXT, "no_relation") < OTHER
        and not any(one.sentence.has(Topic.TEXT, label) for label in ("aside", "product"))
        for one in draft.statements
    )


def draft_features(draft: Draft, drafts: Sequence[Draft], sentences: Sequence[Sentence]) -> dict[str, float]:
    """Return what speaks for a draft's being a relation: the odds of its statements, and the rival drafts."""
    odds = sorted((one.odds for one in draft.statements), reverse=True)
    labels = {one.cue.label for one in draft.statements if one.odds > 0}
    return {
        "bias": 1.0,
        "best": max(-6.0, min(6.0, odds[0])),
        "second": probability(odds[1]) if len(odds) > 1 else 0.0,
        "sum": math.log1p(sum(probability(one) for one in odds)),
        "weight": math.log1p(draft.weight),
        "titled": float(draft.in_title),
        "outright": float(draft.is_outright),
        "only links": float(labels <= {"link"}),
        "only open": float(labels <= {"link", Kind.ALLIANCE}),
        "sorts": float(len(labels)),
        "many": float(len(draft.parties) > 2),
        "strangers": float(sum(is_stranger(one) for one in draft.parties)),
        "third of a triangle": float(_is_third(draft, drafts)),
        "outdone": _outdone(draft, drafts),
        "within a larger": float(any(set(draft.parties) < set(other.parties) for other in drafts)),
        "other news": min(3.0, sum(one.weight(Topic.TEXT, "no_relation") for one in sentences[:4])),
    }


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
