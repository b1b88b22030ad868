"""What a wish to poll a feed now leads to, told before it is uttered; the fetch worker decides by the same rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tieup.feeds.looking.health import moves_of, resting_hosts
from tieup.feeds.moves import Moves
from tieup.feeds.poll import new_state, refusal
from tieup.model.feed import Feed, FeedState


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether the feed will be polled because of the wish, and what will happen, in words."""

    will: bool
    words: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known at a moment: all states and wanted feeds by feed id, resting hosts, and who moved where."""

    states: Mapping[str, FeedState]
    wanted: Mapping[str, Feed]
    at: datetime
    rests: Mapping[str, datetime]
    moves: Moves

    @classmethod
    def of(cls, states: Mapping[str, FeedState], wanted: Mapping[str, Feed], at: datetime) -> "Outlook":
        """Work out what does not depend on the feed, once for all that are asked about."""
        return cls(states, wanted, at, resting_hosts(states.values(), at), moves_of(states.values()))

    def forecast(self, feed: Feed) -> Forecast:
        """Return what becomes of a wish to poll this feed now."""
        state = self.states.get(feed.id) or new_state(feed)
        until, refused = self.rests.get(feed.domain), refusal(feed, state)
        due = state.next_poll_at <= self.at and until is None and not state.gone
        if feed.paused:
            return Forecast(False, "paused, so not polled; `tieup feeds resume` polls it again")
        if refused is not None and not due:
            return Forecast(False, f"not polled before {_minute(max(state.next_poll_at, until or self.at))}: {refused}")
        if self.moves.is_stood_for(feed.id, self.wanted):
            return Forecast(False, f"not polled: it has moved to {state.location}, which is wanted too")
        if until is not None:
            return Forecast(True, f"will be polled at {_minute(until)}: until then its host asked to be left alone")
        if state.gone:
            return Forecast(True, "will be polled, although its server called it gone (410)")
        return Forecast(True, "due already" if due else "will be polled at once")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
