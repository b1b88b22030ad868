"""Weighs the cues for a relation's labels: near ones count more than far ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Cue, Sentence
from tieup.claims.relations import Draft

IN_CLAUSE = 1.0
IN_SENTENCE = 0.5
IN_SHARED_SENTENCE = 0.25
IN_CONTEXT = 0.4
IN_TITLE = 1.5


@dataclass(frozen=True, slots=True)
class Vote:
    """A cue, where it stands and how much it counts for the relation."""

    cue: Cue
    sentence: Sentence
    weight: float


@dataclass(frozen=True)
class Scope:
    """A relation's own words and its context: what may speak about its labels.

    `shared` are the indexes of sentences that other relations use too; `context` are sentences that speak of this
    relation without stating it.
    """

    draft: Draft
    context: tuple[Sentence, ...]
    shared: frozenset[int]

    def votes(self, topic: Topic, label: str | None = None) -> list[Vote]:
        """Return the votes for a topic, own sentences first."""
        own = [vote for sentence in self.draft.sentences for vote in self._own(sentence, topic, label)]
        context = [
            Vote(cue, sentence, cue.weight * IN_CONTEXT * (IN_TITLE if sentence.in_title else 1.0))
            for sentence in self.context
            for cue in sentence.about(topic, label)
        ]
        return own + context

    def _own(self, sentence: Sentence, topic: Topic, label: str | None) -> list[Vote]:
        clauses = [one.clause for one in self.draft.statements if one.sentence.index == sentence.index]
        title = IN_TITLE if sentence.in_title else 1.0
        outside = IN_SHARED_SENTENCE if sentence.index in self.shared else IN_SENTENCE
        return [
            Vote(cue, sentence, cue.weight * title * (IN_CLAUSE if _inside(cue, clauses) else outside))
            for cue in sentence.about(topic, label)
        ]


def _inside(cue: Cue, clauses: Sequence[object]) -> bool:
    return any(clause.start <= cue.start < clause.end for clause in clauses)  # type: ignore[attr-defined]


def tally(votes: Sequence[Vote]) -> dict[str, float]:
    """Return the weight per label, rounded so that no float noise decides."""
    sums: dict[str, float] = {}
    for vote in votes:
        sums[vote.cue.label] = sums.get(vote.cue.label, 0.0) + vote.weight
    return {label: round(weight, 4) for label, weight in sums.items()}


def best_vote(votes: Sequence[Vote], label: str) -> Vote | None:
    """Return the weightiest vote for a label, the first of equals."""
    fitting = [vote for vote in votes if vote.cue.label == label]
    return max(fitting, key=lambda vote: vote.weight) if fitting else None
