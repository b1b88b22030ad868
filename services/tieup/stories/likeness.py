"""How much a relation is like a story.

The affinity is the product of how well the parties, the kinds and the stages agree, what both are about, and how long
the story has been silent. All figures stand in `data/affinity.toml`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import prod
from typing import Final

from tieup.model.labels import Factuality, Kind, Stage
from tieup.model.story import StoryParty
from tieup.stories.affinity import Affinity
from tieup.stories.outline import Outline
from tieup.stories.parties import Companies, fold_name
from tieup.stories.subjects import Likeness, Subjects

MIN_PARTIES: Final = 2
WAVE: Final = timedelta(days=30)
Parties = Sequence[StoryParty]

_OTHER_KIND: Final = 0.9
_WHOLE: Final = frozenset({Kind.EQUITY_STAKE, Kind.MERGER_ACQUISITION})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A relation whose story is looked for. `at` is None where the article bears no date of its own."""

    parties: tuple[StoryParty, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    venture: str | None
    via: tuple[str, ...]
    scope: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _Tie:
    """What binds companies of one group: names that stand for each other, nearness in time, the same plant."""

    via: frozenset[str]
    near: bool
    same: bool


@dataclass(frozen=True, slots=True)
class Judge:
    """Says how much relations are like stories, and like each other."""

    companies: Companies
    affinity: Affinity
    subjects: Subjects

    def of_story(self, wanted: Wanted, story: Outline) -> float:
        """Return the affinity of a relation and a story, between 0 and 1; 0 where it cannot be enough to join.

        Most stories of a pair of companies are of another kind or long over, so kinds and times are looked at first:
        the dearer questions are not asked of them.
        """
        if _other_venture(wanted.venture, story.venture):
            return 0.0
        kind, silence = self._of_kinds(wanted, story), story.silence(wanted.at)
        stages = story.stages(wanted.stage, wanted.at)
        stage, age = self.affinity.of_stages(*stages), self.affinity.of_age(*stages, silence)
        limits = self.affinity.thresholds
        if (kind + (1 - kind) * limits.shared) * stage * age < limits.join:
            return 0.0
        about = self.subjects.compare(wanted.scope, story.scope)
        tie = _Tie(frozenset({*wanted.via, *story.via}), silence <= WAVE or about.shared, about.same)
        parties = self._of_parties(wanted.parties, _known_as(wanted.parties, story), tie)
        vague = wanted.kind in _WHOLE or Stage.TALKS in {wanted.stage, story.stage}
        return round(parties * self._about(kind, about, vague) * stage * age, 4)

    def are_one(self, one: Outline, other: Outline, at: datetime | None) -> bool:
        """Say whether two stories are one deal, each seen from the other as told at this time."""
        sides = ((one, other), (other, one))
        return all(self.of_story(_retold(left, at), right) >= self.affinity.thresholds.join for left, right in sides)

    def are_parts(self, one: Outline, other: Outline, wanted: Wanted) -> bool:
        """Say whether the relation names together, in one wave of news, what two stories of its kind tell apart: two
        articles each named two of four.
        """
        keys, left, right = ({party.key for party in each.parties} for each in (wanted, one, other))
        if not left.isdisjoint(right) or not left | right <= keys:
            return False
        return all(each.kind is wanted.kind and each.silence(wanted.at) <= WAVE for each in (one, other))

    def of_each_other(self, wanted: Wanted, other: Wanted) -> float:
        """Return the affinity of two relations of one article."""
        about = self.subjects.compare(wanted.scope, other.scope)
        tie = _Tie(frozenset({*wanted.via, *other.via}), near=True, same=about.same)
        kind = self._about(self.affinity.of_kinds(wanted.kind, other.kind), about, wanted.kind in _WHOLE)
        return round(self._of_parties(wanted.parties, other.parties, tie) * kind, 4)

    def may_share(self, wanted: Wanted, other: Wanted) -> bool:
        """Two relations of one article are one deal where kind, stage and factuality agree: a package, or one deal told
        twice; else each has its own contract, as have a hub's relations with separate partners.
        """
        groups, others = ({party.group for party in one.parties} for one in (wanted, other))
        if not (groups <= others or others <= groups):
            return False
        if self.subjects.compare(wanted.scope, other.scope).apart:
            return False
        kinds = self.affinity.of_kinds(wanted.kind, other.kind)
        alike = wanted.stage is other.stage and wanted.factuality is other.factuality
        return kinds >= self.affinity.thresholds.same_article and (alike or wanted.kind is other.kind)

    def _of_kinds(self, wanted: Wanted, story: Outline) -> float:
        """The affinity of the kinds; that of the story's other articles counts a little less than its own."""
        others = [self.affinity.of_kinds(wanted.kind, other) * _OTHER_KIND for other in story.kinds]
        kind = max(self.affinity.of_kinds(wanted.kind, story.kind), *others, 0.0)
        return max(kind, self.affinity.thresholds.venture) if wanted.venture and story.venture else kind

    def _about(self, kind: float, about: Likeness, vague: bool) -> float:
        """The affinity of the kinds, as far as both are about the same thing.

        What reports of talks, stakes and mergers name beside the companies tells little, and is no ground to part them.
        """
        limits = self.affinity.thresholds
        if about.towns is False or (about.apart and not vague):
            return kind * limits.apart
        if about.shared:
            return kind + (1 - kind) * limits.shared
        return kind * limits.elsewhere if about.apart or False in {about.wares, about.countries} else kind

    def _of_parties(self, left: Parties, right: Parties, tie: _Tie) -> float:
        limits = self.affinity.thresholds
        exact = {party.key for party in left} & {party.key for party in right}
        others = {party.group: party for party in right if party.key not in exact}
        related = {party.group: party for party in left if party.key not in exact and party.group in others}
        shared, shorter = len(exact) + len(related), min(len(left), len(right))
        if not exact or not _meet(left, right, exact) or shared < limits.parties * shorter:
            return 0.0
        factor = prod(self._of_relatives(party, others[group], tie) for group, party in related.items())
        if shared == len(left) == len(right):
            return factor
        return factor * (limits.subset if shared == shorter else limits.crosswise)

    def _of_relatives(self, one: StoryParty, other: StoryParty, tie: _Tie) -> float:
        """Two companies of a group: alternatives if one stands for the other, else a daughter's deal is her own."""
        limits = self.affinity.thresholds
        if tie.same or not tie.via.isdisjoint({fold_name(one.name), fold_name(other.name)}):
            return limits.daughter
        if other.key not in self._line(one) and one.key not in self._line(other):
            return limits.sibling
        return limits.daughter if tie.near else limits.late_daughter

    def _line(self, party: StoryParty) -> set[str]:
        """The company's own id, and those of its parents up to its group."""
        line, at = {party.key, party.group}, party.key
        while at in self.companies and (parent := self.companies.get(at).parent) and parent not in line:
            line.add(parent)
            at = parent
        return line


def _retold(story: Outline, at: datetime | None) -> Wanted:
    """The story as a relation told at this time."""
    return Wanted(
        story.parties, story.kind, story.stage, Factuality.REPORTED, story.venture, story.via, story.scope, at
    )


def _meet(left: Parties, right: Parties, exact: set[str]) -> bool:
    """Say whether two companies, or two groups, are on both sides."""
    groups = {party.group for party in left} & {party.group for party in right}
    return max(len(exact), len(groups)) >= MIN_PARTIES


def _known_as(parties: Parties, story: Outline) -> tuple[StoryParty, ...]:
    """The story's parties, each as the relation names it where one of the story's articles does so too."""
    named = {party.key for party in story.named}
    own = {party.group: party for party in parties if party.key in named}
    known = {party.key for party in story.parties}
    return tuple(
        own[party.group] if party.group in own and own[party.group].key not in known else party
        for party in story.parties
    )


def _other_venture(one: str | None, other: str | None) -> bool:
    return bool(one and other) and fold_name(one or "") != fold_name(other or "")
