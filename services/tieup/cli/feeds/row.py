"""One feed as a list or a page shows it: what is wanted, what is observed, and what follows from both."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tieup.cli.feeds.store import Known
from tieup.feeds.looking.health import FeedHealth, health_of, moves_of, resting_hosts
from tieup.feeds.looking.interval import Interval, chosen_interval
from tieup.feeds.poll import new_state
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Feed, FeedState
from tieup.model.hub import HubSubscription


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed, its state (None: never polled) and health, its interval (None before a poll has succeeded), and until
    when its host wants rest.
    """

    feed: Feed
    state: FeedState | None
    health: FeedHealth
    interval: Interval | None
    rests_until: datetime | None = None

    @property
    def name(self) -> str:
        """The operator's title, else the feed's own, else where it is."""
        return self.feed.title or (self.state and self.state.title) or self.feed.url.partition("://")[2]

    @property
    def language(self) -> str | None:
        """The language given, else the feed's own word."""
        return self.feed.language or (self.state.language if self.state else None)

    @property
    def next_at(self) -> datetime | None:
        """When it is polled next; None if it is not."""
        if not self.health.asked:
            return None
        due = self.feed.added_at if self.state is None else self.state.next_poll_at
        return due if self.rests_until is None else max(due, self.rests_until)

    @property
    def last_entry_at(self) -> datetime | None:
        """When its newest entry was published."""
        return self.state.last_entry_at if self.state else None

    @property
    def entries_per_day(self) -> float | None:
        """The smoothed rate at which entries arrive."""
        return self.state.entries_per_day if self.state else None

    @property
    def hub(self) -> HubSubscription | None:
        """Where it stands with its hub; None where it names none, or none was asked."""
        return self.state.hub if self.state else None

    def is_pushed(self, now: datetime) -> bool:
        """Whether its hub pushes what is new, so that polls are a second line."""
        return self.hub is not None and self.hub.lease_until is not None and self.hub.lease_until > now

    def as_json(self) -> dict[str, object]:
        """Return the row for programs; names stay as they are once they are given out."""
        feed, state = self.feed, self.state or new_state(self.feed)
        return {
            "id": feed.id,
            "url": feed.url,
            "domain": feed.domain,
            "title": feed.title or state.title,
            "publisher": feed.publisher,
            "language": feed.language or state.language,
            "category": feed.category,
            "paused": feed.paused,
            "added_at": feed.added_at,
            "state": self.health.state,
            "state_since": self.health.since,
            "reason": self.health.reason or None,
            "interval_s": feed.interval_s,
            "asked_every_s": self.interval.seconds if self.interval else None,
            "asked_why": self.interval.reason if self.interval else None,
            "next_poll_at": self.next_at,
            "quiet_until": self.rests_until,
            "last_poll_at": state.last_poll_at,
            "last_success_at": state.last_success_at,
            "last_status": state.last_status,
            "last_entry_at": state.last_entry_at,
            "entries_per_day": state.entries_per_day,
            "polls": state.polls,
            "entries": state.entries,
            "window": state.window,
            "overruns": state.overruns,
            "errors_in_a_row": state.errors_in_a_row,
            "error": state.error,
            "gone": state.gone,
            "location": state.location,
            "hub_url": state.hub_url,
            "hub_lease_until": self.hub.lease_until if self.hub else None,
            "hub_pushes": self.hub.pushes if self.hub else 0,
            "hub_pushed_at": self.hub.pushed_at if self.hub else None,
            "hub_error": self.hub.error if self.hub else None,
            "etag": state.etag,
            "last_modified": state.last_modified,
        }


def rows_of(known: Known, settings: FetchSettings, now: datetime) -> Iterator[FeedRow]:
    """Yield a row for each feed that is wanted."""
    moves = moves_of(known.states.values())
    rests = resting_hosts(known.states.values(), now)
    for feed in known.feeds.values():
        state = known.states.get(feed.id)
        health = health_of(feed, state, now, stood_for=moves.is_stood_for(feed.id, known.feeds))
        polled = state is not None and state.last_success_at is not None
        interval = chosen_interval(feed, state, settings) if state and polled else None
        yield FeedRow(feed, state, health, interval, rests.get(feed.domain))
