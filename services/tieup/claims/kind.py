"""The sort of agreement that a relation is."""

from dataclasses import dataclass

from tieup.claims.votes import Scope, Vote, best_vote, tally
from tieup.model.labels import Kind

CLOSE = 0.75
"""A kind that comes earlier in the guide's table wins when it has this share of the best weight."""


@dataclass(frozen=True, slots=True)
class KindReading:
    """A kind, the vote that shows it, and its share of all votes for a kind (0 to 1)."""

    kind: Kind
    vote: Vote
    share: float


def read_kind(scope: Scope) -> KindReading:
    """Return the kind with most weight, or an earlier one of the table close to it; alliance where left open."""
    votes = scope.kind_votes()
    weights = {Kind(label): weight for label, weight in tally(votes).items() if label != "link"}
    if not weights:
        return KindReading(Kind.ALLIANCE, votes[0], 0.0)
    most = max(weights.values())
    kind = next(one for one in Kind if weights.get(one, 0.0) >= CLOSE * most)
    vote = best_vote(votes, kind)
    return KindReading(kind, vote or votes[0], round(weights[kind] / sum(weights.values()), 4))
