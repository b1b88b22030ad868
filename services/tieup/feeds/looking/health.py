"""How a feed fares, in one word and a reason: what an operator looks for in a list of hundreds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tieup.feeds.moves import Moves
from tieup.feeds.poll import GONE
from tieup.feeds.watch import BROKEN_AFTER
from tieup.model.feed import Feed, FeedState, Health

QUIET_AFTER: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """A feed's state, since when it holds (None: not known), and why, in words (empty where the word says it all).

    `asked`: whether it is polled at all.
    """

    state: Health
    since: datetime | None = None
    reason: str = ""
    asked: bool = True


def health_of(feed: Feed, state: FeedState | None, now: datetime, *, stood_for: bool = False) -> FeedHealth:
    """Return how a feed fares; `stood_for`: it has moved to where another wanted feed is, which alone is asked."""
    if feed.paused:
        return FeedHealth(Health.PAUSED, asked=False)
    if state is None or state.last_poll_at is None:
        return FeedHealth(Health.NEW, feed.added_at)
    if state.gone and feed.added_at <= state.last_poll_at:
        words = f"answered {GONE}, so not asked again unless it is added again"
        return FeedHealth(Health.GONE, state.failing_since, words, asked=False)
    if state.error is not None:
        word = Health.BROKEN if state.errors_in_a_row >= BROKEN_AFTER else Health.FAILING
        return FeedHealth(word, state.failing_since or state.last_success_at, reason_of(feed, state))
    return _of_the_well(state, now, stood_for=stood_for)


def reason_of(feed: Feed, state: FeedState) -> str:
    """Return the last error without the address that it begins with."""
    error = state.error or ""
    for url in (state.location, state.url, feed.url):
        if url and error.startswith(f"{url}: "):
            return error[len(url) + 2 :]
    return error


def moves_of(states: Iterable[FeedState]) -> Moves:
    """Return where the feeds in these states have moved to."""
    moves = Moves()
    for state in states:
        moves.note(state.feed_id, state.location)
    return moves


def _of_the_well(state: FeedState, now: datetime, *, stood_for: bool) -> FeedHealth:
    if state.overrun:
        return FeedHealth(Health.OVERRUN, None, "no entry of the poll before was left: some may be lost")
    if state.location is not None:
        if stood_for:
            return FeedHealth(Health.MOVED, None, f"{state.location} is wanted too: asked there only", asked=False)
        return FeedHealth(Health.MOVED, None, f"asked at {state.location}")
    since = state.last_entry_at or state.last_success_at
    if since is not None and now - since > QUIET_AFTER:
        return FeedHealth(Health.QUIET, since, "nothing new")
    return FeedHealth(Health.HEALTHY)


def resting_hosts(states: Iterable[FeedState], now: datetime) -> dict[str, datetime]:
    """Return the domains that are left alone because they asked for it (429, 503), and until when."""
    rests: dict[str, datetime] = {}
    for state in states:
        if state.quiet_until is not None and state.quiet_until > now:
            domain = state.quiet_domain or state.domain
            rests[domain] = max(state.quiet_until, rests.get(domain, state.quiet_until))
    return rests
