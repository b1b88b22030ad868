"""What an operator is told of a feed: its state, how often it is asked and why, what asking now will do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cli.making import drawn

from tieup.cli.feeds.health_view import feed_table, feed_text
from tieup.cli.feeds.row import rows_of
from tieup.cli.feeds.store import Known
from tieup.feeds.looking.forecast import Outlook
from tieup.feeds.looking.health import health_of, resting_hosts
from tieup.feeds.looking.interval import chosen_interval, span
from tieup.feeds.poll import new_state
from tieup.feeds.registry import feed_from_url
from tieup.feeds.schedule import interval_s
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import FetchWorker
from tieup.log.base import Change, Record
from tieup.log.topics import FEED_STATES, FEEDS, FETCH_REQUESTS
from tieup.model.codec import encode, to_millis
from tieup.model.feed import Feed, FeedState, FetchRequest, Health
from tieup.model.hub import HubSubscription

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FEED = feed_from_url("https://news.example/rss", NOON - 90 * 24 * HOUR)
WELL = replace(
    new_state(FEED),
    last_poll_at=NOON - HOUR,
    last_success_at=NOON - HOUR,
    last_entry_at=NOON - 2 * HOUR,
    next_poll_at=NOON + HOUR,
    last_status=200,
    etag="x",
    polls=7,
)
BAD = replace(
    WELL,
    error=f"{FEED.url}: answered 404",
    errors_in_a_row=1,
    last_status=404,
    failing_since=NOON - 3 * HOUR,
)
ELSEWHERE = feed_from_url("https://other.example/rss", NOON)
SETTINGS = FetchSettings()


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        (None, Health.NEW, ""),
        (new_state(FEED), Health.NEW, ""),
        (WELL, Health.HEALTHY, ""),
        (BAD, Health.FAILING, "answered 404"),
        (replace(BAD, errors_in_a_row=3), Health.BROKEN, "answered 404"),
        (
            replace(BAD, gone=True, last_status=410),
            Health.GONE,
            "answered 410, so not asked again unless it is added again",
        ),
        (replace(WELL, overrun=True), Health.OVERRUN, "no entry of the poll before was left: some may be lost"),
        (replace(WELL, location=ELSEWHERE.url), Health.MOVED, "asked at https://other.example/rss"),
        (replace(WELL, last_entry_at=NOON - 31 * 24 * HOUR), Health.QUIET, "nothing new"),
    ],
)
def test_a_feed_s_state_in_a_word_and_a_reason(state: FeedState | None, word: Health, reason: str) -> None:
    found = health_of(FEED, state, NOON)
    assert (found.state, found.reason) == (word, reason)
    assert health_of(replace(FEED, paused=True), state, NOON).state == Health.PAUSED


def test_a_failure_says_since_when() -> None:
    assert health_of(FEED, BAD, NOON).since == NOON - 3 * HOUR
    assert health_of(FEED, replace(BAD, failing_since=None), NOON).since == WELL.last_success_at


def test_one_that_moved_onto_another_wanted_feed_is_told() -> None:
    moved = replace(WELL, location=ELSEWHERE.url)
    found = health_of(FEED, moved, NOON, stood_for=True)
    assert (found.asked, "is wanted too" in found.reason) == (False, True)
    assert health_of(FEED, moved, NOON).asked


def test_one_that_was_gone_and_is_added_again_is_no_longer_gone() -> None:
    again = replace(FEED, added_at=NOON)
    assert health_of(again, replace(BAD, gone=True), NOON).state == Health.FAILING


def test_a_redirect_s_host_rests_and_not_the_feed_s() -> None:
    state = replace(WELL, quiet_until=NOON + HOUR, quiet_domain="elsewhere.example")
    assert resting_hosts([state], NOON) == {"elsewhere.example": NOON + HOUR}


def test_of_two_feeds_that_moved_to_each_other_one_is_asked() -> None:
    states = {one.id: replace(new_state(one), location=two.url) for one, two in ((FEED, ELSEWHERE), (ELSEWHERE, FEED))}
    wanted = {FEED.id: FEED, ELSEWHERE.id: ELSEWHERE}
    assert [Outlook.of(states, wanted, NOON).forecast(feed).will for feed in wanted.values()].count(True) == 1


def test_a_host_rests_as_long_as_any_of_its_feeds_was_told() -> None:
    states = [replace(WELL, quiet_until=NOON + hours * HOUR) for hours in (-1, 2, 1)]
    assert resting_hosts(states, NOON) == {"news.example": NOON + 2 * HOUR}
    assert resting_hosts(states, NOON + 2 * HOUR) == {}


def test_a_lease_is_shown_while_it_holds() -> None:
    hub = HubSubscription(
        "https://hub.example/", FEED.url, "c", NOON, lease_until=NOON + HOUR, pushes=3, pushed_at=NOON
    )
    state = replace(WELL, hub_url=hub.url, hub=hub)
    (row,) = rows_of(Known({FEED.id: FEED}, {FEED.id: state}), SETTINGS, NOON)
    assert (row.is_pushed(NOON), row.is_pushed(NOON + HOUR)) == (True, False)
    assert row.as_json()["hub_lease_until"] == NOON + HOUR
    assert "push" in drawn(feed_table([row], NOON, 80))
    told = drawn(feed_text(row, NOON), 120)
    assert "https://hub.example/; leased until 2026-02-03 13:00 UTC (in 1 h); 3 pushes, the last 0 s ago" in told
    (without,) = rows_of(Known({FEED.id: FEED}, {FEED.id: WELL}), SETTINGS, NOON)
    assert (without.is_pushed(NOON), "names none" in drawn(feed_text(without, NOON))) == (False, True)


STATES = st.builds(
    lambda rate, window, etag, age, wish: replace(
        WELL, entries_per_day=rate, window=window, etag=etag, max_age_s=age, wish_s=wish
    ),
    st.none() | st.floats(0, 10_000),
    st.integers(0, 1_000),
    st.none() | st.just("x"),
    st.none() | st.integers(0, 10**7),
    st.none() | st.integers(0, 10**7),
)


@given(STATES, st.none() | st.integers(60, 10**6))
def test_the_interval_that_is_told_is_the_one_that_is_kept(state: FeedState, own: int | None) -> None:
    feed = replace(FEED, interval_s=own)
    found = chosen_interval(feed, state, SETTINGS)
    wish = min(max(state.max_age_s or 0, state.wish_s or 0), SETTINGS.max_interval_s)
    assert found.seconds == max(interval_s(feed, state, SETTINGS), wish)
    assert found.reason


@pytest.mark.parametrize(
    ("changes", "own", "words"),
    [
        ({}, None, "not known yet"),
        ({}, 7_200, "you set it"),
        ({"etag": None}, None, "no validators"),
        ({"entries_per_day": 3.0}, None, "about 3 entries a day; between 1 h and 4 h"),
        ({"entries_per_day": 2_000.0, "window": 50}, None, "some would be lost"),
        ({"max_age_s": 20_000}, None, "its server (max-age, Expires) asks for 6 h"),
        ({"wish_s": 30 * 86_400}, None, "the feed (ttl, sy:) asks for 30 d, of which 1 d are heeded"),
    ],
)
def test_the_reason_for_an_interval(changes: dict[str, object], own: int | None, words: str) -> None:
    assert words in chosen_interval(replace(FEED, interval_s=own), replace(WELL, **changes), SETTINGS).reason


def test_lengths_of_time_are_told_as_people_do() -> None:
    told = [span(seconds) for seconds in (0, 59, 90, 120, 3_600, 5_400, 7_200, 86_400, 100_000, 10**6)]
    assert told == ["0 s", "59 s", "90 s", "2 min", "1 h", "90 min", "2 h", "1 d", "28 h", "12 d"]


@pytest.mark.parametrize(
    ("feed", "state", "will", "words"),
    [
        (FEED, WELL, True, "will be polled at once"),
        (FEED, replace(WELL, next_poll_at=NOON), True, "due already"),
        (replace(FEED, paused=True), WELL, False, "paused"),
        (FEED, replace(BAD, last_status=429), False, "not polled before 2026-02-03 13:00 UTC"),
        (FEED, replace(BAD, last_status=429, next_poll_at=NOON), True, "due already"),
        (FEED, replace(WELL, location=ELSEWHERE.url), False, "which is wanted too"),
        (FEED, replace(WELL, quiet_until=NOON + HOUR / 2), True, "will be polled at 2026-02-03 12:30 UTC"),
        (FEED, replace(BAD, gone=True, last_status=410), True, "although its server called it gone"),
    ],
)
def test_what_a_wish_will_do_is_what_it_does(feed: Feed, state: FeedState, will: bool, words: str) -> None:
    wanted = {FEED.id: feed, ELSEWHERE.id: ELSEWHERE}
    told = Outlook.of({FEED.id: state}, wanted, NOON).forecast(feed)
    assert told.will == will
    assert words in told.words
    assert polled_after_a_wish(wanted, state) == will


def polled_after_a_wish(wanted: dict[str, Feed], state: FeedState) -> bool:
    """Whether the worker polls the feed within the hour before it would have been due, or when its host allows."""
    worker = FetchWorker(replace(SETTINGS, jitter=0.0))
    for feed in wanted.values():
        worker.apply(Change(FEEDS, feed.id.encode(), encode(feed)))
    worker.apply(Change(FEED_STATES, state.feed_id.encode(), encode(state)))
    request = FetchRequest(FEED.url, FEED.domain, "operator", NOON, feed_id=FEED.id)
    output = worker.process(Record(FETCH_REQUESTS, 0, 0, b"k", encode(request), to_millis(NOON)))
    for change in output.changes:
        worker.apply(change)
    acts = worker.wake(max(NOON, state.quiet_until or NOON)).acts
    return FEED.id in {act.payload.feed_id for act in acts}
