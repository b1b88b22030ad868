"""When a feed is due again: pure arithmetic, so that a replay gives the same times."""

from datetime import datetime, timedelta
from typing import Final

from tieup.feeds.settings import FetchSettings
from tieup.ids import derive_id
from tieup.model.feed import Feed, FeedState, FetchOutcome

MAX_WAIT_S: Final = 31 * 86_400
BODY: Final = frozenset({200, 203})
TOO_MANY: Final = 429
SLOW_DOWN: Final = frozenset({TOO_MANY, 503})  # the host asks to be left alone
DAY_S: Final = 86_400
# A rate is forgotten by half in about two days: a newsroom's week-end must not look like its end.
MEMORY_S: Final = 3 * DAY_S
BURST_S: Final = 21_600.0
MAX_RATE: Final = 1_000_000.0

_HOUR: Final = timedelta(hours=1)
_HOURS_OF_A_WEEK: Final = 168
_AFTER_SKIP_MS: Final = 600_000
_AGAIN_MS: Final = 60_000


def next_poll_at(feed: Feed, state: FeedState, outcome: FetchOutcome, settings: FetchSettings) -> datetime:
    """Return when the feed is due after this outcome; `state` is the feed's state after it.

    The wait is the longest of the interval (or the back-off), what the site wishes (`max-age`, `Expires`, ttl, sy:) up
    to a day, and `Retry-After` up to 31 days, plus a jitter that is never negative and follows from the feed's id and
    the time. What then falls into hours or days that the feed skips waits for their end.
    """
    own = _backoff_s(feed, outcome, state, settings) if state.errors_in_a_row else interval_s(feed, state, settings)
    wish = min(max(state.max_age_s or 0, state.wish_s or 0, outcome.max_age_s or 0), settings.max_interval_s)
    wait = min(max(own, wish, outcome.retry_after_s or 0), MAX_WAIT_S)
    spread = int(min(wait, settings.max_interval_s) * settings.jitter * 1000)
    at = outcome.observed_at + timedelta(seconds=wait, milliseconds=jitter_ms(feed.id, outcome.observed_at, spread))
    return after_skips(feed.id, at, state)


def rest_s(status: int | None, retry_after_s: int | None, settings: FetchSettings) -> int | None:
    """Return for how long a whole domain is left alone that answered so, None if it is not.

    At most a day, so that one page cannot silence a site for a month.
    """
    if status not in SLOW_DOWN or (retry_after_s is None and status != TOO_MANY):
        return None
    return min(settings.retry_s if retry_after_s is None else retry_after_s, DAY_S)


def postponed_at(feed: Feed, outcome: FetchOutcome) -> datetime:
    """Return when a feed comes again that got no turn: in one to two minutes."""
    return outcome.observed_at + timedelta(milliseconds=_AGAIN_MS + jitter_ms(feed.id, outcome.observed_at, _AGAIN_MS))


def interval_s(feed: Feed, state: FeedState, settings: FetchSettings) -> int:
    """Return the interval of a healthy feed: the operator's, or one that fits how its entries arrive.

    About one new entry a poll, between `interval_s` and `quiet_interval_s`; never so slow that more than half of the
    document is new, down to `min_interval_s`, since entries that leave it unread are lost. A server that gives no
    validators, so that each poll costs it a whole body, is asked at `unconditional_interval_s`, and every `interval_s`
    where entries would be lost; `max-age` and ttl say how long to wait at least, not that a body may cost more.
    """
    if feed.interval_s is not None:
        return feed.interval_s
    calm, rate = settings.interval_s, state.entries_per_day
    if rate is not None:
        slowest = max(settings.quiet_interval_s, calm)
        calm = max(calm, int(min(slowest, DAY_S / rate)) if rate > 0 else slowest)
    bare = not (state.etag or state.last_modified)
    if bare:
        calm = max(calm, settings.unconditional_interval_s)
    if rate and state.window:
        fastest = settings.interval_s if bare else settings.min_interval_s
        calm = int(min(calm, max(fastest, state.window * DAY_S / (2 * rate))))
    return calm


def rate_to_begin_with(state: FeedState, settings: FetchSettings) -> float:
    """Return the entries per day that a feed is taken for whose first document tells nothing.

    One a poll, but no more than its document holds for two intervals: polls become quicker on evidence alone.
    """
    bare = not (state.etag or state.last_modified)
    interval = max(settings.interval_s, settings.unconditional_interval_s if bare else 0)
    return round(min(1.0, max(state.window, 1) / 2) * DAY_S / interval, 3)


def rate_after(rate: float, new: int, elapsed_s: float, *, lost: bool) -> float:
    """Return the entries per day after `new` of them in `elapsed_s`; rounded to thousandths.

    Where entries may have been `lost` what was seen is a lower bound: it is doubled, and counts alone.
    """
    if elapsed_s <= 0:
        return rate
    seen = min(new * DAY_S / elapsed_s, MAX_RATE)
    if lost:
        return round(min(max(2 * seen, rate), MAX_RATE), 3)
    weight = elapsed_s / (elapsed_s + MEMORY_S)
    return round(rate + (seen - rate) * weight, 3)


def rate_of_document(published: list[datetime], at: datetime) -> float | None:
    """Return the entries per day that a first document's own dates tell, None where they tell nothing: too few have
    any, or most have the same, which is when the document was made. A burst counts as six hours' work, so that no poll
    within the hour follows from it.
    """
    dates = sorted(date for date in published if date <= at)
    if len(dates) < 3 or 2 * len(set(dates)) < len(dates):
        return None
    span = max((at - dates[0]).total_seconds(), BURST_S)
    return round(min(len(dates) * DAY_S / span, MAX_RATE), 3)


def _backoff_s(feed: Feed, outcome: FetchOutcome, state: FeedState, settings: FetchSettings) -> int:
    """Doubling waits; a host that answered, or asks for slowness, is left alone for a whole interval at least."""
    first = settings.retry_s
    if outcome.status is not None:
        first = max(first, feed.interval_s or settings.interval_s)
    if outcome.status in BODY:  # a whole body came, and was no feed: that is as dear as one that is
        first = max(first, interval_s(feed, state, settings))
    return min(first << min(state.errors_in_a_row - 1, 20), max(first, settings.max_interval_s))


def after_skips(feed_id: str, at: datetime, state: FeedState) -> datetime:
    """Return the time, or shortly after the next full hour that the feed does not skip, if it skips this one."""
    if not (state.skip_hours or state.skip_days):
        return at
    hour = at.replace(minute=0, second=0, microsecond=0)
    for ahead in range(_HOURS_OF_A_WEEK):
        found = hour + ahead * _HOUR
        if found.hour not in state.skip_hours and found.weekday() not in state.skip_days:
            return at if ahead == 0 else found + timedelta(milliseconds=jitter_ms(feed_id, found, _AFTER_SKIP_MS))
    return at


def jitter_ms(feed_id: str, at: datetime, spread: int) -> int:
    """Return 0 to `spread` milliseconds: chance to everybody else, the same in every replay."""
    return int(derive_id("jitter", feed_id, at.isoformat())[:12], 16) % (spread + 1)
