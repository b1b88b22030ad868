"""All stories: those awake as they are, those asleep packed small. What is decided never depends on which it is.

A story falls asleep when its newest article is more than 180 days older than the stream's time. Asleep it is a few
compressed bytes, its outline and the pairs that it is found by; asking for it unpacks it, and news of it wakes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import zstandard
from sortedcontainers import SortedList

from tieup.model.codec import decode, encode
from tieup.model.story import Story, StoryParty
from tieup.stories.outline import Outline, outline
from tieup.stories.pairs import Pair, PairIndex, pairs

SLEEP: Final = timedelta(days=180)
_LEVEL: Final = 3
_UNPACKED: Final = 256


class Shelf(Mapping[str, Story]):
    """The stories by id, and by the parties in them."""

    def __init__(self) -> None:
        self._awake: dict[str, Story] = {}
        self._asleep: dict[str, bytes] = {}
        self._unpacked: dict[str, Story] = {}  # of those asleep a few, since one record asks for the same ones again
        self._outlines: dict[str, Outline] = {}
        self._parties: dict[StoryParty, StoryParty] = {}
        self._by_pair = PairIndex()
        self._silent_since = SortedList()
        self._packer = zstandard.ZstdCompressor(level=_LEVEL)
        self._unpacker = zstandard.ZstdDecompressor()

    def __getitem__(self, story_id: str) -> Story:
        story = self._awake.get(story_id) or self._unpacked.get(story_id)
        if story is None:
            story = self._unpack(self._asleep[story_id])
            if len(self._unpacked) >= _UNPACKED:
                self._unpacked.clear()
            self._unpacked[story_id] = story
        return story

    def __iter__(self) -> Iterator[str]:
        yield from self._awake
        yield from self._asleep

    def __len__(self) -> int:
        return len(self._awake) + len(self._asleep)

    def __contains__(self, story_id: object) -> bool:
        return story_id in self._awake or story_id in self._asleep

    @property
    def asleep(self) -> int:
        """How many stories are asleep."""
        return len(self._asleep)

    def with_parties(self, parties: Sequence[StoryParty]) -> list[Outline]:
        """Return in outline the stories in which two of these parties, or companies of their groups, meet; by id."""
        return [self._outlines[story_id] for story_id in sorted(self._by_pair.find(pairs(parties)))]

    def put(self, story: Story, now: datetime | None) -> None:
        """Take a story in place of its older self; it is awake unless it has long been silent, or time is not known."""
        old_pairs = self._taken(story.id)
        new_pairs = pairs(story.parties)
        self._by_pair.remove(story.id, old_pairs - new_pairs)
        self._by_pair.add(story.id, new_pairs - old_pairs)
        self._outlines[story.id] = outline(story, self._one)
        if now is None or story.updated_at < now - SLEEP:
            self._asleep[story.id] = self._pack(story)
        else:
            self._awake[story.id] = story
            self._silent_since.add((story.updated_at, story.id))

    def drop(self, story_id: str) -> None:
        """Forget a story."""
        self._by_pair.remove(story_id, self._taken(story_id))

    def sleep(self, now: datetime) -> None:
        """Let those fall asleep that have been silent for 180 days."""
        while self._silent_since and self._silent_since[0][0] < now - SLEEP:
            _, story_id = self._silent_since.pop(0)
            self._asleep[story_id] = self._pack(self._awake.pop(story_id))

    def _taken(self, story_id: str) -> frozenset[Pair]:
        """Take a story out, but leave it in the index; returns the pairs that it is found by there."""
        known = self._outlines.pop(story_id, None)
        if known is None:
            return frozenset()
        if self._awake.pop(story_id, None) is not None:
            self._silent_since.discard((known.updated_at, story_id))
        self._asleep.pop(story_id, None)
        self._unpacked.pop(story_id, None)
        return pairs(known.parties)

    def _one(self, party: StoryParty) -> StoryParty:
        """Equal parties as the same object, for there are many outlines."""
        return self._parties.setdefault(party, party)

    def _pack(self, story: Story) -> bytes:
        return self._packer.compress(encode(story))

    def _unpack(self, packed: bytes) -> Story:
        return decode(Story, self._unpacker.decompress(packed), "a story asleep")
