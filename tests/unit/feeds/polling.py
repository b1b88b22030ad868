"""One fetch task, driven as the runner drives it; what it writes is checked and applied."""

import base64
from datetime import UTC, datetime, timedelta

from tieup.events.validate import SchemaValidator
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import FetchWorker
from tieup.log.base import Change, Output, Record
from tieup.log.topics import (
    ARTICLES,
    FEED_STATES,
    FEEDS,
    SEEN_ENTRIES,
)
from tieup.model.article import Article
from tieup.model.codec import decode, encode, to_millis
from tieup.model.feed import Entry, Feed, FeedState, FetchOutcome, SeenEntries

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FEED = feed_from_url("https://news.example/feed", NOW, title="Motor News", language="en")
SETTINGS = FetchSettings(jitter=0.0)
VALIDATOR = SchemaValidator()
ENTRIES = (
    Entry("2", "https://news.example/2", "Second", "<p>Ford speaks with BYD.</p>", NOW - timedelta(hours=1)),
    Entry("1", "https://news.example/1", "First", "<p>Ford speaks with Xiaomi.</p>", NOW - timedelta(hours=2)),
)


def worker(*feeds: Feed) -> FetchWorker:
    made = FetchWorker(SETTINGS)
    for feed in feeds or (FEED,):
        wanted = feed_record(feed)
        made.apply(Change(FEEDS, wanted.key, wanted.value))
    return made


def outcome(feed: Feed = FEED, at: datetime = NOW, **found: object) -> FetchOutcome:
    return FetchOutcome(feed.id, feed.url, feed.url, at, **({"status": 200} | found))


def record(value: object, topic: str = "fetch", offset: int = -1) -> Record:
    return Record(topic, 3, offset, b"k", encode(value), to_millis(NOW))


def step(fetch: FetchWorker, result: FetchOutcome) -> Output:
    """Process an outcome as the runner does."""
    output = fetch.process(record(result))
    for made in (*output.records, *output.changes):
        VALIDATOR.check(made.topic, made.value)
    for change in output.changes:
        fetch.apply(change)
    return output


def articles(output: Output) -> list[Article]:
    return [decode(Article, made.value, "test") for made in output.records if made.topic == ARTICLES]


def state(output: Output) -> FeedState:
    (change,) = (change for change in output.changes if change.topic == FEED_STATES)
    return decode(FeedState, change.value, "test")


def seen(output: Output) -> bytes | None:
    """The entries seen that the output writes, packed; None if it writes none."""
    found = [decode(SeenEntries, change.value, "test") for change in output.changes if change.topic == SEEN_ENTRIES]
    assert len(found) <= 1
    return base64.b64decode(found[0].packed) if found else None


def requests(fetch: FetchWorker, now: datetime = NOW) -> list[PollRequest]:
    return [act.payload for act in fetch.wake(now).acts]
