"""What the fetch worker decides of feeds, their states and their entries."""

import base64
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from tests.unit.feeds.polling import (
    ENTRIES,
    FEED,
    NOW,
    SETTINGS,
    VALIDATOR,
    articles,
    outcome,
    record,
    requests,
    seen,
    state,
    step,
    worker,
)

from tieup.errors import BadRecord, StateVersionError
from tieup.feeds.entries.memory import SeenMemory
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_from_url, feed_record, poll_now_record, removal_record
from tieup.feeds.worker import FetchWorker, fetch_spec
from tieup.log.base import NOTHING, Change, NewRecord, Output, Record
from tieup.log.topics import (
    DEAD_LETTERS,
    FEED_STATES,
    FEEDS,
    FETCH_REQUESTS,
    PAGE_WANTS,
    PAGES,
    SEEN_ENTRIES,
)
from tieup.model.codec import decode, encode, to_millis
from tieup.model.feed import Feed, FeedState, SeenEntry
from tieup.model.page import PageRead


def test_a_new_feed_is_due_at_once_and_asked_without_validators() -> None:
    fetch = worker()
    assert requests(fetch) == [PollRequest(FEED.id, FEED.url, "news.example")]
    assert fetch.wake(NOW) == fetch.wake(NOW)
    assert fetch.wake(NOW - timedelta(seconds=1)) == NOTHING


def test_the_first_poll_is_backfill_and_the_second_news() -> None:
    fetch = worker()
    first = step(fetch, outcome(entries=ENTRIES, etag='"a"', last_modified="x", body_hash="a1", feed_title="T"))
    assert [(a.title, a.version, a.backfill) for a in articles(first)] == [("First", 1, True), ("Second", 1, True)]
    assert {made.timestamp for made in first.records} == {to_millis(NOW)}
    assert [made.key.decode() for made in first.records] == [article.id for article in articles(first)]
    later = NOW + timedelta(hours=1)
    assert requests(fetch, later) == [PollRequest(FEED.id, FEED.url, "news.example", '"a"', "x", "a1")]
    edited = (replace(ENTRIES[0], html="<p>Ford denies talks with BYD.</p>"), ENTRIES[1])
    second = step(fetch, outcome(at=later, entries=edited, body_hash="a2"))
    (article,) = articles(second)
    assert (article.title, article.version, article.changed, article.backfill) == ("Second", 2, ("text",), False)


def test_the_state_tells_what_was_observed() -> None:
    observed = state(worker().process(record(outcome(entries=ENTRIES, etag="e", body_hash="a", max_age_s=7_200))))
    assert observed.next_poll_at == NOW + timedelta(hours=2)
    assert (observed.polls, observed.entries, observed.seen, observed.errors_in_a_row) == (1, 2, (), 0)
    assert (observed.last_success_at, observed.last_status, observed.error) == (NOW, 200, None)


def test_the_entries_seen_are_written_when_they_are_others() -> None:
    fetch = worker()
    first = seen(step(fetch, outcome(entries=ENTRIES, etag="e")))
    memory = SeenMemory()
    memory.put(FEED.id, first or b"")
    assert [entry.version for entry in memory.of(FEED.id)] == [1, 1]
    assert seen(step(fetch, outcome(entries=ENTRIES))) is None
    assert seen(step(fetch, outcome(status=304))) is None
    edited = seen(step(fetch, outcome(entries=(replace(ENTRIES[0], title="Edited"), ENTRIES[1]))))
    assert edited not in (None, first)


def of_version_1(fetch: FetchWorker) -> tuple[Change, bytes]:
    """A poll's state as version 1 wrote it, and its entries seen packed."""
    output = fetch.process(record(outcome(entries=ENTRIES, etag="e", body_hash="a")))
    packed, memory = seen(output) or b"", SeenMemory()
    memory.put(FEED.id, packed)
    old = replace(state(output), state_version=1, seen=memory.of(FEED.id))
    value = encode(old)
    VALIDATOR.check(FEED_STATES, value)
    return Change(FEED_STATES, FEED.id.encode(), value), packed


def test_a_state_of_version_1_is_read_with_its_entries_and_split_by_the_next_poll() -> None:
    fetch = worker()
    old, packed = of_version_1(worker())
    fetch.apply(old)
    assert [asked.etag for asked in requests(fetch, NOW + timedelta(hours=1))] == ["e"]
    output = step(fetch, outcome(at=NOW + timedelta(hours=1), status=304))
    assert (state(output).state_version, state(output).polls, state(output).seen, seen(output)) == (2, 2, (), packed)
    assert seen(step(fetch, outcome(status=304))) is None
    assert articles(step(fetch, outcome(entries=ENTRIES))) == []


def test_entries_seen_of_version_1_never_override_newer_ones() -> None:
    """On restore the two topics come in any order."""
    old, _ = of_version_1(worker())
    fetch = worker()
    fetch.apply(old)
    denied = (replace(ENTRIES[0], html="Ford denies."), ENTRIES[1])
    newer = step(fetch, outcome(entries=denied)).changes
    for order in ((old, *newer), (*newer[::-1], old, newer[0]), (newer[1], old, newer[0]), (old, newer[1], newer[0])):
        rebuilt = worker()
        for change in order:
            rebuilt.apply(change)
        assert articles(step(rebuilt, outcome(entries=denied))) == []


def test_deciding_changes_nothing() -> None:
    fetch = worker()
    one = fetch.process(record(outcome(entries=ENTRIES)))
    assert fetch.process(record(outcome(entries=ENTRIES))) == one
    assert requests(fetch) == [PollRequest(FEED.id, FEED.url, "news.example")]


def test_not_modified_keeps_validators_and_counts_as_success() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e1", last_modified="m1", body_hash="a1"))
    after = state(step(fetch, outcome(at=NOW + timedelta(hours=1), status=304)))
    assert (after.etag, after.last_modified, after.body_hash) == ("e1", "m1", "a1")
    assert after.last_success_at == NOW + timedelta(hours=1)
    after = state(step(fetch, outcome(status=304, etag="e2")))
    assert (after.etag, after.last_modified) == ("e2", "m1")


def test_validators_are_stored_even_if_the_content_did_not_change() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e1", last_modified="m", body_hash="a1"))
    after = state(step(fetch, outcome(etag="e2", last_modified="m", body_hash="a1")))
    assert (after.etag, after.last_modified) == ("e2", "m")
    after = state(step(fetch, outcome(etag="e3", body_hash="a1")))
    assert (after.etag, after.last_modified) == ("e3", None)


def test_errors_keep_validators_and_back_off() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e1", body_hash="a1"))
    after = state(step(fetch, outcome(status=500, error="u: answered 500", etag="of the error page")))
    assert (after.etag, after.error, after.errors_in_a_row) == ("e1", "u: answered 500", 1)
    assert after.next_poll_at == NOW + timedelta(seconds=3_600)
    after = state(step(fetch, outcome(status=None, error="u: silent")))
    assert (after.errors_in_a_row, after.next_poll_at) == (2, NOW + timedelta(seconds=1_800))
    assert after.last_success_at == NOW
    assert state(step(fetch, outcome(status=304))).error is None


def test_a_body_that_is_no_feed_is_kept_whole_beside_the_error() -> None:
    fetch = worker()
    raw = base64.b64encode(b"<html>").decode()
    bad = outcome(error="https://news.example/feed: an HTML page", raw_body=raw, body_hash="a9", etag="e9")
    output = step(fetch, bad)
    (letter,) = output.records
    assert letter.topic == DEAD_LETTERS
    body = orjson.loads(letter.value or b"")
    assert (body["value"], body["error"], body["worker"], body["offset"]) == ("<html>", "BadFeed", "fetch", -1)
    assert body["message"] == "https://news.example/feed: an HTML page"
    after = state(output)
    assert (after.unreadable, after.errors_in_a_row, after.etag, after.body_hash) == (True, 1, "e9", "a9")
    again = step(fetch, outcome(status=304))
    assert again.records == ()
    assert (state(again).error, state(again).errors_in_a_row) == ("https://news.example/feed: an HTML page", 2)
    good = step(fetch, outcome(entries=ENTRIES, body_hash="a1"))
    assert (state(good).error, state(good).unreadable, articles(good)[0].backfill) == (None, False, True)


def test_validators_are_stored_whatever_became_of_the_content() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e1", body_hash="a1"))
    after = state(step(fetch, outcome(error="u: the parsing process died", etag="e2", last_modified="m2")))
    assert (after.etag, after.last_modified, after.body_hash, after.unreadable) == ("e2", "m2", None, True)
    after = state(step(fetch, outcome(status=304)))
    assert (after.error, after.etag) == ("u: the parsing process died", "e2")
    after = state(step(fetch, outcome(entries=ENTRIES, etag="e3")))
    assert (after.error, after.unreadable) == (None, False)


def test_gone_stops_until_someone_asks() -> None:
    fetch = worker()
    assert state(step(fetch, outcome(status=410, error="u: answered 410"))).gone
    assert requests(fetch, NOW + timedelta(days=400)) == []
    asked = poll_now_record(FEED, "operator", NOW)
    output = fetch.process(Record(FETCH_REQUESTS, 3, 0, asked.key, asked.value, asked.timestamp))
    fetch.apply(output.changes[0])
    assert len(requests(fetch)) == 1


def test_a_feed_that_is_gone_and_added_again_is_asked_again() -> None:
    fetch = worker()
    step(fetch, outcome(status=410, error="u: answered 410"))
    later = NOW + timedelta(days=1)
    fetch.apply(Change(FEEDS, FEED.id.encode(), feed_record(replace(FEED, added_at=later)).value))
    assert len(requests(fetch, later)) == 1


def request(fetch: FetchWorker, asked: NewRecord) -> Output:
    return fetch.process(Record(FETCH_REQUESTS, 3, 0, asked.key, asked.value, asked.timestamp))


def test_a_request_makes_a_feed_due_at_once() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, body_hash="a"))
    assert requests(fetch) == []
    output = request(fetch, poll_now_record(FEED, "operator", NOW))
    fetch.apply(output.changes[0])
    assert len(requests(fetch)) == 1
    assert request(fetch, poll_now_record(FEED, "operator", NOW)) == NOTHING


def test_a_request_does_not_override_a_host_that_asked_for_slowness() -> None:
    fetch = worker()
    step(fetch, outcome(status=429, error="u: answered 429", retry_after_s=9_000))
    assert request(fetch, poll_now_record(FEED, "operator", NOW)) == NOTHING


def test_a_request_for_a_feed_that_nobody_wants_is_nothing() -> None:
    assert request(worker(), poll_now_record(feed_from_url("https://b.example/f", NOW), "x", NOW)) == NOTHING


def test_a_removed_feed_is_not_asked_and_its_late_outcome_is_nothing() -> None:
    fetch = worker()
    fetch.apply(Change(FEEDS, removal_record(FEED, NOW).key, None))
    assert requests(fetch) == []
    assert fetch.process(record(outcome(entries=ENTRIES))) == NOTHING


def test_a_feed_that_comes_back_goes_on_where_it_was() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e", body_hash="a"))
    fetch.apply(Change(FEEDS, FEED.id.encode(), None))
    fetch.apply(Change(FEEDS, FEED.id.encode(), feed_record(FEED).value))
    assert [asked.etag for asked in requests(fetch, NOW + timedelta(hours=1))] == ["e"]


def removed(fetch: FetchWorker, feed: Feed = FEED) -> None:
    fetch.apply(Change(FEEDS, feed.id.encode(), None))


def forgotten(fetch: FetchWorker, now: datetime) -> list[tuple[str, str]]:
    """What a turn takes out of the topics; it is applied."""
    changes = fetch.wake(now).changes
    for change in changes:
        fetch.apply(change)
    assert all(change.value is None for change in changes)
    return [(change.topic, change.key.decode()) for change in changes]


def test_a_removed_feed_is_forgotten_ninety_days_after_its_last_poll() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, body_hash="a"))
    removed(fetch)
    end = NOW + timedelta(days=90)
    assert forgotten(fetch, end - timedelta(seconds=1)) == []
    assert forgotten(fetch, end) == [(FEED_STATES, FEED.id), (SEEN_ENTRIES, FEED.id)]
    assert forgotten(fetch, end) == []
    fetch.apply(Change(FEEDS, FEED.id.encode(), feed_record(FEED).value))
    assert [article.version for article in articles(step(fetch, outcome(at=end, entries=ENTRIES)))] == [1, 1]


@pytest.mark.parametrize("again", [FEED, replace(FEED, paused=True)], ids=["wanted", "paused"])
def test_a_feed_that_came_back_is_not_forgotten(again: Feed) -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, body_hash="a"))
    removed(fetch)
    fetch.apply(Change(FEEDS, FEED.id.encode(), feed_record(again).value))
    assert forgotten(fetch, NOW + timedelta(days=1_000)) == []


def test_the_page_of_an_article_is_forgotten_with_the_last_feed_that_had_it() -> None:
    other = feed_from_url("https://news.example/cars", NOW)
    fetch = worker(FEED, other)
    (first, _) = articles(step(fetch, outcome(entries=ENTRIES[1:] + ENTRIES[:1])))
    step(fetch, outcome(other, entries=ENTRIES))
    read = PageRead(first.id, other.id, 2, "c" * 32, 100, NOW)
    fetch.apply(Change(PAGES, first.id.encode(), encode(read)))
    removed(fetch)
    removed(fetch, other)
    end = NOW + timedelta(days=90)
    gone = [forgotten(fetch, end), forgotten(fetch, end)]
    assert [(PAGES, first.id) in told for told in gone] == [False, True]
    assert len(gone[0]) == 2


def test_another_url_of_the_same_feed_starts_without_validators() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e", body_hash="a"))
    moved = feed_from_url("http://news.example/feed", NOW)
    assert moved.id == FEED.id
    fetch.apply(Change(FEEDS, moved.id.encode(), feed_record(moved).value))
    (asked,) = requests(fetch, NOW + timedelta(hours=1))
    assert (asked.url, asked.etag) == ("http://news.example/feed", None)
    assert fetch.process(record(outcome(entries=ENTRIES))) == NOTHING


def test_two_feeds_of_a_site_publish_an_article_once() -> None:
    other = feed_from_url("https://news.example/all", NOW)
    fetch = worker(FEED, other)
    assert len(articles(step(fetch, outcome(entries=ENTRIES)))) == 2
    assert articles(step(fetch, outcome(other, entries=ENTRIES))) == []
    denied = (replace(ENTRIES[0], html="Ford denies."), ENTRIES[1])
    assert [a.version for a in articles(step(fetch, outcome(other, entries=denied)))] == [2]
    assert articles(step(fetch, outcome(entries=denied))) == []


def test_a_rebuilt_task_decides_the_same() -> None:
    fetch = worker()
    first = step(fetch, outcome(entries=ENTRIES, etag="e", body_hash="a"))
    rebuilt = FetchWorker(SETTINGS)
    for change in first.changes:
        rebuilt.apply(change)
    rebuilt.apply(Change(FEEDS, FEED.id.encode(), feed_record(FEED).value))
    late = NOW + timedelta(hours=2)
    assert rebuilt.wake(late) == fetch.wake(late)
    edited = outcome(at=late, entries=(replace(ENTRIES[0], title="Denied"),))
    assert rebuilt.process(record(edited)) == fetch.process(record(edited))


def test_acts_are_bounded_and_few_of_one_host() -> None:
    feeds = [feed_from_url(f"https://h{n % 40}.example/{n}", NOW) for n in range(200)]
    acts = worker(*feeds).wake(NOW).acts
    hosts = [act.payload.domain for act in acts if isinstance(act.payload, PollRequest)]
    assert len(acts) == 4 * SETTINGS.concurrency
    assert max(hosts.count(host) for host in hosts) == SETTINGS.per_host


def test_records_that_cannot_be_read_are_named() -> None:
    with pytest.raises(BadRecord, match=FETCH_REQUESTS):
        worker().process(Record(FETCH_REQUESTS, 3, 7, b"k", b"{}", 0))
    with pytest.raises(BadRecord, match="fetch"):
        worker().process(Record("fetch", 3, -1, b"k", b"nonsense", 0))


@pytest.mark.parametrize("topic", [FEED_STATES, SEEN_ENTRIES])
@pytest.mark.parametrize(
    "value",
    [
        b"{}",
        b"nonsense",
        b"[]",
        b'{"state_version": 1}',
        b'{"state_version": 2}',
        b'{"feed_id": "k", "packed": "YQ==", "state_version": 1}',
        b'{"feed_id": "k", "packed": "=", "state_version": 1}',
        b'{"feed_id": "k", "packed": "", "state_version": 2}',
    ],
)
def test_a_state_of_another_version_is_refused(topic: str, value: bytes) -> None:
    with pytest.raises(StateVersionError, match=topic):
        worker().apply(Change(topic, b"k", value))


def test_a_state_of_version_1_with_hashes_of_another_length_is_refused() -> None:
    old, _ = of_version_1(worker())
    value = encode(replace(decode(FeedState, old.value, "test"), seen=(SeenEntry("ab", "cd", 1),)))
    with pytest.raises(StateVersionError, match="another length"):
        worker().apply(Change(FEED_STATES, FEED.id.encode(), value))


def test_an_unreadable_wish_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    fetch = worker()
    fetch.apply(Change(FEEDS, b"k", b"{}"))
    assert len(requests(fetch)) == 1
    assert FEEDS in caplog.text


def test_the_worker_as_the_runner_sees_it() -> None:
    spec = fetch_spec(SETTINGS)
    assert (spec.name, spec.streams, spec.tables, spec.state) == (
        "fetch",
        (FETCH_REQUESTS,),
        (FEEDS,),
        (FEED_STATES, SEEN_ENTRIES, PAGE_WANTS, PAGES),
    )
    assert spec.wakes
    assert spec.build(0).wake(NOW) == NOTHING
