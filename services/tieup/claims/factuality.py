"""How sure a relation is, and who makes it so sure."""

from dataclasses import dataclass

from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Sentence
from tieup.claims.votes import Scope, Vote, best_vote, tally
from tieup.model.labels import Basis, Factuality, Focus, Stage

DENIED = 1.35
"""The least weight of denial: a plain "denies" in the context, a weaker word in the relation's own sentence."""

HEDGED = 1.0
"""The least weight of crediting words that makes a relation reported."""

RECALLED_DENIED = 2.5
"""The least weight of denial for a recalled tie."""

DOUBTED = 1.5
"""The least weight of doubt ("allegedly", "insiders") that makes a recalled tie reported."""

OFFICIAL = 3.0
"""What an authority with its verb weighs ("the government said")."""

STATED = 1.5
"""The least weight of a party's words that makes the party the basis."""


@dataclass(frozen=True, slots=True)
class FactualityReading:
    """A factuality with its basis and the vote that shows it (None: narration)."""

    factuality: Factuality
    basis: Basis
    vote: Vote | None


def read_factuality(scope: Scope, stage: Stage, focus: Focus) -> FactualityReading:
    """Return the factuality. An end that a party states is confirmed, whatever else it denies.

    What is recalled is a fact unless its own words cast doubt on it: a report about the news does not touch it.
    """
    stances = scope.votes(Topic.STANCE)
    stance = tally(stances)
    if stance.get("denies_end", 0.0) >= DENIED:
        return FactualityReading(Factuality.CONFIRMED, Basis.PARTY, best_vote(stances, "denies_end"))
    least = DENIED if focus is Focus.NEWS else RECALLED_DENIED
    if stage is not Stage.ENDED and stance.get("denies", 0.0) >= least:
        return FactualityReading(Factuality.DENIED, Basis.PARTY, best_vote(stances, "denies"))
    return _reported(scope, focus, stage) or _confirmed(scope)


def _reported(scope: Scope, focus: Focus, stage: Stage) -> FactualityReading | None:
    votes = scope.votes(Topic.SOURCE)
    weights = tally(votes)
    anonymous = weights.get("anonymous", 0.0) + weights.get("rumour", 0.0)
    medium = weights.get("medium", 0.0) + weights.get("credits", 0.0)
    if focus is Focus.BACKGROUND and stage is not Stage.TALKS:
        medium = 0.0
        anonymous = anonymous if anonymous >= DOUBTED else 0.0
    confirmed = tally(scope.votes(Topic.STANCE)).get("confirms", 0.0) + weights.get("authority", 0.0)
    if anonymous + medium < HEDGED or anonymous + medium <= confirmed:
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
