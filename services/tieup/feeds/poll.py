"""One poll: what is asked, and what its outcome makes of a feed's state."""

from dataclasses import dataclass, replace

from tieup.feeds.schedule import next_poll_at
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Feed, FeedState, FetchOutcome, SeenEntry

GONE = 410
NOT_MODIFIED = 304


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
    return PollRequest(feed.id, feed.url, feed.domain, state.etag, state.last_modified, state.body_hash)


def state_after(
    feed: Feed, state: FeedState, outcome: FetchOutcome, seen: tuple[SeenEntry, ...], settings: FetchSettings
) -> FeedState:
    """Return the feed's state after an outcome; `seen` is its memory after the entries of the outcome."""
    answered = outcome.error is None or outcome.raw_body is not None
    unreadable = outcome.raw_body is not None or (state.unreadable and outcome.entries is None)
    error = outcome.error or (state.error if unreadable else None)
    errors = 0 if error is None else state.errors_in_a_row + 1
    after = replace(
        state,
        url=outcome.requested_url,
        domain=feed.domain,
        next_poll_at=next_poll_at(feed, outcome, errors, settings),
        last_poll_at=outcome.observed_at,
        last_success_at=state.last_success_at if error else outcome.observed_at,
        last_status=outcome.status,
        error=error,
        errors_in_a_row=errors,
        polls=state.polls + 1,
        gone=outcome.status == GONE,
        unreadable=unreadable,
        seen=seen,
    )
    if outcome.entries is not None:
        title = outcome.feed_title or state.title
        language = outcome.feed_language or state.language
        known = {entry.id for entry in state.seen}
        new = sum(entry.id not in known for entry in seen)
        after = replace(after, entries=state.entries + new, title=title, language=language)
    return _with_validators(after, state, outcome) if answered else after


def _with_validators(after: FeedState, state: FeedState, outcome: FetchOutcome) -> FeedState:
    """Keep what was received, whatever became of the content; a 304 renews only what it carries."""
    if outcome.status == NOT_MODIFIED:
        return replace(
            after, etag=outcome.etag or state.etag, last_modified=outcome.last_modified or state.last_modified
        )
    return replace(after, etag=outcome.etag, last_modified=outcome.last_modified, body_hash=outcome.body_hash)
