"""What is wanted of a feed, what was observed of it, and what came of one request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieup.model.article import Article
from tieup.model.hub import HubSubscription

FEED_STATE_VERSION = 2
SEEN_ENTRIES_VERSION = 1


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that is wanted (topic feeds, key `id`); last write wins, a tombstone removes it.

    `id` is derived from the canonical URL; `domain` is the URL's registrable domain, frozen here because it decides
    the partition. `category` is the path of the operator's own names that the feed is filed under, outermost first.
    A `paused` feed is not polled; what is remembered of it stays.
    """

    id: str
    url: str
    domain: str
    added_at: datetime
    title: str | None = None
    publisher: str | None = None
    language: str | None = None
    interval_s: int | None = None
    category: tuple[str, ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """The memory of one entry of a feed: the article it became, the hash of its content, the article's version.

    `version` is the article's latest when the feed was last read; `aside`: that version tells another content than the
    feed shows. `guid_hash` (16 hex digits) is None where the entry has no guid, or one that cannot be believed.
    `fullness` is the length of its text in steps of √2, 0 where unknown.
    """

    id: str
    content_hash: str
    version: int
    guid_hash: str | None = None
    aside: bool = False
    fullness: int = 0


@dataclass(frozen=True, slots=True)
class SeenEntries:
    """The entries seen of a feed (topic seen-entries, key feed id), apart from its state: most polls change that alone.

    `packed` is base64 of 43 bytes an entry, newest first and bounded, as `feeds/entries/memory.py` packs them.
    """

    feed_id: str
    packed: str
    state_version: int = SEEN_ENTRIES_VERSION


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is observed of a feed (topic feed-states, key feed id); only the fetch worker writes it.

    `etag` and `last_modified` are byte-identical to the last received. `next_poll_at` is when the feed is due. `seen`
    is where version 1 kept the entries seen; since version 2 it is empty and they are SeenEntries. `unreadable`: the
    last body received could not be parsed, so a 304 is no recovery. `document_hash` is over what the entries of the
    last document told. `title` and `language` are the feed's own words.

    `location` is asked instead of `url` once 301 or 308 have pointed there repeatedly; `moved_to` and `moved_times`
    count such sightings. `max_age_s`, `wish_s` (the longer of ttl and sy:), `skip_hours` and `skip_days` (UTC, 0 is
    Monday) are what the site last asked for. `quiet_until` is until when the whole domain that asked for it is left
    alone: `quiet_domain`, where a redirect led to another than the feed's.
    `entries_per_day` is the smoothed arrival rate, `window` the entries of the last document. `overrun`: the last two
    documents had no entry in common, so that entries may have been lost; `overruns` counts such polls.
    `guids_wander`: the feed gives an entry another guid each time, so its guids are not believed. `failing_since` is
    when the first of the errors in a row was met, `last_entry_at` when the newest entry that it brought was published
    (seen, where it tells no date). `hub_url` and `topic_url` are the hub that it names and the name it has there; `hub`
    is where it stands with one.
    """

    feed_id: str
    url: str
    domain: str
    next_poll_at: datetime
    state_version: int = FEED_STATE_VERSION
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    document_hash: str | None = None
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    last_status: int | None = None
    error: str | None = None
    errors_in_a_row: int = 0
    polls: int = 0
    entries: int = 0
    gone: bool = False
    seen: tuple[SeenEntry, ...] = ()
    unreadable: bool = False
    title: str | None = None
    language: str | None = None
    location: str | None = None
    moved_to: str | None = None
    moved_times: int = 0
    max_age_s: int | None = None
    wish_s: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    quiet_until: datetime | None = None
    quiet_domain: str | None = None
    entries_per_day: float | None = None
    window: int = 0
    overrun: bool = False
    overruns: int = 0
    guids_wander: bool = False
    failing_since: datetime | None = None
    last_entry_at: datetime | None = None
    hub_url: str | None = None
    topic_url: str | None = None
    hub: HubSubscription | None = None


class Health(StrEnum):
    """A feed's state in a word, the worst first.

    broken: several errors in a row. gone: answered 410, not asked again. failing: the last poll failed, as happens.
    overrun: entries may have been lost between the last two documents. moved: permanently redirected. paused: by the
    operator. new: never polled. quiet: no new entry for 30 days. healthy: none of these.
    """

    BROKEN = "broken"
    GONE = "gone"
    FAILING = "failing"
    OVERRUN = "overrun"
    MOVED = "moved"
    PAUSED = "paused"
    NEW = "new"
    QUIET = "quiet"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class PageText:
    """The main text of an article's page: at most 100,000 characters, normalised as an entry's."""

    text: str
    observed_at: datetime
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A wish to fetch now (topic fetch-requests, key = URL hash): poll a feed before it is due, or fetch a page.

    With `outcome` it is no wish: somebody has asked for the feed before it was wanted and hands over what came of it,
    so that subscribing costs its server one request and not two. With `hub` it is what a hub said, at `requested_at`.

    `reason` "page" goes to the owner of the page's host, `article` being what the entry says; "page-read", with the
    `page`, is the answer to the owner of the article's feed.
    """

    url: str
    domain: str
    reason: str
    requested_at: datetime
    feed_id: str | None = None
    article_id: str | None = None
    outcome: "FetchOutcome | None" = None
    hub: "HubNotice | None" = None
    article: Article | None = None
    page: PageText | None = None


@dataclass(frozen=True, slots=True)
class PlainText:
    """An entry's text as a reader sees it, worked out beside the parsing; `articles/normalize.py` says what is what."""

    title: str
    text: str
    truncated: bool
    canonical_url: str | None
    content_hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed as published, after parsing.

    `title` and `html` are HTML (plain text arrives escaped); times are UTC. Where `plain` was worked out already,
    `html` is left out.
    """

    guid: str | None
    link: str | None
    title: str
    html: str
    published: datetime | None = None
    updated: datetime | None = None
    language: str | None = None
    plain: PlainText | None = None


@dataclass(frozen=True, slots=True)
class HubNotice:
    """What a hub said to a callback that we gave it: verified words, but of a stranger.

    `mode` is subscribe or unsubscribe (an intent that it wanted confirmed, for `lease_s` seconds), denied (for a
    `reason`), push (a document: `entries` and what stands around them) or ping (a push without usable content).
    `topic_tag` is the part of the callback that stands for its topic.
    """

    mode: str
    topic_tag: str
    lease_s: int | None = None
    reason: str | None = None
    feed_title: str | None = None
    feed_language: str | None = None
    entries: tuple[Entry, ...] = ()
    bad_entries: int = 0


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """What came of one request: handed by the fetching shell to the core as a record.

    `observed_at` is the one moment at which the outside world's time enters. `entries` is None when there was nothing
    to parse (304, same body, error). `raw_body` is base64 of at most 256 kB of a body that could not be parsed;
    `body_hash` is then still the whole body's SHA-256. `moved_to` is where permanent redirects alone led. `wish_s`,
    `skip_hours` and `skip_days` are the document's own wishes. `body_bytes` counts the decoded body. `quick`: the quick
    reader has read it. `postponed`: nobody was asked, since the host or its address had no turn to give. `hub_url` and
    `topic_url` are the hub that header or document name, and the topic to ask it for.
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
    moved_to: str | None = None
    wish_s: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    body_bytes: int = 0
    postponed: bool = False
    quick: bool = False
    hub_url: str | None = None
    topic_url: str | None = None
