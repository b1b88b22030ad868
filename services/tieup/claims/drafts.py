"""Relations in the making: what one sentence says, and what all sentences say of the same companies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tieup.claims.logit import Features
from tieup.claims.parties import Parties
from tieup.claims.reading import Cue, Sentence
from tieup.claims.sentences import Stretch
from tieup.claims.ties import CARRIED as CARRIED_HOW
from tieup.claims.ties import How

THRESHOLD = 1.5
"""The least weight of cues that makes a part of a relation one of its own."""

CARRIED = 0.6
"""What a statement weighs whose second party stands in the headline or in the sentence before."""

TITLE = 1.5
"""How much more a headline weighs."""


@dataclass(frozen=True, eq=False)
class Statement:
    """A sentence that ties parties together by a cue, within a clause.

    `how` the parties were found; `odds`: the log-odds that the cue ties them. `attribute`: it only says which venture
    is meant.
    """

    sentence: Sentence
    clause: Stretch
    cue: Cue
    parties: Parties
    how: How = How.CHOSEN
    attribute: bool = False
    odds: float = 0.0
    features: Features = field(default_factory=dict)

    @property
    def carried(self) -> bool:
        """Whether a party stands elsewhere than in the sentence."""
        return self.how in CARRIED_HOW

    @cached_property
    def extent(self) -> Stretch:
        """From the first to the last of the cue and, for each party, its mention nearest to the cue."""
        places = [(self.cue.start, self.cue.end)]
        for party in self.parties:
            named = [one for one in self.sentence.mentions if one.company_id == party]
            if named:
                near = min(named, key=lambda one: abs(one.start - self.cue.start))
                places.append((near.start, near.end))
        return Stretch(min(start for start, _ in places), max(end for _, end in places))

    @property
    def weight(self) -> float:
        """How strongly the statement says that there is a relation."""
        factor = TITLE if self.sentence.in_title else 1.0
        return self.cue.weight * factor * (CARRIED if self.carried else 1.0)


@dataclass(slots=True, eq=False)
class Draft:
    """A relation in the making: its parties and its statements.

    `recalled`: split off from the news about its parties. `odds`: the log-odds that it is a relation.
    """

    parties: Parties
    statements: list[Statement] = field(default_factory=list)
    recalled: bool = False
    odds: float = 0.0

    @property
    def top(self) -> Statement:
        """Its most telling statement, the first of equals."""
        return max(self.statements, key=lambda one: one.odds)

    @property
    def best(self) -> float:
        """The log-odds of its most telling statement."""
        return self.top.odds

    @property
    def weight(self) -> float:
        """The summed weight of its statements, each cue once."""
        return weigh(self.statements)

    @property
    def sentences(self) -> list[Sentence]:
        """Its sentences, in order, each once."""
        return list({one.sentence.index: one.sentence for one in self.statements}.values())

    @property
    def in_title(self) -> bool:
        """Whether the headline states it, with all its parties."""
        return any(one.sentence.in_title and not one.carried for one in self.statements)

    @property
    def is_outright(self) -> bool:
        """Whether one sentence names all its parties."""
        return any(not one.carried for one in self.statements)

    @property
    def is_attribute(self) -> bool:
        """Whether the headline only uses it to say which venture is meant ("buys into the Renault-Geely venture")."""
        stated = [one for one in self.statements if one.sentence.in_title]
        return bool(stated) and all(one.attribute for one in stated)

    @property
    def first(self) -> int:
        """The index of its first sentence."""
        return min(one.sentence.index for one in self.statements)


def weigh(statements: Sequence[Statement]) -> float:
    """Return the summed weight of statements, the weightiest of those whose cues start at the same place."""
    best: dict[tuple[int, int], float] = {}
    for one in statements:
        place = (one.sentence.index, one.cue.start)
        best[place] = max(best.get(place, 0.0), one.weight)
    return round(sum(best.values()), 4)
