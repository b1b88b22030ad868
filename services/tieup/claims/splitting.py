"""Parts one pair's statements where a text states several agreements of the same companies."""

from collections.abc import Sequence

from tieup.claims.drafts import THRESHOLD, Draft, Statement, weigh
from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Sentence
from tieup.model.labels import Kind, Stage

RECALLS = 1.5
"""The least weight of recalling words ("already", "since 2019") that makes a sentence a relation of its own."""

PLAIN = 2.0
"""The least weight of a cue that names an agreement plainly ("partnership", not "partner")."""

APART = 2.5
"""The least weight of cues on each side that tells a stake from the work done together."""

MENTIONED = 1.0
"""The least weight of recalling words that keeps a second agreement from being news."""

STRONG = 2.0
"""The least weight of a sentence's sort that makes it an agreement of its own."""

_OPEN = frozenset({Kind.ALLIANCE, Kind.EQUITY_STAKE, Kind.MERGER_ACQUISITION, "link"})
_LOOSE = frozenset({Kind.ALLIANCE, "link", None})


def split_draft(draft: Draft) -> list[Draft]:
    """Return the relation, or its parts where one text states two agreements of the same parties.

    A sentence that recalls a running tie of another sort stands for itself; so does a stake told apart from what the
    partners do together, and a sentence that adds an agreement of another sort ("also", "instead", "under a licence").
    """
    for part in (_recalled(draft), _stake(draft), _added(draft)):
        rest = [one for one in draft.statements if one not in part]
        if part and rest and weigh(rest) >= THRESHOLD:
            return [
                Draft(draft.parties, rest, odds=draft.odds),
                Draft(draft.parties, part, recalled=_is_recalled(part), odds=draft.odds),
            ]
    return [draft]


def _is_recalled(part: Sequence[Statement]) -> bool:
    """Whether the statements stand in sentences that recall something, outside the headline."""
    return all(
        not one.sentence.in_title and one.sentence.weight(Topic.FOCUS, "background") >= MENTIONED for one in part
    )


def _recalled(draft: Draft) -> list[Statement]:
    """The statements of the first sentence that recalls a running tie while the others tell of something else."""
    for sentence in draft.sentences:
        own = [one for one in draft.statements if one.sentence is sentence]
        rest = [one for one in draft.statements if one.sentence is not sentence]
        recalls = not sentence.in_title and sentence.weight(Topic.FOCUS, "background") >= RECALLS
        running = sentence.weight(Topic.STAGE, Stage.ACTIVE) > sentence.weight(Topic.STAGE, Stage.TALKS)
        stated = sentence.has(Topic.TEXT, "both") or any(not one.carried or one.cue.weight >= APART for one in own)
        stated = stated and any(one.cue.weight >= PLAIN for one in own)
        told = _sort(rest) not in _LOOSE or any(not one.sentence.in_title for one in rest)
        if rest and told and recalls and running and stated and _sort(own) not in {None, _sort(rest)}:
            return own
    return []


def _stake(draft: Draft) -> list[Statement]:
    """The statements of a stake, where other clauses tell of another sort of work in plain words."""
    stake = [
        one
        for one in draft.statements
        if one.cue.label == Kind.EQUITY_STAKE and not one.carried and not _is_pondered(one.sentence)
    ]
    clauses = {(one.sentence.index, one.clause.start) for one in stake}
    other = [
        one
        for one in draft.statements
        if one.cue.label not in _OPEN
        and (one.sentence.index, one.clause.start) not in clauses
        and (not one.carried or one.cue.label == Kind.JOINT_VENTURE or one.sentence.has(Topic.TEXT, "both"))
    ]
    return stake if weigh(stake) >= APART and weigh(other) >= APART else []


def _added(draft: Draft) -> list[Statement]:
    """The statements of the first sentence that adds an agreement of a sort which no other sentence names."""
    for sentence in draft.sentences[1:]:
        own = [one for one in draft.statements if one.sentence is sentence]
        rest = [one for one in draft.statements if one.sentence is not sentence]
        sort = _sort(own)
        if sentence.in_title or sort in _LOOSE or weigh([one for one in own if one.cue.label == sort]) < STRONG:
            continue
        others = {one.cue.label for one in rest if one.cue.weight >= THRESHOLD}
        if sort not in others and others - _LOOSE and sentence.has(Topic.TEXT, "adds"):
            return own
    return []


def _is_pondered(sentence: Sentence) -> bool:
    """Whether the sentence is about talks: what is still talked about is one matter."""
    settled = sentence.weight(Topic.STAGE, Stage.AGREED) + sentence.weight(Topic.STAGE, Stage.ACTIVE)
    return sentence.weight(Topic.STAGE, Stage.TALKS) > settled


def _sort(statements: Sequence[Statement]) -> str | None:
    sorts = [one for one in statements if one.cue.label != "link"]
    return max(sorts, key=lambda one: one.cue.weight).cue.label if sorts else None
