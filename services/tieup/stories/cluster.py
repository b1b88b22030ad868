"""Which story a relation belongs to.

Candidates come from an index by party group, never all against all. The affinity of a relation and a story is the
product of how well the parties agree, how well the kinds agree, and how long the story has been silent; the best
candidate from the threshold on is taken, else the relation opens a story.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tieup.ids import derive_id
from tieup.model.labels import Focus, Kind
from tieup.model.relation import ArticleRelations
from tieup.model.story import Story, StoryParty
from tieup.stories.affinity import Affinity
from tieup.stories.parties import Companies, fold_name, overlap, story_parties
from tieup.stories.statements import by_weight, is_tie

MIN_PARTIES = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A relation whose story is looked for. `at` is None where the article bears no date of its own."""

    parties: tuple[StoryParty, ...]
    kind: Kind
    venture: str | None
    at: datetime | None


class Candidates(Protocol):
    """The stories in memory, by party."""

    def with_parties(self, parties: Iterable[StoryParty]) -> Sequence[Story]:
        """Return the stories that share a party group, ordered by id."""


def assign(
    found: ArticleRelations, memory: Candidates, companies: Companies, affinity: Affinity, before: Sequence[str] = ()
) -> tuple[str | None, ...]:
    """Return the story id of each relation of the article, None for background; an unknown id opens that story.

    Relations are taken by weight, the main one first. `before` are the stories of the article's older version, which
    keep their relations where they fit.
    """
    assigned: dict[int, str] = {}
    openings: dict[str, Wanted] = {}
    kinds: dict[str, Kind] = {}
    for at in by_weight(found.relations):
        relation = found.relations[at]
        if relation.focus is not Focus.NEWS or not is_tie(relation, companies):
            continue
        parties = story_parties(relation.parties, companies)
        wanted = Wanted(parties, relation.kind, relation.venture, found.published and found.event_time)
        stories = [one for one in memory.with_parties(parties) if one.merged_into is None]
        scored = [(score_story(wanted, one, affinity), one.id in before, one.id) for one in stories]
        scored += [(_score(wanted, one, affinity), False, story_id) for story_id, one in openings.items()]
        fitting = [
            one for one in scored if one[0] >= affinity.thresholds.join and _may_share(wanted, one[2], kinds, affinity)
        ]
        if fitting:
            assigned[at] = min(fitting, key=lambda one: (-one[1], -one[0], one[2]))[2]
        else:
            assigned[at] = _new_id(found.article_id, wanted, at)
            openings[assigned[at]] = wanted
        kinds.setdefault(assigned[at], relation.kind)
    return tuple(assigned.get(at) for at in range(len(found.relations)))


def score_story(wanted: Wanted, story: Story, affinity: Affinity) -> float:
    """Return the affinity of a relation and a story, between 0 and 1."""
    parties = _party_factor(wanted.parties, story.parties, affinity)
    if not parties or _other_venture(wanted.venture, story.venture):
        return 0.0
    kind = affinity.of_kinds(wanted.kind, story.kind)
    others = {one.kind for one in story.articles} - {story.kind}
    kind = max([kind, *(affinity.of_kinds(wanted.kind, other) * 0.9 for other in others)])
    return round(parties * kind * affinity.of_age(story.stage, _silence(wanted.at, story)), 4)


def _score(wanted: Wanted, opened: Wanted, affinity: Affinity) -> float:
    parties = _party_factor(wanted.parties, opened.parties, affinity)
    return round(parties * affinity.of_kinds(wanted.kind, opened.kind), 4)


def _party_factor(left: Sequence[StoryParty], right: Sequence[StoryParty], affinity: Affinity) -> float:
    exact, sisters = overlap(left, right)
    if exact + sisters < MIN_PARTIES or exact == 0:
        return 0.0
    factor = affinity.thresholds.sister**sisters
    return factor if exact + sisters == len(left) == len(right) else factor * affinity.thresholds.subset


def _other_venture(one: str | None, other: str | None) -> bool:
    return bool(one and other) and fold_name(one or "") != fold_name(other or "")


def _silence(at: datetime | None, story: Story) -> timedelta:
    if at is None:
        return timedelta(0)
    return max(at - story.updated_at, story.opened_at - at, timedelta(0))


def _may_share(wanted: Wanted, story_id: str, kinds: dict[str, Kind], affinity: Affinity) -> bool:
    """Two relations of one article, each with its own kind, are two deals."""
    taken = kinds.get(story_id)
    return taken is None or affinity.of_kinds(wanted.kind, taken) >= affinity.thresholds.same_article


def _new_id(article_id: str, wanted: Wanted, at: int) -> str:
    return derive_id("story", article_id, *sorted(party.key for party in wanted.parties), wanted.kind, str(at))
