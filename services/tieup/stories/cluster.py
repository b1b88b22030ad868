"""Which story a relation belongs to.

Candidates come from an index by party group, never all against all. The affinity of a relation and a story is the
product of how well the parties agree, how well the kinds agree, and how long the story has been silent; the best
candidate from the threshold on is taken, else the relation opens a story.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from tieup.ids import derive_id
from tieup.model.labels import Factuality, Focus, Kind, Stage
from tieup.model.relation import ArticleRelations, Relation
from tieup.model.story import Story, StoryParty
from tieup.stories.affinity import Affinity
from tieup.stories.parties import Companies, fold_name, overlap, story_parties
from tieup.stories.statements import by_weight, is_tie, year_of

MIN_PARTIES = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A relation whose story is looked for. `at` is None where the article bears no date of its own."""

    parties: tuple[StoryParty, ...]
    kind: Kind
    stage: Stage
    factuality: Factuality
    venture: str | None
    at: datetime | None


class Candidates(Protocol):
    """The stories in memory, by party."""

    def with_parties(self, parties: Sequence[StoryParty]) -> Sequence[Story]:
        """Return the stories in which two of these parties, or companies of their groups, meet; by id."""

    def leads_to(self, story_id: str) -> str:
        """Return the story that this one was merged into in the end; itself if it was not."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A story that a relation fits: `kept` where the article's older version, or its original, is in it."""

    story_id: str
    score: float
    kept: bool
    articles: int
    opened_at: datetime


def assign(
    found: ArticleRelations, memory: Candidates, companies: Companies, affinity: Affinity, before: Sequence[str] = ()
) -> tuple[str | None, ...]:
    """Return the story id of each relation of the article, None for background; an unknown id opens that story.

    An article without any news is put to the story that its main relation recalls, if there is one: it is found there,
    and adds nothing to it. Relations are taken by weight, the main one first. `before` are the stories of the article's
    older version, or of the article that it copies; relations stay there where they fit.
    """
    assigned: dict[int, str] = {}
    first: dict[str, Wanted] = {}
    for at in by_weight(found.relations):
        relation = found.relations[at]
        if relation.focus is not Focus.NEWS or not is_tie(relation, companies):
            continue
        wanted = _wanted(found, relation, companies)
        stories = memory.with_parties(wanted.parties)
        fits = _fits(wanted, stories, memory, affinity, before) + _fits_beside(
            wanted, first, found.event_time, affinity
        )
        best = min(
            (one for one in fits if _may_share(wanted, first.get(one.story_id), affinity)), key=_rank, default=None
        )
        assigned[at] = _new_id(found.article_id, wanted, at) if best is None else best.story_id
        first.setdefault(assigned[at], wanted)
    if not assigned:
        assigned = _recalled(found, memory, companies, affinity)
    return tuple(assigned.get(at) for at in range(len(found.relations)))


def _recalled(found: ArticleRelations, memory: Candidates, companies: Companies, affinity: Affinity) -> dict[int, str]:
    """The story that an article without news recalls: that of its main relation, if it is known.

    The parties must be the same, of none more and of none fewer groups; age does not count.
    """
    for at in by_weight(found.relations):
        relation = found.relations[at]
        if is_tie(relation, companies):
            wanted = replace(_wanted(found, relation, companies), at=None)
            groups = {party.group for party in wanted.parties}
            same = [
                one for one in memory.with_parties(wanted.parties) if groups == {party.group for party in one.parties}
            ]
            best = min(_fits(wanted, same, memory, affinity, ()), key=_rank, default=None)
            return {} if best is None else {at: best.story_id}
    return {}


def _wanted(found: ArticleRelations, relation: Relation, companies: Companies) -> Wanted:
    at = found.event_time if found.published else None
    parties = story_parties(relation.parties, companies, year_of(found))
    return Wanted(parties, relation.kind, relation.stage, relation.factuality, relation.venture, at)


def _fits(
    wanted: Wanted, stories: Sequence[Story], memory: Candidates, affinity: Affinity, before: Sequence[str]
) -> list[Fit]:
    """The stories that the relation fits; what fits one that was merged goes where it leads."""
    found = []
    for one in stories:
        score = score_story(wanted, one, affinity)
        if score >= affinity.thresholds.join:
            into = one.id if one.merged_into is None else memory.leads_to(one.id)
            found.append(Fit(into, score, into in before, one.article_count, one.opened_at))
    return found


def _fits_beside(wanted: Wanted, first: Mapping[str, Wanted], at: datetime, affinity: Affinity) -> list[Fit]:
    """The stories that the article has already been put to, by its own earlier relation."""
    fits = [Fit(story_id, _score(wanted, one, affinity), False, 0, at) for story_id, one in first.items()]
    return [one for one in fits if one.score >= affinity.thresholds.join]


def _rank(fit: Fit) -> tuple[bool, float, int, datetime, str]:
    """The best fit is the least: kept first, then by affinity, then the larger story, then the older."""
    return (not fit.kept, -fit.score, -fit.articles, fit.opened_at, fit.story_id)


def score_story(wanted: Wanted, story: Story, affinity: Affinity) -> float:
    """Return the affinity of a relation and a story, between 0 and 1."""
    parties = _party_factor(wanted.parties, _known_as(wanted.parties, story), affinity)
    if not parties or _other_venture(wanted.venture, story.venture):
        return 0.0
    kind = affinity.of_kinds(wanted.kind, story.kind)
    others = {one.kind for one in story.articles} - {story.kind}
    kind = max([kind, *(affinity.of_kinds(wanted.kind, other) * 0.9 for other in others)])
    stage = affinity.of_stages(story.stage, wanted.stage)
    return round(parties * kind * stage * affinity.of_age(story.stage, _silence(wanted.at, story)), 4)


def _known_as(parties: Sequence[StoryParty], story: Story) -> tuple[StoryParty, ...]:
    """The story's parties, each as the relation names it where one of the story's articles does so too."""
    named = {party.key: party for article in story.articles for party in article.parties}
    own = {party.group: party for party in parties if party.key in named}
    known = {party.key for party in story.parties}
    return tuple(
        own[party.group] if party.group in own and own[party.group].key not in known else party
        for party in story.parties
    )


def _score(wanted: Wanted, opened: Wanted, affinity: Affinity) -> float:
    parties = _party_factor(wanted.parties, opened.parties, affinity)
    return round(parties * affinity.of_kinds(wanted.kind, opened.kind), 4)


def _party_factor(left: Sequence[StoryParty], right: Sequence[StoryParty], affinity: Affinity) -> float:
    exact, sisters = overlap(left, right)
    shared = exact + sisters
    groups = {party.group for party in left} & {party.group for party in right}
    if exact == 0 or max(exact, len(groups)) < MIN_PARTIES:
        return 0.0
    if shared < affinity.thresholds.parties * min(len(left), len(right)):
        return 0.0
    factor = affinity.thresholds.sister**sisters
    return factor if shared == len(left) == len(right) else factor * affinity.thresholds.subset


def _other_venture(one: str | None, other: str | None) -> bool:
    return bool(one and other) and fold_name(one or "") != fold_name(other or "")


def _silence(at: datetime | None, story: Story) -> timedelta:
    """How far the story's nearest dated article is away; nothing is known of undated ones."""
    if at is None:
        return timedelta(0)
    if not story.articles:
        return abs(at - story.updated_at)
    return min((abs(at - one.event_time) for one in story.articles if one.published), default=timedelta(0))


def _may_share(wanted: Wanted, other: Wanted | None, affinity: Affinity) -> bool:
    """Two relations of one article are one deal where kind, stage and factuality agree: a package, or one deal told
    twice; else each has its own contract, as have a hub's relations with separate partners.
    """
    if other is None:
        return True
    groups, others = ({party.group for party in one.parties} for one in (wanted, other))
    if not (groups <= others or others <= groups):
        return False
    kinds = affinity.of_kinds(wanted.kind, other.kind)
    alike = wanted.stage is other.stage and wanted.factuality is other.factuality
    return kinds >= affinity.thresholds.same_article and (alike or wanted.kind is other.kind)


def _new_id(article_id: str, wanted: Wanted, at: int) -> str:
    return derive_id("story", article_id, *sorted(party.key for party in wanted.parties), wanted.kind, str(at))
