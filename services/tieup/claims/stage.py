"""How far a relation is, its milestones, whether it binds, and how it ended."""

from dataclasses import dataclass

from tieup.claims.choices import choose, stage_choices
from tieup.claims.lexicon.load import Topic
from tieup.claims.models import Models
from tieup.claims.votes import Scope, Vote, best_vote, tally
from tieup.model.labels import EndedAs, Focus, Kind, Milestone, Stage

PLAIN = 3.0
"""The least weight of words that say plainly that something ended ("fell apart")."""

_NEAR = 0.5
"""A milestone must stand in the relation's own sentence, not in its context."""


@dataclass(frozen=True, slots=True)
class StageReading:
    """A stage, the vote that shows it (None: no word), and its probability."""

    stage: Stage
    vote: Vote | None
    share: float


def read_stage(scope: Scope, focus: Focus, kind: Kind, models: Models) -> StageReading:
    """Return the likeliest stage."""
    votes = stage_votes(scope)
    chosen = choose(models.stage, stage_choices(scope, votes, focus, kind))
    return StageReading(Stage(chosen.value), best_vote(votes, chosen.value), chosen.share)


def stage_votes(scope: Scope) -> list[Vote]:
    """Return the votes for a stage without those for talks in a sentence that says in plain words that they ended."""
    votes = scope.votes(Topic.STAGE)
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
