"""The outline of a story: what it takes to find it and to tell whether a relation belongs to it.

A story asleep is packed; its outline stays at hand, so that looking for candidates unpacks nothing.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tieup.model.codec import to_millis
from tieup.model.labels import Kind, Stage
from tieup.model.story import Story, StoryParty
from tieup.stories.parties import fold_name


@dataclass(frozen=True, slots=True)
class Outline:
    """A story in outline: `parties` are its own, `named` all that its articles name; `kinds` those of its articles
    beside its own; `via` folded names; `dated` the times of its dated articles, ascending, in milliseconds; `since` the
    time of the first that tells its stage.
    """

    id: str
    parties: tuple[StoryParty, ...]
    named: tuple[StoryParty, ...]
    kind: Kind
    kinds: tuple[Kind, ...]
    stage: Stage
    opened_at: datetime
    updated_at: datetime
    article_count: int
    dated: "array[int]"
    since: datetime
    venture: str | None = None
    via: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    withdrawn: bool = False
    merged_into: str | None = None

    def silence(self, at: datetime | None) -> timedelta:
        """How far the story's nearest dated article is away; nothing is known of undated ones."""
        if at is None:
            return timedelta(0)
        if not self.article_count:
            return abs(at - self.updated_at)
        wanted = to_millis(at)
        place = bisect_left(self.dated, wanted)
        near = self.dated[max(place - 1, 0) : place + 1]
        return timedelta(milliseconds=min((abs(wanted - one) for one in near), default=0))

    def stages(self, stage: Stage, at: datetime | None) -> tuple[Stage, Stage]:
        """The story's stage and this one, told at this time, in the order of time."""
        return (stage, self.stage) if at is not None and at < self.since else (self.stage, stage)


def outline(story: Story, one: Callable[[StoryParty], StoryParty] = lambda party: party) -> Outline:
    """Return the story in outline, of each of its parties the object that `one` gives for it."""
    return Outline(
        id=story.id,
        parties=tuple(map(one, story.parties)),
        named=tuple(map(one, _once(party for article in story.articles for party in article.parties))),
        kind=story.kind,
        kinds=tuple(dict.fromkeys(one.kind for one in story.articles if one.kind is not story.kind)),
        stage=story.stage,
        opened_at=story.opened_at,
        updated_at=story.updated_at,
        article_count=story.article_count if story.articles else 0,
        dated=array("q", sorted(to_millis(one.event_time) for one in story.articles if one.published)),
        since=min((one.event_time for one in story.articles if one.stage is story.stage), default=story.opened_at),
        venture=story.venture,
        via=tuple(fold_name(name) for name in story.via),
        scope=story.scope,
        withdrawn=story.withdrawn,
        merged_into=story.merged_into,
    )


def _once(parties: Iterable[StoryParty]) -> tuple[StoryParty, ...]:
    found: dict[str, StoryParty] = {}
    for party in parties:
        found.setdefault(party.key, party)
    return tuple(found.values())
