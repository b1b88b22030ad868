"""What the story worker remembers: stories by party, assignments, signatures and ties.

All of it follows from the newest record of each key of its two state topics and from nothing else, so that a restore
gives the same memory. What is too old by stream time (the latest event time seen) is dropped from memory.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
        self._stories_by_name: dict[str, dict[str, None]] = {}
        self._ties_by_name: dict[str, dict[str, None]] = {}
        self._signed = SortedList()
        self._assigned = SortedList()
        self._stream_time: datetime | None = None

    @property
    def stream_time(self) -> datetime | None:
        """The latest event time that the worker has seen; None at first."""
        return self._stream_time

    def with_parties(self, parties: Iterable[StoryParty]) -> Sequence[Story]:
        """Return the stories in which at least two of these parties, or companies of their groups, are; by id."""
        parties = tuple(parties)
        votes: Counter[str] = Counter()
        for party in parties:
            votes.update({story_id for name in _names((party,)) for story_id in self._stories_by_name.get(name, ())})
        needed = min(2, len(parties))
        return [self.stories[story_id] for story_id in sorted(votes) if votes[story_id] >= needed]

    def ties_of(self, parties: Iterable[StoryParty], without: str) -> tuple[Tie, ...]:
        """Return the ties that these parties had: background that articles recalled, and other stories; newest last.

        Of the same parties and kind only the newest is given, at most 20 in all.
        """
        parties = tuple(parties)
        names = _names(parties)
        recalling = {article_id for name in names for article_id in self._ties_by_name.get(name, ())}
        ties = [tie for article_id in sorted(recalling) for tie in self.assignments[article_id].ties]
        ties += [
            Tie(one.parties, one.kind, one.stage, one.updated_at, one.id)
            for one in self.with_parties(parties)
            if one.id != without and not one.withdrawn
        ]
        newest: dict[tuple[tuple[str, ...], str], Tie] = {}
        for tie in sorted(ties, key=lambda one: (one.seen_at, one.story_id or "", one.article_id or "")):
            if _joins(tie.parties, names):
                newest[tuple(sorted(party.key for party in tie.parties)), tie.kind] = tie
        return tuple(sorted(newest.values(), key=lambda one: (one.seen_at, one.kind)))[-MAX_TIES:]

    def put_story(self, story: Story) -> None:
        """Take a story in place of its older self."""
        self.drop_story(story.id)
        self.stories[story.id] = story
        for name in _names(story.parties):
            self._stories_by_name.setdefault(name, {})[story.id] = None

    def drop_story(self, story_id: str) -> None:
        """Forget a story."""
        story = self.stories.pop(story_id, None)
        if story is not None:
            _unlist(self._stories_by_name, _names(story.parties), story_id)

    def put_assignment(self, assignment: Assignment) -> None:
        """Take an assignment in place of that of the article's older version, and drop what is now too old.

        Its signature, by far its largest part, is kept only as numbers among the duplicates.
        """
        self.drop_assignment(assignment.article_id)
        self._stream_time = max(assignment.stream_time, self._stream_time or assignment.stream_time)
        self.assignments[assignment.article_id] = replace(assignment, signature=None)
        self._assigned.add((assignment.event_time, assignment.article_id))
        for name in _tied(assignment):
            self._ties_by_name.setdefault(name, {})[assignment.article_id] = None
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
        _unlist(self._ties_by_name, _tied(assignment), article_id)

    def _expire(self, now: datetime) -> None:
        while self._signed and self._signed[0][0] < now - WINDOW:
            self.duplicates.remove(self._signed.pop(0)[1])
        while self._assigned and self._assigned[0][0] < now - REMEMBERED:
            self.drop_assignment(self._assigned[0][1])


def _names(parties: Iterable[StoryParty]) -> set[str]:
    """What a party is found by: its own key and its group's, since groups change with the years."""
    return {name for party in parties for name in (party.key, party.group)}


def _tied(assignment: Assignment) -> set[str]:
    return {name for tie in assignment.ties for name in _names(tie.parties)}


def _joins(parties: Iterable[StoryParty], names: set[str]) -> bool:
    return sum(not names.isdisjoint(_names((party,))) for party in parties) >= 2


def _unlist(index: dict[str, dict[str, None]], names: Iterable[str], key: str) -> None:
    for name in names:
        holders = index.get(name, {})
        holders.pop(key, None)
        if not holders:
            index.pop(name, None)
