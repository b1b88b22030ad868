"""What the story worker remembers: stories by party, assignments, signatures, ties, and corrections that wait.

All of it follows from the newest record of each key of its two state topics and from nothing else, so that a restore
gives the same memory. What is too old by stream time (the latest event time seen) is dropped from memory, or sleeps.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sortedcontainers import SortedList

from tieup.model.story import Assignment, Correction, Story, StoryParty, Tie
from tieup.stories.duplicates import WINDOW, DuplicateIndex
from tieup.stories.outline import Outline
from tieup.stories.pairs import Pair, pairs
from tieup.stories.shelf import Shelf

REMEMBERED: Final = timedelta(days=400)
MAX_TIES: Final = 20
MAX_RECALLING: Final = 50


class Memory:
    """Stories, assignments, signatures and ties, each under the keys that they are asked by."""

    def __init__(self) -> None:
        self.stories = Shelf()
        self.assignments: dict[str, Assignment] = {}
        self.duplicates = DuplicateIndex()
        self._waiting: dict[str, Correction] = {}
        self._ties: dict[Pair, list[tuple[datetime, str]]] = {}
        self._signed = SortedList()
        self._assigned = SortedList()
        self._stream_time: datetime | None = None

    @property
    def stream_time(self) -> datetime | None:
        """The latest event time that the worker has seen; None at first."""
        return self._stream_time

    @property
    def waiting(self) -> tuple[Correction, ...]:
        """The corrections that wait for what they name, in the order in which the operator gave them."""
        return tuple(sorted(self._waiting.values(), key=lambda one: (one.at, one.id)))

    def with_parties(self, parties: Sequence[StoryParty]) -> Sequence[Outline]:
        """Return in outline the stories in which two of these parties, or companies of their groups, meet; by id."""
        return self.stories.with_parties(parties)

    def leads_to(self, story_id: str) -> str:
        """Return the story that this one was merged into in the end; itself if it was not."""
        seen = {story_id}
        while story_id in self.stories and (into := self.stories[story_id].merged_into) and into not in seen:
            seen.add(into)
            story_id = into
        return story_id

    def are_apart(self, one: str, other: str) -> bool:
        """Say whether two stories were told apart: by an article that is in both, or by an operator who split them."""
        left, right = self.stories[one], self.stories[other]
        if one in right.split_from or other in left.split_from:
            return True
        return not {article.article_id for article in left.articles}.isdisjoint(
            article.article_id for article in right.articles
        )

    def ties_of(self, parties: Sequence[StoryParty], without: str) -> tuple[Tie, ...]:
        """Return the ties that these parties had: background that articles recalled, and other stories; newest last.

        Of the same parties and kind only the newest is given, at most 20 in all. Of each pair the fifty articles that
        recalled it last are looked at.
        """
        among = pairs(parties)
        recalling = {article_id for pair in among for _, article_id in self._newest(pair)}
        ties = [
            tie
            for article_id in sorted(recalling)
            for tie in self.assignments[article_id].ties
            if not among.isdisjoint(pairs(tie.parties))
        ]
        ties += [
            Tie(one.parties, one.kind, one.stage, one.updated_at, one.id)
            for one in self.with_parties(parties)
            if one.id != without and not one.withdrawn and one.merged_into is None
        ]
        newest: dict[tuple[tuple[str, ...], str], Tie] = {}
        for tie in sorted(ties, key=lambda one: (one.seen_at, one.story_id or "", one.article_id or "")):
            newest[tuple(sorted(party.key for party in tie.parties)), tie.kind] = tie
        return tuple(sorted(newest.values(), key=lambda one: (one.seen_at, one.kind)))[-MAX_TIES:]

    def put_story(self, story: Story) -> None:
        """Take a story in place of its older self."""
        self.stories.put(story, self._stream_time)

    def drop_story(self, story_id: str) -> None:
        """Forget a story."""
        self.stories.drop(story_id)

    def put_assignment(self, assignment: Assignment) -> None:
        """Take an assignment in place of that of the article's older version, and drop what is now too old.

        Its signature, by far its largest part, is kept only as numbers among the duplicates. A correction that waits
        was given by the clock, which moves no stream time.
        """
        self.drop_assignment(assignment.article_id)
        if assignment.waiting is not None:
            self._waiting[assignment.article_id] = assignment.waiting
            return
        self._stream_time = max(assignment.stream_time, self._stream_time or assignment.stream_time)
        self.assignments[assignment.article_id] = replace(assignment, signature=None)
        at = (assignment.event_time, assignment.article_id)
        self._assigned.add(at)
        for pair in _tied(assignment):
            insort(self._ties.setdefault(pair, []), at)
        if assignment.signature is not None:
            self.duplicates.add(assignment.article_id, assignment.event_time, assignment.signature)
            self._signed.add(at)
        self._expire(self._stream_time)

    def drop_assignment(self, article_id: str) -> None:
        """Forget where an article went, its signature and its ties; or a correction that waited."""
        self._waiting.pop(article_id, None)
        assignment = self.assignments.pop(article_id, None)
        if assignment is None:
            return
        at = (assignment.event_time, article_id)
        self._assigned.discard(at)
        self._signed.discard(at)
        self.duplicates.remove(article_id)
        for pair in _tied(assignment):
            self._ties[pair].remove(at)
            if not self._ties[pair]:
                del self._ties[pair]

    def _newest(self, pair: Pair) -> Iterator[tuple[datetime, str]]:
        return islice(reversed(self._ties.get(pair, ())), MAX_RECALLING)

    def _expire(self, now: datetime) -> None:
        while self._signed and self._signed[0][0] < now - WINDOW:
            self.duplicates.remove(self._signed.pop(0)[1])
        while self._assigned and self._assigned[0][0] < now - REMEMBERED:
            self.drop_assignment(self._assigned[0][1])
        self.stories.sleep(now)


def _tied(assignment: Assignment) -> frozenset[Pair]:
    return frozenset(pair for tie in assignment.ties for pair in pairs(tie.parties))
