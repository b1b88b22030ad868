"""How often a feed is asked, and in words why: `schedule.py` decides, this explains."""

from dataclasses import dataclass
from typing import Final

from tieup.feeds.schedule import DAY_S, MAX_WAIT_S, interval_s
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Feed, FeedState

_UNITS: Final = ((DAY_S, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Interval:
    """The seconds between two polls of a healthy feed, without the jitter, and the reason for them."""

    seconds: int
    reason: str


def chosen_interval(feed: Feed, state: FeedState, settings: FetchSettings) -> Interval:
    """Return how often a feed in this state is asked while all is well, and why."""
    own = interval_s(feed, state, settings)
    wishes = (("its server (max-age, Expires)", state.max_age_s), ("the feed (ttl, sy:)", state.wish_s))
    who, wish = max(wishes, key=lambda pair: pair[1] or 0)
    wait = min(wish or 0, settings.max_interval_s)
    if wait > own:
        more = f", of which {span(settings.max_interval_s)} are heeded" if (wish or 0) > wait else ""
        return Interval(wait, f"{who} asks for {span(wish or 0)}{more}")
    return Interval(own, _own_reason(feed, state, settings, own))


def _own_reason(feed: Feed, state: FeedState, settings: FetchSettings, seconds: int) -> str:
    if feed.interval_s is not None:
        return "you set it"
    rate = state.entries_per_day
    bare = not (state.etag or state.last_modified)
    fastest = settings.interval_s if bare else settings.min_interval_s
    if rate and state.window and seconds == int(min(MAX_WAIT_S, max(fastest, state.window * DAY_S / (2 * rate)))):
        return f"{rate:.3g} entries a day, {state.window} shown at a time: asked more seldom, some would be lost"
    if bare:
        return "no validators: every request costs the server the whole document"
    if rate is None:
        return "how often it publishes is not known yet"
    limits = f"between {span(settings.interval_s)} and {span(max(settings.quiet_interval_s, settings.interval_s))}"
    return f"about {rate:.3g} entries a day; {limits}"


def span(seconds: float) -> str:
    """Return a length of time as people say it, to one or two digits: `45 s`, `90 min`, `4 h`, `12 d`."""
    for unit, name in _UNITS:
        if seconds >= 2 * unit or (seconds >= unit and seconds % unit == 0):
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
