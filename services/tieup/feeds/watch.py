"""What an operator is told of polls: a line where something has changed for a feed, and numbers for Prometheus."""

import logging
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tieup.feeds.entries.identity import Recognised
from tieup.feeds.poll import GONE
from tieup.model.feed import Feed, FeedState, FetchOutcome
from tieup.model.page import PageOutcome, PageResult

OUTCOMES: Final = ("changed", "same body", "not modified", "refused", "unreadable", "no answer", "postponed")
EVENTS: Final = ("overrun", "broken", "recovered", "gone", "moved")
BROKEN_AFTER: Final = 3  # errors in a row; one or two are the weather of the web
LAG_BUCKETS_S: Final = (1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0)

WAIT_BUCKETS_S: Final = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

_log: Final = logging.getLogger("tieup.feeds")


PUSHES: Final = ("document", "ping", "unsigned", "unknown", "unwanted", "too many", "too large", "not kept")
INTENTS: Final = ("subscribe", "unsubscribe", "denied", "unknown", "unwanted", "too many")
SUBSCRIPTIONS: Final = (
    *(f"{mode} {answer}" for mode in ("subscribe", "unsubscribe") for answer in ("accepted", "refused", "failed")),
    *("verified", "denied", "ended by the hub"),
)


class HubWatch:
    """Counts what hubs send to the callbacks of this process, by what came of it."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        own = CollectorRegistry() if registry is None else registry
        self._pushes = Counter("tieup_pushes_total", "Pushes of hubs by what came of them", ["outcome"], registry=own)
        self._intents = Counter("tieup_hub_intents_total", "Words of hubs to callbacks", ["intent"], registry=own)
        for outcome in PUSHES:
            self._pushes.labels(outcome)
        for intent in INTENTS:
            self._intents.labels(intent)

    def pushed(self, outcome: str) -> None:
        """Take note of a push."""
        self._pushes.labels(outcome).inc()

    def heard(self, intent: str) -> None:
        """Take note of an intent that a hub wants confirmed, or of a denial."""
        self._intents.labels(intent).inc()


class FetchWatch:
    """Says in the log that a feed has overrun, is broken or has recovered; counts polls if a registry is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        own = CollectorRegistry() if registry is None else registry
        self._polls = Counter("tieup_polls_total", "Polls by what came of them", ["outcome"], registry=own)
        self._bytes = Counter("tieup_feed_bytes_total", "Bytes of bodies, decoded", registry=own)
        self._entries = Counter("tieup_entries_total", "Entries by what they were", ["kind"], registry=own)
        self._lag = Histogram("tieup_poll_lag_seconds", "Polls behind their time", buckets=LAG_BUCKETS_S, registry=own)
        self._waits = Histogram(
            "tieup_host_wait_seconds", "Waits for a turn at a host", buckets=WAIT_BUCKETS_S, registry=own
        )
        self._events = Counter(
            "tieup_feed_events_total", "Feeds that have overrun, broken, recovered, moved", ["event"], registry=own
        )
        self._pages = Counter("tieup_pages_total", "Pages asked for by what came of them", ["outcome"], registry=own)
        self._page_bytes = Counter("tieup_page_bytes_total", "Bytes of pages, decoded", registry=own)
        self._scheduled = Gauge("tieup_feeds_scheduled", "Feeds with a time to be asked", ["partition"], registry=own)
        self._due = Gauge("tieup_feeds_due", "Feeds and pages whose time has come", ["partition"], registry=own)
        self._wanted = Gauge("tieup_pages_wanted", "Pages to be read, now or later", ["partition"], registry=own)
        self.parsing_queue = Gauge("tieup_parsing_queue", "Bodies being parsed or waiting for it", registry=own)
        self._hubs = Counter(
            "tieup_hub_subscriptions_total", "What hubs answered and said of subscriptions", ["outcome"], registry=own
        )
        for outcome in OUTCOMES:  # told from the start, or the first of its kind would be no increase to Prometheus
            self._polls.labels(outcome)
        for outcome in SUBSCRIPTIONS:
            self._hubs.labels(outcome)
        for event in EVENTS:
            self._events.labels(event)
        for result in PageResult:
            self._pages.labels(result.value)

    def waited(self, seconds: float) -> None:
        """Take note of a wait for a turn at a host."""
        self._waits.observe(seconds)

    def queued(self, partition: int, scheduled: int, due: int, pages: int) -> None:
        """Take note of how many feeds of a task have a time, for how many it has come, and how many pages it wants."""
        self._scheduled.labels(str(partition)).set(scheduled)
        self._due.labels(str(partition)).set(due)
        self._wanted.labels(str(partition)).set(pages)

    def page(self, outcome: PageOutcome, result: PageResult) -> None:
        """Take note of one request for a page, and of what it was found to be."""
        self._pages.labels(result.value).inc()
        self._page_bytes.inc(outcome.body_bytes)
        if outcome.error is not None:
            _log.info("%s", outcome.error)

    def given_up(self, pages: int) -> None:
        """Take note of pages that were wanted for too long, or too many."""
        self._pages.labels(PageResult.GIVEN_UP.value).inc(pages)

    def subscribed(self, outcome: str, feed_url: str = "", problem: str | None = None) -> None:
        """Take note of a hub's answer, or of its words to the callback; a problem is told in the log."""
        self._hubs.labels(outcome).inc()
        if problem is not None:
            _log.warning("%s: its hub: %s", feed_url, problem)

    def recognised(self, found: Recognised) -> None:
        """Take note of the entries that are news."""
        new = sum(version.version == 1 for version in found.versions)
        self._entries.labels("new").inc(new)
        self._entries.labels("edited").inc(len(found.versions) - new)

    def polled(
        self, feed: Feed, before: FeedState, after: FeedState, outcome: FetchOutcome, found: Recognised | None
    ) -> None:
        """Take note of one poll."""
        self._polls.labels(outcome_word(outcome)).inc()
        self._bytes.inc(outcome.body_bytes)
        self._lag.observe(max(0.0, (outcome.observed_at - before.next_poll_at).total_seconds()))
        if found is not None:
            self.recognised(found)
        self._entries.labels("bad").inc(outcome.bad_entries)
        for line in poll_faults(feed, before, after, outcome):
            _log.warning("%s", line)
        for event, words in feed_events(before, after):
            self._events.labels(event).inc()
            _log.warning("feed.%s %s: %s", event, feed.url, words)


def poll_faults(feed: Feed, before: FeedState, after: FeedState, outcome: FetchOutcome) -> list[str]:
    """Return a line for a poll that failed in another way than the one before, and for entries that were no use."""
    lines = []
    if after.error is not None and after.error != before.error:
        lines.append(after.error)
    if outcome.bad_entries:
        lines.append(f"{feed.url}: {outcome.bad_entries} entries left out: torn, empty or too many")
    return lines


def outcome_word(outcome: FetchOutcome) -> str:
    """Return a poll's outcome as one of a few words."""
    if outcome.status is None:
        return "postponed" if outcome.postponed else "no answer"
    if outcome.error is not None:
        return "unreadable" if outcome.status == 200 else "refused"
    if outcome.entries is not None:
        return "changed"
    return "not modified" if outcome.status == 304 else "same body"


def feed_events(before: FeedState, after: FeedState) -> list[tuple[str, str]]:
    """Return what a poll changed for a feed as event and words: overrun, broken (once), recovered, gone, moved."""
    events = []
    if after.overrun and not before.overrun:
        events.append(
            ("overrun", f"no entry of the last poll is left among {after.window}: some may be lost; asked more often")
        )
    if after.gone and not before.gone:
        events.append(("gone", "answered 410; not asked again unless it is added again"))
    elif before.errors_in_a_row < BROKEN_AFTER <= after.errors_in_a_row:
        events.append(("broken", f"{after.errors_in_a_row} errors in a row: {after.error}"))
    if after.error is None and (before.errors_in_a_row >= BROKEN_AFTER or before.last_status == GONE):
        events.append(("recovered", f"errors in a row before: {before.errors_in_a_row}"))
    if after.location is not None and after.location != before.location:
        events.append(("moved", f"asked at {after.location} from now on"))
    return events
