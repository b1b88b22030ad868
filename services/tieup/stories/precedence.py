"""Who outranks whom: the table by which each article's word moves, or does not move, the state of a story.

The articles of a story are taken in order of their event time. `RULES` is read from the top; the first rule that fits
decides. "Rank": a document outranks an authority, an authority a party, a party flat narration, narration a medium, a
medium insiders. "Standing": a party's assertion that the same party has not since denied. "Quiet": three days, within
which papers still print what a denial or an end has overtaken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from tieup.model.labels import Basis, Factuality, Stage

QUIET: Final = timedelta(days=3)

RANK: Final = {
    Basis.ANONYMOUS: 0,
    Basis.MEDIUM: 1,
    Basis.NARRATION: 2,
    Basis.PARTY: 3,
    Basis.AUTHORITY: 4,
    Basis.DOCUMENT: 5,
}

DISTANCE: Final = {Stage.TALKS: 0, Stage.AGREED: 1, Stage.ACTIVE: 2, Stage.ENDED: 3}


@dataclass(frozen=True, slots=True)
class Word:
    """What one article says of the story's state; `asserters` and `deniers` are the parties that it quotes.

    `denies_end` tells that a party rejects an end of the tie.
    """

    stage: Stage
    factuality: Factuality
    basis: Basis
    at: datetime
    asserters: tuple[str, ...] = ()
    deniers: tuple[str, ...] = ()
    denies_end: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The story's state so far: `since` is when it was last set, `standing` the parties whose assertion stands."""

    stage: Stage
    factuality: Factuality
    basis: Basis
    since: datetime
    standing: tuple[str, ...] = ()


class Effect(StrEnum):
    """What a rule does to the state."""

    TAKE = "take"  # the word's stage, factuality and basis
    DENY = "deny"  # denied by a party, at the nearer of the two stages
    RAISE = "raise"  # the better basis of the two; nothing else
    KEEP = "keep"  # the word counts among the claims only


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    name: str
    fits: Callable[[Head, Word], bool]
    effect: Effect


def _denied(_head: Head, word: Word) -> bool:
    return word.factuality is Factuality.DENIED


def _weighty(word: Word) -> bool:
    return word.factuality is Factuality.CONFIRMED and RANK[word.basis] >= RANK[Basis.PARTY]


def _light(word: Word) -> bool:
    return not _weighty(word)


def _further(head: Head, word: Word) -> bool:
    return DISTANCE[word.stage] > DISTANCE[head.stage]


def _quiet(head: Head, word: Word) -> bool:
    return word.at - head.since <= QUIET


def _leaves_end(head: Head, word: Word) -> bool:
    return head.stage is Stage.ENDED and word.stage is not Stage.ENDED


def _same_and_surer(head: Head, word: Word) -> bool:
    return (
        head.stage is word.stage and head.factuality is Factuality.REPORTED and word.factuality is Factuality.CONFIRMED
    )


def _same_and_as_sure(head: Head, word: Word) -> bool:
    return head.stage is word.stage and head.factuality is word.factuality


def _confirmed(head: Head) -> bool:
    return head.factuality is Factuality.CONFIRMED


RULES: Final[tuple[Rule, ...]] = (
    # A denial.
    Rule("an ended story cannot be denied", lambda h, w: _denied(h, w) and h.stage is Stage.ENDED, Effect.KEEP),
    Rule(
        "a document or an authority outranks a party's denial",
        lambda h, w: _denied(h, w) and _confirmed(h) and RANK[h.basis] > RANK[Basis.PARTY],
        Effect.KEEP,
    ),
    Rule(
        "one party confirms, another denies: confirmed, and contested",
        lambda h, w: _denied(h, w) and _confirmed(h) and any(party not in w.deniers for party in h.standing),
        Effect.KEEP,
    ),
    Rule(
        "denying a further stage leaves the confirmed nearer one",
        lambda h, w: _denied(h, w) and _confirmed(h) and _further(h, w),
        Effect.KEEP,
    ),
    Rule("a party's denial outranks media, insiders, narration and its own older word", _denied, Effect.DENY),
    # After an end.
    Rule("a party denies the end", lambda h, w: _leaves_end(h, w) and w.denies_end and _weighty(w), Effect.TAKE),
    Rule("words overtaken by the end", lambda h, w: _leaves_end(h, w) and _quiet(h, w), Effect.KEEP),
    Rule("news after an end", _leaves_end, Effect.TAKE),
    # A party, an authority or a document confirms.
    Rule("a weighty word for a further stage", lambda h, w: _weighty(w) and _further(h, w), Effect.TAKE),
    Rule(
        "a weighty word over a report or a denial, be its stage nearer",
        lambda h, w: _weighty(w) and not _confirmed(h),
        Effect.TAKE,
    ),
    # Media, insiders and narration.
    Rule(
        "reports overtaken by a denial",
        lambda h, w: _light(w) and h.factuality is Factuality.DENIED and (not _further(h, w) or _quiet(h, w)),
        Effect.KEEP,
    ),
    Rule("a light word for a further stage", lambda h, w: _light(w) and _further(h, w), Effect.TAKE),
    Rule("narration states as fact what was reported", _same_and_surer, Effect.TAKE),
    # Whoever it is.
    Rule("the same again, on a better basis", _same_and_as_sure, Effect.RAISE),
    Rule("nothing rolls a story back", lambda _h, _w: True, Effect.KEEP),
)


def opening(word: Word) -> Head:
    """Return the state that a story's first word gives it."""
    return Head(word.stage, word.factuality, word.basis, word.at, _standing((), word))


def rule_for(head: Head, word: Word) -> Rule:
    """Return the first rule of the table that fits."""
    return next(rule for rule in RULES if rule.fits(head, word))


def move(head: Head, word: Word) -> Head:
    """Return the state after the next word."""
    return replace(_moved(head, word, rule_for(head, word).effect), standing=_standing(head.standing, word))


def _moved(head: Head, word: Word, effect: Effect) -> Head:
    if effect is Effect.TAKE:
        return Head(word.stage, word.factuality, word.basis, word.at)
    if effect is Effect.DENY:
        stage = min(head.stage, word.stage, key=DISTANCE.__getitem__)
        changed = head.factuality is not Factuality.DENIED or stage is not head.stage
        return Head(stage, Factuality.DENIED, word.basis, word.at if changed else head.since)
    if effect is Effect.RAISE and RANK[word.basis] > RANK[head.basis]:
        return replace(head, basis=word.basis)
    return head


def _standing(before: tuple[str, ...], word: Word) -> tuple[str, ...]:
    kept = [party for party in before if party not in word.deniers]
    return (*kept, *(party for party in word.asserters if party not in kept and party not in word.deniers))
