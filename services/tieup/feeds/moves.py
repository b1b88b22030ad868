"""Which feeds have moved to where another wanted feed is: one of them is asked, the others are not."""

from collections.abc import Container

from tieup.feeds.registry import feed_id


class Moves:
    """Where feeds have moved to, as far as that is another feed's place."""

    def __init__(self) -> None:
        self._to: dict[str, str] = {}
        self._from: dict[str, set[str]] = {}

    def note(self, key: str, location: str | None) -> None:
        """Let a feed be asked at this URL, or at its own."""
        target = None if location is None else feed_id(location)
        old = self._to.pop(key, None)
        if old is not None:
            self._from[old].discard(key)
            if not self._from[old]:
                del self._from[old]
        if target is not None and target != key:
            self._to[key] = target
            self._from.setdefault(target, set()).add(key)

    def moved_to(self, key: str) -> tuple[str, ...]:
        """Return the feeds that have moved to where this one is."""
        return tuple(sorted(self._from.get(key, ())))

    def is_stood_for(self, key: str, wanted: Container[str]) -> bool:
        """Whether another wanted feed is asked in this one's place.

        Sites change their mind, and two feeds may each have moved to the other: of such a round the least id is asked.
        """
        way = [key]
        while (target := self._to.get(way[-1])) is not None and target in wanted:
            if target in way:
                round_ = way[way.index(target) :]
                return key != min(round_) or key not in round_
            way.append(target)
        return len(way) > 1
