"""Weighs the cues for a relation's labels: near ones count more than far ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tieup.claims.drafts import Draft, Statement
from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Cue, Sentence

IN_CLAUSE = 1.0
IN_SENTENCE = 0.5
NEARER_TO_ANOTHER = 0.2
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

    `others` are the article's other relations; `context` are sentences that speak of this relation without stating it.
    """

    draft: Draft
    context: tuple[Sentence, ...]
    others: tuple[Draft, ...]
    _known: dict[Topic, list[Vote]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def votes(self, topic: Topic, label: str | None = None) -> list[Vote]:
        """Return the votes for a topic, own sentences first."""
        if topic not in self._known:
            own = [vote for sentence in self.draft.sentences for vote in self._own(sentence, topic)]
            self._known[topic] = own + self.context_votes(topic)
        return [vote for vote in self._known[topic] if label in {None, vote.cue.label}]

    def kind_votes(self) -> list[Vote]:
        """Return the votes for the kind: the cues that tie the parties together, then the context's."""
        own = {(one.sentence.index, one.cue.start, one.cue.label): one for one in self.draft.statements}
        votes = [Vote(one.cue, one.sentence, one.weight) for one in own.values()]
        return votes + self.context_votes(Topic.KIND)

    def context_votes(self, topic: Topic) -> list[Vote]:
        """Return the votes of the context."""
        return [
            Vote(cue, sentence, cue.weight * IN_CONTEXT * (IN_TITLE if sentence.in_title else 1.0))
            for sentence in self.context
            for cue in sentence.about(topic)
            if topic is not Topic.STANCE or _is_theirs(sentence, self.draft)
        ]

    @cached_property
    def _mine(self) -> dict[int, list[Statement]]:
        """The relation's statements by the index of their sentence."""
        return _by_sentence([self.draft])

    @cached_property
    def _rivals(self) -> dict[int, list[Statement]]:
        """The other relations' statements by the index of their sentence."""
        return _by_sentence(self.others)

    def is_nearest(self, sentence: Sentence, cue: Cue) -> bool:
        """Say whether no other relation's words in the sentence are nearer to the cue than this one's."""
        mine, rivals = self._mine.get(sentence.index, []), self._rivals.get(sentence.index, [])
        return bool(mine) and _nearness(cue, mine, rivals) > NEARER_TO_ANOTHER

    def _own(self, sentence: Sentence, topic: Topic) -> list[Vote]:
        mine, rivals = self._mine.get(sentence.index, []), self._rivals.get(sentence.index, [])
        title = IN_TITLE if sentence.in_title else 1.0
        return [Vote(cue, sentence, cue.weight * title * _nearness(cue, mine, rivals)) for cue in sentence.about(topic)]


def _is_theirs(sentence: Sentence, draft: Draft) -> bool:
    """A stance in the context counts unless the sentence speaks of other partners ("other makers denied")."""
    named = set(draft.parties).intersection(sentence.companies)
    return len(named) > 1 or not sentence.has(Topic.TEXT, "others")


def _by_sentence(drafts: Sequence[Draft]) -> dict[int, list[Statement]]:
    found: dict[int, list[Statement]] = {}
    for draft in drafts:
        for one in draft.statements:
            found.setdefault(one.sentence.index, []).append(one)
    return found


def _nearness(cue: Cue, mine: Sequence[Statement], rivals: Sequence[Statement]) -> float:
    """How much a cue in a shared sentence counts: less where another relation's words are nearer."""
    if rivals and min(_distance(cue, one) for one in rivals) < min(_distance(cue, one) for one in mine):
        return NEARER_TO_ANOTHER
    return IN_CLAUSE if any(one.clause.start <= cue.start < one.clause.end for one in mine) else IN_SENTENCE


def _distance(cue: Cue, statement: Statement) -> int:
    """Return how many code points lie between a cue and a statement's words: 0 where it stands among them."""
    extent = statement.extent
    return max(extent.start - cue.end, cue.start - extent.end, 0)


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
