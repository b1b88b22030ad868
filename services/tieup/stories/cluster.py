"""Which story a relation belongs to.

Candidates come from an index by pairs of parties, never all against all. Of those that are like enough (`likeness`) the
best is taken, else the relation opens a story.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from tieup.ids import derive_id
from tieup.model.labels import Focus
from tieup.model.relation import ArticleRelations, Relation
from tieup.model.story import StoryParty
from tieup.stories.likeness import Judge, Wanted
from tieup.stories.outline import Outline
from tieup.stories.parties import Companies, fold_name, story_parties
from tieup.stories.statements import by_weight, is_tie, year_of


class Candidates(Protocol):
    """The stories in memory, by party."""

    def with_parties(self, parties: Sequence[StoryParty]) -> Sequence[Outline]:
        """Return the stories in which two of these parties, or companies of their groups, meet; by id."""

    def leads_to(self, story_id: str) -> str:
        """Return the story that this one was merged into in the end; itself if it was not."""

    def are_apart(self, one: str, other: str) -> bool:
        """Say whether two stories were told apart: by an article that is in both, or by an operator who split them."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A story that a relation fits: `kept` where the article's older version, or its original, is in it."""

    story_id: str
    score: float
    kept: bool
    articles: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an article's relations go: the story id of each, None for background; an unknown id opens that story.

    `merged` are stories that prove to be one deal by the article: each id with that of the story which it goes into.
    """

    story_ids: tuple[str | None, ...]
    merged: tuple[tuple[str, str], ...] = ()


def assign(found: ArticleRelations, memory: Candidates, judge: Judge, before: Sequence[str] = ()) -> Placed:
    """Return where the article's relations go.

    An article without any news is put to the story that its main relation recalls, if there is one: it is found there,
    and adds nothing to it. Relations are taken by weight, the main one first. `before` are the stories of the article's
    older version, or of the article that it copies; relations stay there where they fit.
    """
    assigned: dict[int, str] = {}
    first: dict[str, Wanted] = {}
    merged: dict[str, str] = {}
    for at in by_weight(found.relations):
        relation = found.relations[at]
        if relation.focus is not Focus.NEWS or not is_tie(relation, judge.companies):
            continue
        wanted = as_wanted(found, relation, judge.companies)
        stories = memory.with_parties(wanted.parties)
        fits = _fits(wanted, stories, memory, judge, before) + _beside(wanted, first, found.event_time, judge)
        free = [one for one in fits if one.story_id not in first or judge.may_share(wanted, first[one.story_id])]
        story_id = min(free, key=_rank).story_id if free else _new_id(found.article_id, wanted, at)
        fitting = {one.story_id for one in fits}.difference(first)
        gone = _bridged(story_id, [one for one in stories if one.id in fitting], wanted, memory, judge)
        assigned[at] = gone.pop(story_id, story_id)
        merged |= gone
        first.setdefault(assigned[at], wanted)
    if not assigned:
        assigned = _recalled(found, memory, judge)
    return Placed(tuple(assigned.get(at) for at in range(len(found.relations))), tuple(merged.items()))


def _bridged(
    story_id: str, fitting: Sequence[Outline], wanted: Wanted, memory: Candidates, judge: Judge
) -> dict[str, str]:
    """Return the younger of two stories with the elder: the one that the relation goes to, and the first of those that
    it fits too and that is one deal with it, seen from the relation.
    """
    best = next((one for one in fitting if one.id == story_id), None)
    for other in fitting if best else ():
        if best is None or other is best or memory.are_apart(best.id, other.id):
            continue
        if judge.are_one(best, other, wanted.at) or judge.are_parts(best, other, wanted):
            elder, younger = sorted((best, other), key=lambda one: (one.opened_at, one.id))
            return {younger.id: elder.id}
    return {}


def _recalled(found: ArticleRelations, memory: Candidates, judge: Judge) -> dict[int, str]:
    """The story that an article without news recalls: that of its main relation, if it is known.

    The parties must be the same, of none more and of none fewer groups; age does not count.
    """
    for at in by_weight(found.relations):
        relation = found.relations[at]
        if is_tie(relation, judge.companies):
            wanted = replace(as_wanted(found, relation, judge.companies), at=None)
            groups = {party.group for party in wanted.parties}
            same = [
                one for one in memory.with_parties(wanted.parties) if groups == {party.group for party in one.parties}
            ]
            best = min(_fits(wanted, same, memory, judge, ()), key=_rank, default=None)
            return {} if best is None else {at: best.story_id}
    return {}


def as_wanted(found: ArticleRelations, relation: Relation, companies: Companies) -> Wanted:
    """Return a relation of the article as one whose story is looked for."""
    at = found.event_time if found.published else None
    parties = story_parties(relation.parties, companies, year_of(found))
    via = tuple(map(fold_name, relation.via))
    return Wanted(
        parties, relation.kind, relation.stage, relation.factuality, relation.venture, via, relation.scope, at
    )


def _fits(
    wanted: Wanted, stories: Sequence[Outline], memory: Candidates, judge: Judge, before: Sequence[str]
) -> list[Fit]:
    """The stories that the relation fits; what fits one that was merged goes where it leads."""
    found = []
    for one in stories:
        score = judge.of_story(wanted, one)
        if score >= judge.affinity.thresholds.join:
            into = one.id if one.merged_into is None else memory.leads_to(one.id)
            found.append(Fit(into, score, into in before, one.article_count, one.opened_at))
    return found


def _beside(wanted: Wanted, first: Mapping[str, Wanted], at: datetime, judge: Judge) -> list[Fit]:
    """The stories that the article has already been put to, by its own earlier relation."""
    fits = [Fit(story_id, judge.of_each_other(wanted, one), False, 0, at) for story_id, one in first.items()]
    return [one for one in fits if one.score >= judge.affinity.thresholds.join]


def _rank(fit: Fit) -> tuple[bool, float, int, datetime, str]:
    """The best fit is the least: kept first, then by affinity, then the larger story, then the older."""
    return (not fit.kept, -fit.score, -fit.articles, fit.opened_at, fit.story_id)


def _new_id(article_id: str, wanted: Wanted, at: int) -> str:
    return derive_id("story", article_id, *sorted(party.key for party in wanted.parties), wanted.kind, str(at))
