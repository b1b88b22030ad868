"""How far a relation is, its milestones, whether it binds, and how it ended."""

from dataclasses import dataclass

from tieup.claims.lexicon.load import Topic
from tieup.claims.votes import Scope, Vote, best_vote, tally
from tieup.model.labels import EndedAs, Focus, Milestone, Stage

PRIOR = {
    Focus.NEWS: {Stage.AGREED: 0.6},
    Focus.BACKGROUND: {Stage.ACTIVE: 1.5},
}
"""What a stage weighs before any cue: news mostly announces, a recalled tie mostly runs."""

PLAIN = 3.0
"""The least weight of words that say plainly that something ended ("fell apart")."""

_NEAR = 0.5
"""A milestone must stand in the relation's own sentence, not in its context."""


@dataclass(frozen=True, slots=True)
class StageReading:
    """A stage, the vote that shows it (None: the prior alone), and its share of all weight."""

    stage: Stage
    vote: Vote | None
    share: float


def read_stage(scope: Scope, focus: Focus) -> StageReading:
    """Return the stage with most weight."""
    votes = _without_failed_talks(scope.votes(Topic.STAGE))
    weights = {Stage(label): weight for label, weight in tally(votes).items()}
    for stage, weight in PRIOR[focus].items():
        weights[stage] = weights.get(stage, 0.0) + weight
    stage = max(Stage, key=lambda one: weights.get(one, 0.0))
    return StageReading(stage, best_vote(votes, stage), round(weights[stage] / sum(weights.values()), 4))


def _without_failed_talks(votes: list[Vote]) -> list[Vote]:
    """Return the votes without those for talks in a sentence that says in plain words that they ended."""
    over = {one.sentence.index for one in votes if one.cue.label == Stage.ENDED and one.cue.weight >= PLAIN}
    return [one for one in votes if one.cue.label != Stage.TALKS or one.sentence.index not in over]


def read_ended_as(scope: Scope) -> EndedAs:
    """Return how the relation ended; talks that failed where the text does not say."""
    weights = tally(scope.votes(Topic.ENDED_AS))
    return max(EndedAs, key=lambda one: weights.get(one, 0.0))


def read_milestones(scope: Scope) -> list[tuple[Milestone, Vote]]:
    """Return the milestones that the relation's own sentences state, in the order of the guide."""
    votes = [vote for vote in scope.votes(Topic.MILESTONE) if vote.weight >= _NEAR]
    shown = [(milestone, best_vote(votes, milestone)) for milestone in Milestone]
    return [(milestone, vote) for milestone, vote in shown if vote is not None]


def read_binding(scope: Scope) -> tuple[bool, Vote] | None:
    """Return whether the agreement binds, and the vote that shows it; None where it is not said."""
    votes = scope.votes(Topic.BINDING)
    loose, firm = best_vote(votes, "no"), best_vote(votes, "yes")
    if loose is not None:
        return False, loose
    return (True, firm) if firm is not None else None
