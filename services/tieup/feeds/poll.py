"""One poll: what is asked, and what its outcome makes of a feed's state."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from tieup.articles.urls import registrable_domain
from tieup.feeds.entries.identity import Recognised
from tieup.feeds.schedule import (
    BODY,
    SLOW_DOWN,
    next_poll_at,
    postponed_at,
    rate_after,
    rate_of_document,
    rate_to_begin_with,
    rest_s,
)
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Feed, FeedState, FetchOutcome

OK: Final = BODY
NOT_MODIFIED: Final = 304
GONE: Final = 410
SIGHTINGS: Final = 3  # of a permanent redirect, before it is believed: captive portals and mistakes pass
LOST_AFTER: Final = 5  # errors in a row at a new place, before the old one is asked again

Fields = dict[str, Any]  # of a FeedState, by name
_PLACES: Final = {field.name: at for at, field in enumerate(fields(FeedState))}
_values: Final = attrgetter(*_PLACES)


@dataclass(frozen=True, slots=True)
class PollRequest:
    """A request for a feed: the payload of an act. Validators are byte-identical to the last received."""

    feed_id: str
    url: str
    domain: str
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None


def new_state(feed: Feed) -> FeedState:
    """Return the state of a feed that was never asked: due since it was added."""
    return FeedState(feed_id=feed.id, url=feed.url, domain=feed.domain, next_poll_at=feed.added_at)


def poll_request(feed: Feed, state: FeedState) -> PollRequest:
    """Return the request for a feed in this state. Validators belong to a URL: another URL starts without."""
    if feed.url != state.url:
        return PollRequest(feed.id, feed.url, feed.domain)
    url = state.location or feed.url
    return PollRequest(feed.id, url, feed.domain, state.etag, state.last_modified, state.body_hash)


def refusal(feed: Feed, state: FeedState) -> str | None:
    """Return why a feed is not polled before its time although someone asks for it; None if it may be."""
    if feed.paused:
        return "paused"
    if state.last_status in SLOW_DOWN:
        return f"the host answered {state.last_status}: it asked to be left alone"
    return None


def state_after(
    feed: Feed, state: FeedState, outcome: FetchOutcome, found: Recognised | None, settings: FetchSettings
) -> FeedState:
    """Return the feed's state after an outcome; `found` is what was recognised in its entries, None without any.

    One that got no turn leaves all as it was, and comes again within two minutes.
    """
    if outcome.postponed:
        return replace(state, polls=state.polls + 1, next_poll_at=postponed_at(feed, outcome))
    before = _at_its_url(feed, state)
    unreadable = (outcome.status in OK and outcome.error is not None) or (state.unreadable and found is None)
    error = outcome.error or (state.error if unreadable else None)
    errors = 0 if error is None else state.errors_in_a_row + 1
    # Gathered first: a copy of so wide a record for each of its aspects costs more than all else that a 304 needs.
    told: Fields = {
        "domain": feed.domain,
        "last_poll_at": outcome.observed_at,
        "last_success_at": state.last_success_at if error else outcome.observed_at,
        "last_status": outcome.status,
        "error": error,
        "errors_in_a_row": errors,
        "failing_since": None if error is None else state.failing_since or outcome.observed_at,
        "polls": state.polls + 1,
        "gone": outcome.status == GONE and outcome.url in (outcome.requested_url, outcome.moved_to),  # not by the way
        "unreadable": unreadable,
        "quiet_until": _quiet_until(outcome, settings),
        "quiet_domain": _quiet_domain(feed, outcome),
        **_place(before, outcome, errors),
        **_answer(before, outcome),
    }
    if found is not None:
        told |= _document(before, outcome, found)
    if error is None:
        told["entries_per_day"] = _rate(before, told, state, outcome, found, settings)
    after = _with(before, told)
    return _with(after, {"next_poll_at": next_poll_at(feed, after, outcome, settings)})


def _with(state: FeedState, told: Fields) -> FeedState:
    """Return a state with other values, as `dataclasses.replace` does, which takes twice as long for forty of them."""
    values = list(_values(state))
    for name, value in told.items():
        values[_PLACES[name]] = value
    return FeedState(*values)


def _at_its_url(feed: Feed, state: FeedState) -> FeedState:
    """What was learned at another URL is forgotten, but for the entries seen."""
    if feed.url == state.url:
        return state
    fresh = new_state(feed)
    names = ("last_success_at", "polls", "entries", "title", "language", "last_entry_at", "hub_url", "topic_url", "hub")
    kept = {name: getattr(state, name) for name in names}
    return replace(fresh, **kept)


def _answer(before: FeedState, outcome: FetchOutcome) -> Fields:
    """Keep what was received, whatever became of the content; a 304 renews only what it carries."""
    if outcome.status == NOT_MODIFIED:
        return {
            "etag": outcome.etag or before.etag,
            "last_modified": outcome.last_modified or before.last_modified,
            "max_age_s": before.max_age_s if outcome.max_age_s is None else outcome.max_age_s,
        }
    if outcome.status not in OK:
        return {}
    return {
        "etag": outcome.etag,
        "last_modified": outcome.last_modified,
        "body_hash": outcome.body_hash,
        "max_age_s": outcome.max_age_s,
    }


def _document(before: FeedState, outcome: FetchOutcome, found: Recognised) -> Fields:
    overrun = _overrun(before, outcome, found)
    return {
        "entries": before.entries + found.new,
        "last_entry_at": newest_entry_at(before, outcome, found),
        "title": outcome.feed_title or before.title,
        "language": outcome.feed_language or before.language,
        "wish_s": outcome.wish_s,
        "skip_hours": outcome.skip_hours,
        "skip_days": outcome.skip_days,
        "window": len(outcome.entries or ()),
        "overrun": overrun,
        "overruns": before.overruns + overrun,
        "guids_wander": found.guids_wander,
        "document_hash": found.document,
    }


def _overrun(before: FeedState, outcome: FetchOutcome, found: Recognised) -> bool:
    return found.known == 0 and len(outcome.entries or ()) > 1 and before.window > 1


def newest_entry_at(state: FeedState, outcome: FetchOutcome, found: Recognised) -> datetime | None:
    """Return when the newest entry ever new was published; never later than it was seen, whatever it claims."""
    new = (version.plain.entry.published for version in found.versions if version.version == 1)
    times = [min(published or outcome.observed_at, outcome.observed_at) for published in new]
    return max(filter(None, (*times, state.last_entry_at)), default=None)


def _rate(
    before: FeedState,
    told: Fields,
    state: FeedState,
    outcome: FetchOutcome,
    found: Recognised | None,
    settings: FetchSettings,
) -> float | None:
    """A feed whose first document tells nothing is taken for one that fits its interval."""
    if state.last_success_at is None:
        dates = [entry.published for entry in outcome.entries or () if entry.published is not None]
        return rate_of_document(dates, outcome.observed_at)
    elapsed_s = (outcome.observed_at - state.last_success_at).total_seconds()
    rate = state.entries_per_day
    if rate is None:
        rate = rate_to_begin_with(_with(before, told), settings)
    lost = found is not None and _overrun(before, outcome, found)
    pushed = 0 if state.hub is None else state.hub.new_since_poll
    return rate_after(rate, pushed + (0 if found is None else found.new), elapsed_s, lost=lost)


def _place(before: FeedState, outcome: FetchOutcome, errors: int) -> Fields:
    """Count the sightings of a permanent redirect, and follow it when there were enough; back when it leads nowhere."""
    if outcome.error is not None:
        lost = before.location is not None and errors >= LOST_AFTER
        return {"location": None, "moved_to": None, "moved_times": 0} if lost else {}
    if outcome.moved_to is None:
        return {"moved_to": None, "moved_times": 0}
    times = before.moved_times + 1 if outcome.moved_to == before.moved_to else 1
    if times < SIGHTINGS:
        return {"moved_to": outcome.moved_to, "moved_times": times}
    return {"location": outcome.moved_to, "moved_to": None, "moved_times": 0}


def _quiet_domain(feed: Feed, outcome: FetchOutcome) -> str | None:
    if outcome.status not in SLOW_DOWN:
        return None
    domain = registrable_domain(outcome.url)
    return None if domain == feed.domain else domain


def _quiet_until(outcome: FetchOutcome, settings: FetchSettings) -> datetime | None:
    rest = rest_s(outcome.status, outcome.retry_after_s, settings)
    return None if rest is None else outcome.observed_at + timedelta(seconds=rest)
