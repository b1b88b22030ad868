"""How sure a relation is, and who makes it so sure."""

from dataclasses import dataclass, replace

from tieup.claims.choices import choose, factuality_choices, share_of
from tieup.claims.lexicon.load import Topic
from tieup.claims.models import Models
from tieup.claims.reading import Sentence
from tieup.claims.votes import Scope, Vote, best_vote, tally
from tieup.model.labels import Basis, Factuality, Focus, Stage

DENIED = 1.35
"""The least weight of words that deny an end: plain ones in the context, weaker ones in the own sentence."""

OFFICIAL = 3.0
"""What an authority with its verb weighs ("the government said")."""

STATED = 1.5
"""The least weight of a party's words that makes the party the basis."""


@dataclass(frozen=True, slots=True)
class FactualityReading:
    """A factuality with its basis, the vote that shows it (None: narration), and its probability."""

    factuality: Factuality
    basis: Basis
    vote: Vote | None
    share: float = 0.0


def read_factuality(scope: Scope, stage: Stage, focus: Focus, models: Models) -> FactualityReading:
    """Return the likeliest factuality of those that have words to show. A denied end is confirmed, whatever else."""
    stances = scope.votes(Topic.STANCE)
    if tally(stances).get("denies_end", 0.0) >= DENIED:
        return FactualityReading(Factuality.CONFIRMED, Basis.PARTY, best_vote(stances, "denies_end"), 1.0)
    readings = (_confirmed(scope), _reported(scope), None if stage is Stage.ENDED else _denied(scope))
    shown = {str(one.factuality): one for one in readings if one is not None}
    choices = factuality_choices(scope, stage, focus)
    chosen = choose(models.factuality, {value: choices[value] for value in shown})
    return replace(shown[chosen.value], share=share_of(models.factuality, choices, chosen.value))


def _denied(scope: Scope) -> FactualityReading | None:
    vote = best_vote(scope.votes(Topic.STANCE), "denies")
    return None if vote is None else FactualityReading(Factuality.DENIED, Basis.PARTY, vote)


def _reported(scope: Scope) -> FactualityReading | None:
    votes = scope.votes(Topic.SOURCE)
    weights = tally(votes)
    anonymous = weights.get("anonymous", 0.0) + weights.get("rumour", 0.0)
    medium = weights.get("medium", 0.0) + weights.get("credits", 0.0)
    if anonymous + medium <= 0:
        return None
    if weights.get("anonymous", 0.0) > 0 or anonymous > medium:
        vote = best_vote(votes, "anonymous") or best_vote(votes, "rumour")
        return FactualityReading(Factuality.REPORTED, Basis.ANONYMOUS, vote)
    vote = best_vote(votes, "credits") or best_vote(votes, "medium")
    return FactualityReading(Factuality.REPORTED, Basis.MEDIUM, vote)


def is_official(sentence: Sentence) -> bool:
    """Say whether an authority speaks in the sentence: what it says is then no party's word."""
    return sentence.weight(Topic.SOURCE, "authority") >= OFFICIAL


def _confirmed(scope: Scope) -> FactualityReading:
    stances, sources = scope.votes(Topic.STANCE), scope.votes(Topic.SOURCE)
    stated = tally([vote for vote in stances if not is_official(vote.sentence)]).get("confirms", 0.0)
    official = tally(sources).get("authority", 0.0)
    if official > 0 and official >= stated:
        return FactualityReading(Factuality.CONFIRMED, Basis.AUTHORITY, best_vote(sources, "authority"))
    if stated >= STATED:
        return FactualityReading(Factuality.CONFIRMED, Basis.PARTY, best_vote(stances, "confirms"))
    return FactualityReading(Factuality.CONFIRMED, Basis.NARRATION, None)
