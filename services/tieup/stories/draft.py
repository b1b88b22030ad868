"""What one input record is about to change: stories and assignments as they will be, before anything is applied."""

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import replace

from tieup.events.envelope import EnvelopeSettings, envelope
from tieup.log.base import Change, NewRecord, Output
from tieup.log.topics import ASSIGNMENTS, STORIES
from tieup.model.codec import encode
from tieup.model.story import Assignment, Story, StoryEvent
from tieup.stories.memory import Memory
from tieup.stories.telling import Telling


class Draft:
    """Gathers what a record changes; the memory behind it stays as it is."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._changed: dict[str, Story] = {}
        self._assigned: dict[str, Assignment | None] = {}
        self._events: list[StoryEvent] = []

    @property
    def stories(self) -> Mapping[str, Story]:
        """The stories as they will be."""
        return ChainMap(self._changed, self._memory.stories)  # type: ignore[arg-type]  # only the first is written

    def tell(self, telling: Telling) -> None:
        """Take in a story as it will be, and its event."""
        self._changed[telling.story.id] = telling.story
        if telling.event is not None:
            self._events.append(telling.event)

    def assign(self, assignment: Assignment) -> None:
        """Take in where an article goes."""
        self._assigned[assignment.article_id] = assignment

    def move(self, article_id: str, place: Callable[[str, str | None], str | None]) -> None:
        """Put a remembered article's relations where `place` (article, story so far) says."""
        known = self._assigned.get(article_id) or self._memory.assignments.get(article_id)
        if known is None:
            return
        signature = known.signature or self._memory.duplicates.signature(article_id)
        story_ids = tuple(place(article_id, story_id) for story_id in known.story_ids)
        self._assigned[article_id] = replace(known, story_ids=story_ids, signature=signature)

    def forget(self, assignment_id: str) -> None:
        """Let go of a correction that waited."""
        self._assigned[assignment_id] = None

    def output(self, timestamp: int, settings: EnvelopeSettings) -> Output:
        """Return all of it: events as records, stories and assignments as changes of the state."""
        records: list[NewRecord] = [envelope(event, timestamp, settings) for event in self._events]
        changes = [Change(STORIES, key.encode(), encode(story)) for key, story in self._changed.items()]
        changes += [
            Change(ASSIGNMENTS, key.encode(), None if one is None else encode(one))
            for key, one in self._assigned.items()
        ]
        return Output(tuple(records), tuple(changes))
