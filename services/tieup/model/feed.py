"""What is wanted of a feed, what was observed of it, and what came of one request."""

from dataclasses import dataclass
from datetime import datetime

FEED_STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that is wanted (topic feeds, key `id`); last write wins, a tombstone removes it.

    `id` is derived from the canonical URL; `domain` is the URL's registrable domain, frozen here because it decides
    the partition.
    """

    id: str
    url: str
    domain: str
    added_at: datetime
    title: str | None = None
    publisher: str | None = None
    language: str | None = None
    interval_s: int | None = None


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """The memory of one entry of a feed: its identity, the hash of its content, and the article version it became."""

    id: str
    content_hash: str
    version: int


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is observed of a feed (topic feed-states, key feed id); only the fetch worker writes it.

    `etag` and `last_modified` are byte-identical to the last received. `next_poll_at` is when the feed is due. `seen`
    is newest first and bounded.
    """

    feed_id: str
    url: str
    domain: str
    next_poll_at: datetime
    state_version: int = FEED_STATE_VERSION
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    last_status: int | None = None
    error: str | None = None
    errors_in_a_row: int = 0
    polls: int = 0
    entries: int = 0
    gone: bool = False
    seen: tuple[SeenEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A wish to fetch now (topic fetch-requests, key = URL hash): poll a feed before it is due, or fetch a page."""

    url: str
    domain: str
    reason: str
    requested_at: datetime
    feed_id: str | None = None
    article_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed as published, after parsing, before normalising: HTML still in it, dates still raw strings.

    Or parsed by the feed's rules.
    """

    guid: str | None
    link: str | None
    title: str
    html: str
    published: datetime | None = None
    updated: datetime | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """What came of one request: handed by the fetching shell to the core as a record.

    `observed_at` is the one moment at which the outside world's time enters. `entries` is None when there was nothing
    to parse (304, same body, error).
    """

    feed_id: str
    url: str
    requested_url: str
    observed_at: datetime
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    retry_after_s: int | None = None
    max_age_s: int | None = None
    error: str | None = None
    feed_title: str | None = None
    feed_language: str | None = None
    entries: tuple[Entry, ...] | None = None
    bad_entries: int = 0
    raw_body: str | None = None
