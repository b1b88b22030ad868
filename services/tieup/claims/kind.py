"""The sort of agreement that a relation is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tieup.claims.choices import choose, kind_choices
from tieup.claims.models import Models
from tieup.claims.votes import Scope, Vote, best_vote
from tieup.model.labels import Kind


@dataclass(frozen=True, slots=True)
class KindReading:
    """A kind, the vote that shows it, and its probability."""

    kind: Kind
    vote: Vote
    share: float


def read_kind(scope: Scope, sectors: Sequence[Collection[str]], models: Models) -> KindReading:
    """Return the likeliest kind. `sectors`: what sort of company each party is."""
    votes = scope.kind_votes()
    chosen = choose(models.kind, kind_choices(scope, votes, sectors))
    return KindReading(Kind(chosen.value), best_vote(votes, chosen.value) or votes[0], chosen.share)
