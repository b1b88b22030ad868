"""What is held back for a digest, by endpoint and subscription; finding what is due costs nothing for what is not."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sortedcontainers import SortedDict, SortedList

from tieup.model.delivery import DeliveryProgress

HeldKey = tuple[str, str]  # endpoint, subscription
StoryKey = tuple[str, str]  # endpoint, story
MAX_MEMBERS: Final = 100


class Held:
    """The deliveries that wait for a digest."""

    def __init__(self) -> None:
        self._held: dict[HeldKey, SortedDict] = {}  # (due, sequence) -> progress
        self._order: SortedList = SortedList()  # (earliest due, HeldKey)
        self._stories: dict[StoryKey, dict[str, DeliveryProgress]] = {}
        self._counts: dict[str, int] = {}

    def count(self, endpoint_id: str) -> int:
        """How many are held for an endpoint."""
        return self._counts.get(endpoint_id, 0)

    def busy(self) -> int:
        """For how many endpoints something is held."""
        return len(self._counts)

    def earliest(self, endpoint_id: str, subscription_id: str) -> datetime | None:
        """Return when the first of a subscription's held messages goes out."""
        held = self._held.get((endpoint_id, subscription_id))
        if held is None:
            return None
        due_at: datetime = held.peekitem(0)[0][0]
        return due_at

    def of_story(self, endpoint_id: str, story_id: str) -> list[DeliveryProgress]:
        """Return what is held of a story for an endpoint, in its order."""
        found = self._stories.get((endpoint_id, story_id), {})
        return sorted(found.values(), key=lambda one: one.sequence)

    def due(self, now: datetime, limit: int) -> Iterator[list[DeliveryProgress]]:
        """Yield, for up to `limit` subscriptions, the deliveries whose time has come, in their order."""
        for earliest, key in self._order.islice(0, limit):
            if earliest > now:
                return
            due = [one for (due_at, _), one in self._held[key].items() if due_at <= now]
            yield sorted(due, key=lambda one: one.sequence)[:MAX_MEMBERS]

    def put(self, progress: DeliveryProgress) -> None:
        """Hold a delivery."""
        key, story = _key(progress), _story(progress)
        held = self._held.setdefault(key, SortedDict())
        if held:
            self._order.remove((held.peekitem(0)[0][0], key))
        held[progress.due_at, progress.sequence] = progress
        self._order.add((held.peekitem(0)[0][0], key))
        self._stories.setdefault(story, {})[progress.id] = progress
        self._counts[key[0]] = self.count(key[0]) + 1

    def remove(self, progress: DeliveryProgress) -> None:
        """Hold it no longer."""
        key, story = _key(progress), _story(progress)
        held = self._held[key]
        self._order.remove((held.peekitem(0)[0][0], key))
        del held[progress.due_at, progress.sequence]
        if held:
            self._order.add((held.peekitem(0)[0][0], key))
        else:
            del self._held[key]
        del self._stories[story][progress.id]
        if not self._stories[story]:
            del self._stories[story]
        self._counts[key[0]] -= 1
        if not self._counts[key[0]]:
            del self._counts[key[0]]


def _key(progress: DeliveryProgress) -> HeldKey:
    subscriptions = () if progress.delivery is None else progress.delivery.subscription_ids
    return progress.endpoint_id, subscriptions[0] if subscriptions else ""


def _story(progress: DeliveryProgress) -> StoryKey:
    return progress.endpoint_id, "" if progress.delivery is None else progress.delivery.story_id
