"""Pausing a feed, and what its state tells an operator: decisions of the worker, without a log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_from_url, feed_record, poll_now_record
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import FetchWorker
from tieup.log.base import NOTHING, Change, Output, Record
from tieup.log.topics import ARTICLES, FEED_STATES, FEEDS, FETCH_REQUESTS
from tieup.model.codec import decode, encode, to_millis
from tieup.model.feed import Entry, Feed, FeedState, FetchOutcome

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FEED = feed_from_url("https://news.example/feed", NOW)
ENTRIES = (
    Entry("2", "https://news.example/2", "Second", "<p>Ford speaks with BYD.</p>", NOW - timedelta(hours=1)),
    Entry("1", "https://news.example/1", "First", "<p>Ford speaks with Xiaomi.</p>", NOW - timedelta(hours=2)),
)


def worker() -> FetchWorker:
    made = FetchWorker(FetchSettings(jitter=0.0))
    want(made, FEED)
    return made


def outcome(at: datetime = NOW, **found: object) -> FetchOutcome:
    return FetchOutcome(FEED.id, FEED.url, FEED.url, at, **({"status": 200} | found))


def step(fetch: FetchWorker, result: FetchOutcome) -> Output:
    """Process an outcome as the runner does."""
    output = fetch.process(Record("fetch", 0, -1, b"k", encode(result), to_millis(NOW)))
    for change in output.changes:
        fetch.apply(change)
    return output


def articles(output: Output) -> int:
    return sum(made.topic == ARTICLES for made in output.records)


def state(output: Output) -> FeedState:
    (change,) = [change for change in output.changes if change.topic == FEED_STATES]
    return decode(FeedState, change.value, "test")


def requests(fetch: FetchWorker, now: datetime) -> list[PollRequest]:
    return [act.payload for act in fetch.wake(now).acts]


def want(fetch: FetchWorker, feed: Feed) -> None:
    wanted = feed_record(feed)
    fetch.apply(Change(FEEDS, wanted.key, wanted.value))


def test_a_paused_feed_is_not_polled_and_keeps_its_memory() -> None:
    fetch = worker()
    polled = state(step(fetch, outcome(entries=ENTRIES, etag='"a"')))
    want(fetch, replace(FEED, paused=True))
    days_later = NOW + timedelta(days=9)
    assert fetch.wake(days_later) == NOTHING
    wish = poll_now_record(FEED, "operator", days_later)
    assert fetch.process(Record(FETCH_REQUESTS, 0, 0, wish.key, wish.value, wish.timestamp)) == NOTHING
    want(fetch, FEED)
    assert fetch.wake(polled.next_poll_at - timedelta(seconds=1)) == NOTHING
    assert [request.etag for request in requests(fetch, days_later)] == ['"a"']
    again = step(fetch, outcome(at=days_later, entries=ENTRIES))
    assert articles(again) == 0
    assert state(again).next_poll_at > days_later


def test_pausing_while_a_request_is_under_way_loses_no_entry() -> None:
    fetch = worker()
    want(fetch, replace(FEED, paused=True))
    assert articles(step(fetch, outcome(entries=ENTRIES))) == 2
    assert fetch.wake(NOW + timedelta(days=9)) == NOTHING


def test_the_state_tells_since_when_a_feed_fails_and_when_its_newest_entry_came() -> None:
    fetch = worker()
    first = state(step(fetch, outcome(entries=ENTRIES)))
    assert (first.failing_since, first.last_entry_at) == (None, ENTRIES[0].published)
    errors = [
        state(step(fetch, outcome(at=NOW + timedelta(hours=hours), status=500, error="answered 500")))
        for hours in (1, 5)
    ]
    assert [one.failing_since for one in errors] == [NOW + timedelta(hours=1)] * 2
    ahead = replace(ENTRIES[0], guid="3", link="https://news.example/3", published=NOW + timedelta(days=400))
    later = NOW + timedelta(hours=9)
    well = state(step(fetch, outcome(at=later, entries=(ahead, *ENTRIES))))
    assert (well.failing_since, well.last_entry_at) == (None, later)
    old = replace(ENTRIES[0], guid="4", link="https://news.example/4", published=NOW - timedelta(days=400))
    assert state(step(fetch, outcome(at=later + timedelta(hours=1), entries=(old, ahead)))).last_entry_at == later
