"""When a feed is due again: pure arithmetic, so that a replay gives the same times."""

from datetime import datetime, timedelta
from typing import Final

from tieup.feeds.settings import FetchSettings
from tieup.ids import derive_id
from tieup.model.feed import Feed, FetchOutcome

MAX_WAIT_S: Final = 31 * 86_400
SLOW_DOWN: Final = frozenset({429, 503})  # the host asks to be left alone


def next_poll_at(feed: Feed, outcome: FetchOutcome, errors_in_a_row: int, settings: FetchSettings) -> datetime:
    """Return when the feed is due after this outcome, `errors_in_a_row` counting it.

    The wait is the longest of the interval (or the back-off), `max-age` and `Retry-After`, at most 31 days, plus a
    jitter that is never negative and follows from the feed's id and the time.
    """
    own = _backoff_s(feed, outcome, errors_in_a_row, settings) if errors_in_a_row else _interval_s(feed, settings)
    wait = min(max(own, outcome.max_age_s or 0, outcome.retry_after_s or 0), MAX_WAIT_S)
    spread = int(min(wait, settings.max_interval_s) * settings.jitter * 1000)
    return outcome.observed_at + timedelta(seconds=wait, milliseconds=_jitter_ms(feed.id, outcome.observed_at, spread))


def _interval_s(feed: Feed, settings: FetchSettings) -> int:
    return feed.interval_s or settings.interval_s


def _backoff_s(feed: Feed, outcome: FetchOutcome, errors_in_a_row: int, settings: FetchSettings) -> int:
    """Doubling waits; a host that asks for slowness waits a whole interval at least."""
    first = settings.retry_s
    if outcome.status in SLOW_DOWN:
        first = max(first, _interval_s(feed, settings))
    return min(first << min(errors_in_a_row - 1, 20), max(first, settings.max_interval_s))


def _jitter_ms(feed_id: str, at: datetime, spread: int) -> int:
    return int(derive_id("jitter", feed_id, at.isoformat())[:12], 16) % (spread + 1)
