"""Which relations an article states: the statements of its sentences, gathered by their parties."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tieup.claims.lexicon.load import Topic
from tieup.claims.parties import GroupOf, Parties, coordinate, in_play, split_groups, tied_by
from tieup.claims.reading import Cue, Sentence
from tieup.claims.sentences import Stretch

THRESHOLD = 1.5
"""The least weight of kind cues that makes a relation; one plain word of tie-ups ("partnership") weighs 2."""

CARRIED = 0.5
"""What a statement weighs whose second party stands in the headline or in the sentence before."""

TITLE = 1.5
"""How much more a headline weighs."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that ties parties together by a cue, within a clause. `carried`: a party stands elsewhere."""

    sentence: Sentence
    clause: Stretch
    cue: Cue
    parties: Parties
    carried: bool = False

    @property
    def weight(self) -> float:
        """How strongly the statement says that there is a relation."""
        factor = TITLE if self.sentence.in_title else 1.0
        return self.cue.weight * factor * (CARRIED if self.carried else 1.0)


@dataclass(slots=True)
class Draft:
    """A relation in the making: its parties and its statements."""

    parties: Parties
    statements: list[Statement] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """The summed weight of its statements, each cue once."""
        return sum({(one.sentence.index, one.cue.start): one.weight for one in self.statements}.values())

    @property
    def sentences(self) -> list[Sentence]:
        """Its sentences, in order, each once."""
        return list({one.sentence.index: one.sentence for one in self.statements}.values())

    @property
    def in_title(self) -> bool:
        """Whether the headline states it, with all its parties."""
        return any(one.sentence.in_title and not one.carried for one in self.statements)

    @property
    def first(self) -> int:
        """The index of its first sentence."""
        return min(one.sentence.index for one in self.statements)


def find_drafts(sentences: Sequence[Sentence], group_of: GroupOf) -> list[Draft]:
    """Return the relations that the sentences state, in order of their first statement."""
    drafts: dict[frozenset[str], Draft] = {}
    title = _named(sentences, in_title=True)
    previous: Sequence[str] = ()
    for sentence in sentences:
        if sentence.has(Topic.TEXT, "no_relation"):
            previous = sentence.companies or previous
            continue
        for statement in _statements(sentence, title, previous, group_of):
            for parties in split_groups(statement.parties, group_of):
                draft = drafts.setdefault(frozenset(parties), Draft(parties))
                draft.statements.append(statement)
        previous = sentence.companies or previous
    return _pruned(list(drafts.values()))


def _named(sentences: Sequence[Sentence], *, in_title: bool) -> Sequence[str]:
    named = (one.company_id for sentence in sentences if sentence.in_title is in_title for one in in_play(sentence))
    return tuple(dict.fromkeys(named))


def _statements(
    sentence: Sentence, title: Sequence[str], previous: Sequence[str], group_of: GroupOf
) -> list[Statement]:
    runs = coordinate(sentence, in_play(sentence))
    if not runs:
        return []
    statements: list[Statement] = []
    for cue in sentence.about(Topic.KIND):
        clause = sentence.clauses[sentence.clause_of(cue.start)]
        sets = tied_by(sentence, cue, runs, group_of)
        statements += [Statement(sentence, clause, cue, parties) for parties in sets]
        if not sets and (pair := _carried(sentence, runs[0].companies[0], title, previous, group_of)):
            statements.append(Statement(sentence, clause, cue, pair, carried=True))
    return statements


def _carried(
    sentence: Sentence, named: str, title: Sequence[str], previous: Sequence[str], group_of: GroupOf
) -> Parties | None:
    """Return the one company named and the one that the context supplies: the headline's, or the sentence before's."""
    if sentence.in_title:
        return None
    for context in (title, previous):
        others = [one for one in context if group_of(one) != group_of(named)]
        if len(others) == 1:
            return (others[0], named)
    return None


def _pruned(drafts: list[Draft]) -> list[Draft]:
    strong = [draft for draft in drafts if draft.weight >= THRESHOLD and _is_stated(draft)]
    return [draft for draft in strong if not _is_shadow(draft, strong)]


def _is_stated(draft: Draft) -> bool:
    """A relation needs one sentence that names its parties, or two that carry it, and a cue beyond mere talk."""
    return any(not one.carried for one in draft.statements) or draft.weight >= 2 * THRESHOLD


def _is_shadow(draft: Draft, drafts: list[Draft]) -> bool:
    """A pair whose every statement is also one of a larger set is that set's shadow."""
    cues = {(one.sentence.index, one.cue.start) for one in draft.statements}
    return any(
        set(draft.parties) < set(other.parties)
        and cues <= {(one.sentence.index, one.cue.start) for one in other.statements}
        for other in drafts
    )
