"""The operator's hand: a story split, merged into another, or freed of what articles say.

A correction moves or removes articles; the labels are then folded anew. What changes by that is told as
`story.corrected`, for the error was ours; a story taken out of another opens; one that was merged says where it leads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tieup.errors import BadRecord
from tieup.ids import derive_id
from tieup.model.labels import EventType
from tieup.model.story import Action, Correction, EventChange, Story, StoryArticle, StoryClaim, StoryParty, Tie
from tieup.stories.changes import Step, changes, event_type
from tieup.stories.lifecycle import fold
from tieup.stories.merging import MAX_RETRACTED, absorbed, redirected
from tieup.stories.report import Occasion, Reporter, correction_occasion, with_moment
from tieup.stories.telling import Telling, fit, labels_of, next_story

Stories = Mapping[str, Story]
TiesWithout = Callable[[tuple[StoryParty, ...], str], tuple[Tie, ...]]
_Parts = tuple[tuple[StoryArticle, ...], tuple[StoryClaim, ...]]


def check(correction: Correction) -> None:
    """Raise BadRecord if the correction can never be carried out."""
    place = f"correction {correction.id}"
    if correction.action is Action.MERGE:
        if correction.into_story_id is None or correction.into_story_id == correction.story_id:
            raise BadRecord(f"{place}: a merge needs another story to go into")
    elif not correction.article_ids:
        raise BadRecord(f"{place}: a {correction.action} needs articles")


def is_due(correction: Correction, stories: Stories) -> bool:
    """Say whether all that the correction names is there, so that it can be carried out."""
    story = stories.get(correction.story_id)
    if story is None or story.merged_into is not None:
        return False
    if correction.action is Action.MERGE:
        into = stories.get(correction.into_story_id or "")
        return into is not None and into.merged_into is None and bool(story.articles)
    own = {one.article_id for one in story.articles}
    named = set(correction.article_ids)
    return named <= own and (correction.action is Action.RETRACT or named < own)


def correct(correction: Correction, stories: Stories, ties: TiesWithout, reporter: Reporter) -> list[Telling]:
    """Return the stories after the correction, each with its event if it changed; the correction is due."""
    story = stories[correction.story_id]
    how = _Hand(correction, ties, reporter)
    if correction.action is Action.MERGE:
        return how.merge(story, stories[correction.into_story_id or ""])
    if correction.action is Action.SPLIT:
        return how.split(story)
    return how.retract(story)


class _Hand:
    """One correction under way."""

    def __init__(self, correction: Correction, ties: TiesWithout, reporter: Reporter) -> None:
        self._correction = correction
        self._ties = ties
        self._reporter = reporter

    def split(self, story: Story) -> list[Telling]:
        taken, left = self._parted(story)
        own_id = split_id(self._correction)
        occasion = correction_occasion(self._correction, taken[0][0])
        opened = self._opened(own_id, taken, occasion, story.id)
        return [self._corrected(story, left, occasion), opened]

    def merge(self, story: Story, into: Story) -> list[Telling]:
        occasion = correction_occasion(self._correction, story.articles[-1])
        grown = absorbed(into, story)
        gone = redirected(story, into.id, occasion, self._ties(story.parties, story.id), self._reporter)
        return [gone, self._refolded(into, grown, (grown.articles, grown.claims), occasion)]

    def retract(self, story: Story) -> list[Telling]:
        taken, left = self._parted(story)
        occasion = correction_occasion(self._correction, taken[0][-1])
        retracted = tuple(dict.fromkeys((*story.retracted, *self._correction.article_ids)))[-MAX_RETRACTED:]
        return [self._corrected(replace(story, retracted=retracted), left, occasion)]

    def _parted(self, story: Story) -> tuple[_Parts, _Parts]:
        named = frozenset(self._correction.article_ids)
        return _part(story, lambda article_id: article_id in named), _part(
            story, lambda article_id: article_id not in named
        )

    def _corrected(self, story: Story, left: _Parts, occasion: Occasion) -> Telling:
        gone = [one for one in story.articles if one not in left[0]]
        fewer = replace(
            story,
            article_count=story.article_count - len(gone),
            rewrites=story.rewrites - sum(one.rewrite for one in gone),
        )
        return self._refolded(story, fewer, left, occasion)

    def _refolded(self, before: Story, counted: Story, parts: _Parts, occasion: Occasion) -> Telling:
        old = labels_of(before)
        new = fold(*parts) if parts[0] else old
        step = Step(old, new, withdrawn=True, left=bool(parts[0]), corroborated_at=before.corroborated_at)
        story = next_story(counted, before.id, step, *parts)
        kind = event_type(step)
        if kind is None:
            return Telling(fit(story), None)
        return self._told(replace(story, revision=story.revision + 1), kind, changes(step), occasion)

    def _opened(self, story_id: str, parts: _Parts, occasion: Occasion, split_from: str) -> Telling:
        step = Step(None, fold(*parts))
        rewrites = sum(one.rewrite for one in parts[0])
        story = replace(
            next_story(None, story_id, step, *parts),
            article_count=len(parts[0]),
            rewrites=rewrites,
            revision=1,
            split_from=(split_from,),
        )
        return self._told(story, event_type(step) or EventType.OPENED, changes(step), occasion)

    def _told(self, story: Story, kind: EventType, changed: Sequence[EventChange], occasion: Occasion) -> Telling:
        ties = self._ties(story.parties, story.id)
        event = self._reporter.event(story, kind, changed, occasion, ties)
        return Telling(fit(with_moment(story, event)), event)


def split_id(correction: Correction) -> str:
    """Return the id of the story that a split takes out: it follows from the correction alone."""
    return derive_id("story", correction.id)


def moved(correction: Correction, article_id: str, story_id: str | None) -> str | None:
    """Return where a relation of the article now belongs that was in this story."""
    if story_id != correction.story_id or correction.action is not Action.SPLIT:
        return story_id
    return split_id(correction) if article_id in correction.article_ids else story_id


def _part(story: Story, wanted: Callable[[str], bool]) -> _Parts:
    return (
        tuple(one for one in story.articles if wanted(one.article_id)),
        tuple(one for one in story.claims if wanted(one.article_id)),
    )
