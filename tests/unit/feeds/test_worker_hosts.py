"""What the fetch worker decides when sites move, ask for rest, fail, or tell more than was read."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.feeds.paging import article as paged
from tests.unit.feeds.paging import request as page_asked
from tests.unit.feeds.polling import ENTRIES, FEED, NOW, outcome, record, requests, state, step, worker

from tieup.feeds.registry import feed_from_url
from tieup.log.base import NOTHING, Change
from tieup.log.topics import (
    FEEDS,
    FETCH_REQUESTS,
    PAGE_WANTS,
)
from tieup.model.feed import Entry


def test_a_permanent_redirect_is_followed_after_three_sightings() -> None:
    fetch = worker()
    new = "https://www.news.example/feed"
    for times in range(3):
        assert requests(fetch, NOW + timedelta(days=9))[0].url == FEED.url
        after = state(step(fetch, outcome(entries=ENTRIES, etag="e", moved_to=new)))
        assert (after.moved_times, after.location) == ((times + 1) % 3, new if times == 2 else None)
    (asked,) = requests(fetch, NOW + timedelta(days=9))
    assert (asked.url, asked.etag) == (new, "e")
    assert fetch.process(record(outcome(entries=ENTRIES))) == NOTHING
    after = state(step(fetch, replace(outcome(status=304), requested_url=new)))
    assert (after.location, after.url) == (new, FEED.url)


def test_sightings_of_a_redirect_are_in_a_row_and_to_one_place() -> None:
    fetch = worker()
    for moved in ("https://b.example/1", "https://b.example/1", None, "https://b.example/1", "https://b.example/2"):
        after = state(step(fetch, outcome(status=304, moved_to=moved)))
    assert (after.location, after.moved_to, after.moved_times) == (None, "https://b.example/2", 1)


def test_a_place_that_leads_nowhere_is_given_up() -> None:
    fetch = worker()
    new = "https://www.news.example/feed"
    for _ in range(3):
        step(fetch, outcome(entries=ENTRIES, moved_to=new))
    for _ in range(5):
        after = state(step(fetch, replace(outcome(status=404, error="u: answered 404"), requested_url=new)))
    assert after.location is None
    assert requests(fetch, NOW + timedelta(days=9))[0].url == FEED.url


def test_a_feed_that_moved_to_another_wanted_feed_is_not_asked_beside_it() -> None:
    other = feed_from_url("https://www.news.example/feed", NOW)
    fetch = worker(FEED, other)
    for _ in range(3):
        step(fetch, outcome(entries=ENTRIES, moved_to=other.url))
    late = NOW + timedelta(days=9)
    assert [asked.feed_id for asked in requests(fetch, late)] == [other.id]
    fetch.apply(Change(FEEDS, other.id.encode(), None))
    assert [asked.feed_id for asked in requests(fetch, late)] == [FEED.id]


def test_retry_after_holds_the_whole_host_over_restarts() -> None:
    other = feed_from_url("https://rss.news.example/all", NOW)
    far = feed_from_url("https://other.example/feed", NOW)
    fetch = worker(FEED, other, far)
    output = step(fetch, outcome(status=429, error="u: answered 429", retry_after_s=7_200))
    rebuilt = worker(FEED, other, far)
    rebuilt.apply(output.changes[0])
    for made in (fetch, rebuilt):
        assert [asked.feed_id for asked in requests(made, NOW + timedelta(seconds=7_199))] == [far.id]
        assert len(requests(made, NOW + timedelta(seconds=7_200))) == 3


def test_a_broken_page_does_not_hold_its_host() -> None:
    other = feed_from_url("https://rss.news.example/all", NOW)
    fetch = worker(FEED, other)
    step(fetch, outcome(status=503, error="u: answered 503"))
    assert [asked.feed_id for asked in requests(fetch)] == [other.id]


def test_max_age_outlives_a_304_that_does_not_repeat_it() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e", max_age_s=7_200))
    assert state(step(fetch, outcome(status=304))).next_poll_at == NOW + timedelta(hours=2)
    assert state(step(fetch, outcome(status=304, max_age_s=10_000))).next_poll_at == NOW + timedelta(seconds=10_000)


def fresh(*numbers: int) -> tuple[Entry, ...]:
    return tuple(Entry(str(n), f"https://news.example/{n}", f"Title {n}", f"Text {n}") for n in numbers)


def test_polls_without_an_entry_in_common_are_an_overrun_and_come_closer(caplog: pytest.LogCaptureFixture) -> None:
    fetch = worker()
    calm = state(step(fetch, outcome(entries=fresh(1, 2, 3), etag="a")))
    at = NOW + timedelta(hours=1)
    lost = state(step(fetch, outcome(at=at, entries=fresh(4, 5, 6), etag="b")))
    assert (calm.overrun, lost.overrun, lost.overruns) == (False, True, 1)
    assert f"feed.overrun {FEED.url}: " in caplog.text
    assert (calm.next_poll_at - NOW, lost.next_poll_at - at) == (timedelta(hours=1), timedelta(minutes=15))
    kept = state(step(fetch, outcome(at=at + timedelta(minutes=15), entries=fresh(7, 5, 6), etag="c")))
    assert (kept.overrun, kept.overruns) == (False, 1)


def test_a_poll_that_comes_late_into_skipped_hours_is_put_off() -> None:
    fetch = worker()
    step(fetch, outcome(entries=ENTRIES, etag="e", skip_hours=(12, 13)))
    late = NOW.replace(hour=12, minute=30)
    output = fetch.wake(late)
    assert output.acts == ()
    fetch.apply(output.changes[0])
    assert fetch.wake(late) == NOTHING
    assert requests(fetch, NOW.replace(hour=13, minute=59)) == []
    assert len(requests(fetch, NOW.replace(hour=14, minute=10))) == 1


def test_a_feed_breaks_and_recovers_once(caplog: pytest.LogCaptureFixture) -> None:
    fetch = worker()
    for _ in range(5):
        step(fetch, outcome(status=500, error="u: answered 500"))
    step(fetch, outcome(entries=ENTRIES))
    step(fetch, outcome(status=304))
    events = [line.getMessage().split(" ")[0] for line in caplog.records]
    assert events == ["u:", "feed.broken", "feed.recovered"], "the failure itself once, then what it comes to"


def test_a_poll_that_got_no_turn_changes_nothing_and_comes_again_soon() -> None:
    fetch = worker()
    before = state(step(fetch, outcome(entries=ENTRIES, etag="e")))
    later = NOW + timedelta(hours=1)
    for number in range(9):
        at = later + number * timedelta(minutes=2)
        after = state(step(fetch, outcome(at=at, status=None, error="busy", postponed=True)))
        assert timedelta(minutes=1) <= after.next_poll_at - at <= timedelta(minutes=2)
        assert replace(after, polls=1, next_poll_at=before.next_poll_at) == before
        assert [asked.etag for asked in requests(fetch, at + timedelta(minutes=2))] == ["e"]


def test_the_domain_that_asks_for_rest_gets_it_wherever_a_redirect_came_from() -> None:
    other = feed_from_url("https://host.example/b", NOW)
    fetch = worker(FEED, other)
    busy = replace(outcome(status=429, retry_after_s=7_200, error="429"), url="https://feeds.host.example/a")
    step(fetch, busy)
    assert requests(fetch, NOW + timedelta(hours=1.9)) == []
    assert {asked.feed_id for asked in requests(fetch, NOW + timedelta(hours=2))} == {FEED.id, other.id}


def test_a_feed_is_gone_by_its_own_word_only() -> None:
    elsewhere = replace(outcome(status=410, error="410"), url="https://parking.example/")
    assert not state(step(worker(), elsewhere)).gone
    assert state(step(worker(), replace(elsewhere, moved_to=elsewhere.url))).gone
    assert state(step(worker(), outcome(status=410, error="410"))).gone


def test_two_feeds_that_moved_to_each_other_are_read_once_and_not_given_up() -> None:
    other = feed_from_url("https://www.other.example/feed", NOW)
    fetch = worker(FEED, other)
    at = NOW
    for asked, target in ((FEED, other), (other, FEED)):
        for _ in range(3):
            at += timedelta(hours=5)
            step(fetch, outcome(asked, at, status=304, moved_to=target.url, etag="e"))
    assert len(requests(fetch, at + timedelta(days=2))) == 1


def test_pages_rest_with_their_host_and_none_is_asked_for_that_is_given_up() -> None:
    fetch, made = worker(), paged(url="https://news.example/page")
    for change in fetch.process(record(page_asked(made), FETCH_REQUESTS, 7)).changes:
        fetch.apply(change)
    asked = [act.id for act in fetch.wake(NOW).acts]
    assert [act_id.partition(":")[0] for act_id in asked] == ["page", FEED.id]
    late = fetch.wake(NOW + timedelta(days=2))
    assert [act.id for act in late.acts] == asked[1:]
    assert [(change.topic, change.value) for change in late.changes] == [(PAGE_WANTS, None)]
    step(fetch, outcome(status=429, retry_after_s=600, error="u: answered 429"))
    assert fetch.wake(NOW + timedelta(seconds=599)).acts == ()
    assert [act.id for act in fetch.wake(NOW + timedelta(seconds=600)).acts] == asked[:1]
