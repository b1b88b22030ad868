"""What the story worker remembers: stories by party, assignments, signatures and ties.

All of it follows from the newest record of each key of its two state topics and from nothing else, so that a restore
gives the same memory. What is too old by stream time (the latest event time seen) is dropped from memory.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sortedcontainers import SortedList

from tieup.model.story import Assignment, Story, StoryParty, Tie
from tieup.stories.duplicates import WINDOW, DuplicateIndex

REMEMBERED: Final = timedelta(days=400)
MAX_TIES: Final = 20


class Memory:
    """Stories, assignments, signatures and ties, each under the keys that they are asked by."""

    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self.assignments: dict[str, Assignment] = {}
        self.duplicates = DuplicateIndex()
        self._stories_by_group: dict[str, dict[str, None]] = {}
        self._ties_by_group: dict[str, dict[str, None]] = {}
        self._signed = SortedList()
        self._assigned = SortedList()
        self._stream_time: datetime | None = None

    @property
    def stream_time(self) -> datetime | None:
        """The latest event time that the worker has seen; None at first."""
        return self._stream_time

    def with_parties(self, parties: Iterable[StoryParty]) -> Sequence[Story]:
        """Return the stories that share at least two party groups with these, or the only one, ordered by id."""
        groups = {party.group for party in parties}
        votes: dict[str, int] = {}
        for group in groups:
            for story_id in self._stories_by_group.get(group, ()):
                votes[story_id] = votes.get(story_id, 0) + 1
        needed = min(2, len(groups))
        return [self.stories[story_id] for story_id in sorted(votes) if votes[story_id] >= needed]

    def ties_of(self, parties: Iterable[StoryParty], without: str) -> tuple[Tie, ...]:
        """Return the ties that these parties had: background that articles recalled, and other stories; newest last.

        Of the same parties and kind only the newest is given, at most 20 in all.
        """
        parties = tuple(parties)
        groups = {party.group for party in parties}
        recalled = [
            tie
            for article_id in self._recalling(groups)
            for tie in self.assignments[article_id].ties
            if _joins(tie.parties, groups)
        ]
        told = [
            Tie(one.parties, one.kind, one.stage, one.updated_at, one.id)
            for one in self.with_parties(parties)
            if one.id != without and not one.withdrawn and _joins(one.parties, groups)
        ]
        newest: dict[tuple[tuple[str, ...], str], Tie] = {}
        for tie in sorted([*recalled, *told], key=lambda one: (one.seen_at, one.story_id or "", one.article_id or "")):
            newest[(tuple(sorted(party.group for party in tie.parties)), tie.kind)] = tie
        return tuple(sorted(newest.values(), key=lambda one: (one.seen_at, one.kind)))[-MAX_TIES:]

    def put_story(self, story: Story) -> None:
        """Take a story in place of its older self."""
        self.drop_story(story.id)
        self.stories[story.id] = story
        for group in {party.group for party in story.parties}:
            self._stories_by_group.setdefault(group, {})[story.id] = None

    def drop_story(self, story_id: str) -> None:
        """Forget a story."""
        story = self.stories.pop(story_id, None)
        if story is not None:
            _unlist(self._stories_by_group, {party.group for party in story.parties}, story_id)

    def put_assignment(self, assignment: Assignment) -> None:
        """Take an assignment in place of that of the article's older version, and drop what is now too old."""
        self.drop_assignment(assignment.article_id)
        self._stream_time = max(assignment.stream_time, self._stream_time or assignment.stream_time)
        self.assignments[assignment.article_id] = assignment
        self._assigned.add((assignment.event_time, assignment.article_id))
        for group in _groups(assignment):
            self._ties_by_group.setdefault(group, {})[assignment.article_id] = None
        if assignment.signature is not None:
            self.duplicates.add(assignment.article_id, assignment.event_time, assignment.signature)
            self._signed.add((assignment.event_time, assignment.article_id))
        self._expire(self._stream_time)

    def drop_assignment(self, article_id: str) -> None:
        """Forget where an article went, its signature and its ties."""
        assignment = self.assignments.pop(article_id, None)
        if assignment is None:
            return
        self._assigned.discard((assignment.event_time, article_id))
        self._signed.discard((assignment.event_time, article_id))
        self.duplicates.remove(article_id)
        _unlist(self._ties_by_group, _groups(assignment), article_id)

    def _expire(self, now: datetime) -> None:
        while self._signed and self._signed[0][0] < now - WINDOW:
            self.duplicates.remove(self._signed.pop(0)[1])
        while self._assigned and self._assigned[0][0] < now - REMEMBERED:
            self.drop_assignment(self._assigned[0][1])

    def _recalling(self, groups: set[str]) -> list[str]:
        return sorted({article_id for group in groups for article_id in self._ties_by_group.get(group, ())})


def _groups(assignment: Assignment) -> set[str]:
    return {party.group for tie in assignment.ties for party in tie.parties}


def _joins(parties: Iterable[StoryParty], groups: set[str]) -> bool:
    return len({party.group for party in parties} & groups) >= 2


def _unlist(index: dict[str, dict[str, None]], groups: Iterable[str], key: str) -> None:
    for group in groups:
        holders = index.get(group, {})
        holders.pop(key, None)
        if not holders:
            index.pop(group, None)
