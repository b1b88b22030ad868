"""Which of a label's values the votes speak for, weighed by a fitted model: the features of each value."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tieup.claims.lexicon.load import Topic
from tieup.claims.logit import Logit, shares
from tieup.claims.ties import words_of
from tieup.claims.votes import Scope, Vote
from tieup.model.labels import Factuality, Focus, Kind, Stage

BEFORE = 10
"""Signs before the parties and their word that still bear on the kind: a verb's beginning, a preposition."""

AFTER = 40
"""Signs after them: the rest of a verb, the thing that is bought or built."""

Choices = Mapping[str, Mapping[str, float]]
"""The features of each value that a label may take."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The likeliest value and its probability."""

    value: str
    share: float


def choose(model: Logit, choices: Choices) -> Choice:
    """Return the likeliest value, the first of equals."""
    odds = {value: model.odds(features) for value, features in choices.items()}
    value = max(odds, key=odds.__getitem__)
    return Choice(value, round(shares(odds)[value], 4))


def share_of(model: Logit, choices: Choices, value: str) -> float:
    """Return the probability of one value, among all of them, likeliest or not."""
    return round(shares({one: model.odds(features) for one, features in choices.items()})[value], 4)


def kind_choices(scope: Scope, votes: Sequence[Vote], sectors: Sequence[Collection[str]]) -> Choices:
    """Return what speaks for each kind: its words, those of other kinds, what stands between the parties.

    And what sort of companies they are: `sectors` of each party.
    """
    own = _sums(vote for vote in votes if not _in_context(vote, scope))
    context = _sums(vote for vote in votes if _in_context(vote, scope))
    titled = _sums(vote for vote in votes if vote.sentence.in_title)
    best = _most(votes)
    said = {
        **{f"among {sector}": 1.0 for party in sectors for sector in party},
        **{f"{left} with {right}": share for (left, right), share in _paired(sectors).items()},
        **{f"word {word}": share for word, share in _words_between(scope).items()},
    }
    return {
        kind: {
            f"is {kind}": 1.0,
            "own": own.get(kind, 0.0),
            "said": float(kind in own),
            "context": context.get(kind, 0.0),
            "titled": titled.get(kind, 0.0),
            "best": best.get(kind, 0.0) / 4,
            **{f"{kind} beside {other}": weight for other, weight in own.items() if other != kind},
            **{f"{kind} near {other}": weight for other, weight in context.items() if other != kind},
            **{f"{kind} {name}": share for name, share in said.items()},
        }
        for kind in Kind
    }


def stage_choices(scope: Scope, votes: Sequence[Vote], focus: Focus, kind: Kind) -> Choices:
    """Return what speaks for each stage: its words, those of other stages, who says so, the focus and the kind."""
    own = _sums(vote for vote in votes if not _in_context(vote, scope) and not vote.sentence.in_title)
    context = _sums(vote for vote in votes if _in_context(vote, scope))
    titled = _sums(vote for vote in votes if vote.sentence.in_title)
    best = _most(votes)
    words = _words(scope)
    said = {
        **{f"stance {label}": weight for label, weight in _sums(scope.votes(Topic.STANCE)).items()},
        **{f"source {label}": weight for label, weight in _sums(scope.votes(Topic.SOURCE)).items()},
        **{f"milestone {label}": 1.0 for label in _sums(scope.votes(Topic.MILESTONE))},
        "asked": float(any(one.in_title and one.text.rstrip().endswith(("?", "？")) for one in scope.draft.sentences)),
        f"focus {focus}": 1.0,
        f"kind {kind}": 1.0,
    }
    return {
        stage: {
            f"is {stage}": 1.0,
            "own": own.get(stage, 0.0),
            "context": context.get(stage, 0.0),
            "titled": titled.get(stage, 0.0),
            "best": best.get(stage, 0.0) / 4,
            **{f"{stage} beside {other}": weight for other, weight in own.items() if other != stage},
            **{f"{stage} under {other}": weight for other, weight in titled.items() if other != stage},
            **{f"{stage} near {other}": weight for other, weight in context.items() if other != stage},
            **{f"{stage} {name}": weight for name, weight in said.items()},
            **{f"{stage} word {word}": share for word, share in words.items()},
        }
        for stage in Stage
    }


def factuality_choices(scope: Scope, stage: Stage, focus: Focus) -> Choices:
    """Return what speaks for each factuality: the stances and sources of its own words and of its context."""
    said: dict[str, float] = {f"stage {stage}": 1.0, f"focus {focus}": 1.0}
    for topic in (Topic.STANCE, Topic.SOURCE):
        votes = scope.votes(topic)
        own = _sums(vote for vote in votes if not _in_context(vote, scope))
        context = _sums(vote for vote in votes if _in_context(vote, scope))
        said |= {f"own {label}": weight for label, weight in own.items()}
        said |= {f"context {label}": weight for label, weight in context.items()}
        said |= {f"titled {vote.cue.label}": 1.0 for vote in votes if vote.sentence.in_title}
        said |= {f"{focus} {label}": own.get(label, 0.0) + context.get(label, 0.0) for label in {*own, *context}}
    return {
        factuality: {f"is {factuality}": 1.0, **{f"{factuality} {name}": weight for name, weight in said.items()}}
        for factuality in Factuality
    }


def _paired(sectors: Sequence[Collection[str]]) -> dict[tuple[str, str], float]:
    """The pairs of sorts that two parties are of, which together count once."""
    if len(sectors) != 2:
        return {}
    pairs = {(min(pair), max(pair)) for pair in product(*sectors)}
    return {pair: 1.0 / len(pairs) for pair in sorted(pairs)}


def _words_between(scope: Scope) -> dict[str, float]:
    """The words from the first to the last of the parties and the cue in the most telling sentence, each a little."""
    best = min(scope.draft.statements, key=lambda one: (-one.odds, one.sentence.index))
    start = max(best.sentence.start, best.extent.start - BEFORE)
    words = words_of(best.sentence, start, min(best.sentence.end, best.extent.end + AFTER))
    return dict.fromkeys(words, 1.0 / math.sqrt(len(words))) if words else {}


def _words(scope: Scope) -> dict[str, float]:
    """The words of the two most telling sentences, each a little."""
    told = sorted(scope.draft.statements, key=lambda one: (-one.odds, one.sentence.index))
    sentences = list({one.sentence.index: one.sentence for one in told}.values())[:2]
    words = sorted({word for one in sentences for word in words_of(one, one.start, one.end)})
    return dict.fromkeys(words, 1.0 / math.sqrt(len(words))) if words else {}


def _in_context(vote: Vote, scope: Scope) -> bool:
    return vote.sentence in scope.context


def _sums(votes: Iterable[Vote]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for vote in votes:
        sums[vote.cue.label] = sums.get(vote.cue.label, 0.0) + vote.weight
    return {label: math.log1p(weight) for label, weight in sums.items()}


def _most(votes: Iterable[Vote]) -> dict[str, float]:
    most: dict[str, float] = {}
    for vote in votes:
        most[vote.cue.label] = max(most.get(vote.cue.label, 0.0), vote.weight)
    return most
