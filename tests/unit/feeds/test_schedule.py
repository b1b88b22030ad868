from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import SettingsError
from tieup.feeds.entries.identity import Recognised
from tieup.feeds.poll import new_state, state_after
from tieup.feeds.schedule import MAX_WAIT_S, interval_s, next_poll_at, rate_after, rate_of_document
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Entry, Feed, FeedState, FetchOutcome

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)  # a Tuesday
FEED = Feed("f1", "https://news.example/feed", "news.example", NOW)
CALM = FetchSettings(jitter=0.0)
OUTCOME = ("status", "retry_after_s")


def state(errors: int = 0, feed: Feed = FEED, **found: object) -> FeedState:
    return replace(new_state(feed), **({"errors_in_a_row": errors, "etag": '"a"'} | found))


def wait(errors: int = 0, settings: FetchSettings = CALM, feed: Feed = FEED, **found: object) -> float:
    outcome = FetchOutcome(feed.id, FEED.url, FEED.url, NOW, **{k: v for k, v in found.items() if k in OUTCOME})
    after = state(errors, feed, **{k: v for k, v in found.items() if k not in OUTCOME})
    return (next_poll_at(feed, after, outcome, settings) - NOW).total_seconds()


def test_the_longest_wish_wins() -> None:
    assert wait() == 3_600
    assert wait(max_age_s=60) == 3_600
    assert wait(max_age_s=7_200) == 7_200
    assert wait(max_age_s=7_200, wish_s=8_000) == 8_000
    assert wait(max_age_s=7_200, wish_s=8_000, retry_after_s=9_000) == 9_000


def test_a_feeds_own_interval_counts() -> None:
    assert wait(feed=Feed("f1", FEED.url, FEED.domain, NOW, interval_s=60), entries_per_day=0.0, etag=None) == 60


def test_a_wish_is_capped_at_a_day() -> None:
    assert wait(max_age_s=10**7) == wait(wish_s=10**7) == 86_400


def test_errors_back_off_and_are_never_for_ever() -> None:
    assert [wait(errors) for errors in (1, 2, 3)] == [900, 1_800, 3_600]
    assert wait(500) == 86_400


def test_a_host_that_answered_with_an_error_is_left_alone_for_an_interval() -> None:
    assert [wait(errors, status=404) for errors in (1, 2, 30)] == [3_600, 7_200, 86_400]
    assert wait(1, status=429) == 3_600
    assert wait(1, status=503, retry_after_s=5_000) == 5_000


def test_no_host_stops_a_feed_for_good() -> None:
    assert wait(retry_after_s=10**12) == MAX_WAIT_S


def test_without_validators_a_feed_is_asked_once_a_day_whatever_it_says_of_freshness() -> None:
    assert wait(etag=None) == wait(etag=None, max_age_s=60) == wait(etag=None, wish_s=60) == 86_400
    assert wait(etag=None, last_modified="m") == wait(last_modified=None) == 3_600
    assert wait(1, etag=None, status=200) == 86_400  # a page for people in the feed's place is a whole body too
    assert wait(1, status=200) == wait(1, etag=None, status=500) == 3_600


@pytest.mark.parametrize(
    ("rate", "window", "seconds"),
    [
        (None, 0, 3_600),
        (0.0, 30, 14_400),
        (1.0, 30, 14_400),
        (12.0, 30, 7_200),
        (100.0, 100, 3_600),
        (1_000.0, 25, 1_080),  # half of the 25 is new after 1,080 s
        (9_000.0, 25, 900),
    ],
)
def test_the_interval_fits_how_entries_arrive(rate: float | None, window: int, seconds: int) -> None:
    assert interval_s(FEED, state(entries_per_day=rate, window=window), CALM) == seconds


def test_entries_about_to_be_lost_outweigh_missing_validators() -> None:
    assert interval_s(FEED, state(entries_per_day=20.0, window=25, etag=None), CALM) == 54_000
    assert interval_s(FEED, state(entries_per_day=5e-324, window=25), CALM) == CALM.quiet_interval_s
    assert interval_s(FEED, state(entries_per_day=1_000.0, window=25, etag=None), CALM) == 3_600


def test_a_rate_is_smoothed_over_days_and_jumps_where_entries_were_lost() -> None:
    assert rate_after(24.0, 0, 3_600, lost=False) == pytest.approx(23.67, abs=0.01)
    assert rate_after(24.0, 1, 3_600, lost=False) == 24.0
    assert rate_after(24.0, 25, 3_600, lost=True) == 1_200.0
    assert rate_after(24.0, 9, 0, lost=False) == 24.0


def test_a_first_document_tells_its_rate_by_its_dates() -> None:
    dates = [NOW - timedelta(hours=hours) for hours in (1, 5, 48)]
    assert rate_of_document(dates, NOW) == 1.5
    assert rate_of_document(dates[:2], NOW) is None
    assert rate_of_document([NOW + timedelta(days=365)] * 5, NOW) is None
    assert rate_of_document([NOW] * 50, NOW) is None


SERVERS = st.fixed_dictionaries(
    {},
    optional={
        "etag": st.just('"e"'),
        "last_modified": st.just("Tue, 03 Feb 2026 07:00:00 GMT"),
        "max_age_s": st.sampled_from([0, 60, 7_200, 40_000, 10**7]),
        "wish_s": st.sampled_from([60, 3_600, 50_000]),
    },
)
DATES = st.lists(st.one_of(st.none(), st.floats(-400 * 86_400, 400 * 86_400)), max_size=60)


@given(SERVERS, DATES, st.sampled_from([0, 200, 304]))
def test_a_feed_that_never_changes_is_never_asked_too_often(
    server: dict[str, object], ages: list[float | None], status: int
) -> None:
    """Without validators it may be taken for a fast one by the dates of its first document, for a while."""
    dates = [None if age is None else NOW - timedelta(seconds=age) for age in ages]
    entries = tuple(Entry(str(at), None, "t", "x", date) for at, date in enumerate(dates))
    known = Recognised((), (), known=len(entries))
    after, at, gaps = new_state(FEED), NOW, []
    for turn in range(30):
        body = turn == 0 or status == 200
        outcome = FetchOutcome(FEED.id, FEED.url, FEED.url, at, status=200 if body else 304, **server)
        found = Recognised((), (), new=len(entries)) if turn == 0 else known if body else None
        outcome = replace(outcome, entries=entries if body else None)
        after = state_after(FEED, after, outcome, found, CALM)
        gaps.append((after.next_poll_at - at).total_seconds())
        at = after.next_poll_at
    wished = min(86_400, max(server.get("max_age_s", 0), server.get("wish_s", 0)))
    conditional = "etag" in server or "last_modified" in server
    believed = rate_of_document([date for date in dates if date is not None], NOW)
    least = 3_600 if conditional else 10_800 if believed else 86_400
    assert max(least, wished) <= min(gaps) <= max(gaps) <= 86_400


@pytest.mark.parametrize("window", [10, 25, 100])
@pytest.mark.parametrize("per_hour", [0.02, 0.2, 1, 5, 12, 20])
def test_polls_find_the_pace_of_a_feed_and_lose_nothing_from_then_on(per_hour: float, window: int) -> None:
    """An even stream of undated entries: what polls miss at first makes them quick enough."""
    after, at, gaps, lost_at = new_state(FEED), NOW, [], []
    total = 0
    for turn in range(200):
        count = int((at - NOW).total_seconds() / 3_600 * per_hour) + window
        new = window if turn == 0 else min(count - total, window)
        lost_at += [turn] if turn and count - total > window else []
        total = count
        entries = tuple(Entry(str(number), None, "t", "x") for number in range(window))
        outcome = FetchOutcome(FEED.id, FEED.url, FEED.url, at, status=200, etag="e", entries=entries)
        found = Recognised((), (), known=window - new, new=new)
        after = state_after(FEED, after, outcome, found, CALM)
        gaps.append((after.next_poll_at - at).total_seconds())
        at = after.next_poll_at
    assert lost_at == lost_at[:5]
    assert gaps[-1] == pytest.approx(max(min(14_400, max(3_600, 3_600 / per_hour)), 900), rel=0.3) or (
        gaps[-1] == pytest.approx(max(900, window * 3_600 / (2 * per_hour)), rel=0.3)
    )


def test_hours_and_days_that_a_feed_skips_are_left_out() -> None:
    at = wait(skip_hours=(9, 10))
    assert 3 * 3_600 <= at <= 3 * 3_600 + 600
    weekend = replace(state(), skip_days=(1, 2))
    found = next_poll_at(FEED, weekend, FetchOutcome("f1", FEED.url, FEED.url, NOW), CALM)
    assert (found.weekday(), found.hour) == (3, 0)
    assert wait(skip_hours=(12,)) == 3_600
    assert wait(skip_hours=tuple(range(24))) == 3_600


RESULTS = st.builds(
    state,
    errors=st.integers(0, 30),
    max_age_s=st.none() | st.integers(0, 10**9),
    wish_s=st.none() | st.integers(0, 10**9),
    entries_per_day=st.none() | st.floats(0, 10**6),
    window=st.integers(0, 1_000),
    skip_hours=st.sets(st.integers(0, 23)).map(tuple),
    skip_days=st.sets(st.integers(0, 6)).map(tuple),
)


@given(RESULTS, st.text(min_size=1, max_size=8), st.none() | st.integers(0, 10**9))
def test_a_poll_is_never_early_never_for_ever_and_replays(after: FeedState, feed_id: str, retry: int | None) -> None:
    feed = Feed(feed_id, FEED.url, FEED.domain, NOW)
    shaken = FetchSettings(jitter=0.2)
    outcome = FetchOutcome(feed_id, FEED.url, FEED.url, NOW, retry_after_s=retry)
    bare = replace(after, skip_hours=(), skip_days=())
    calm, first = next_poll_at(feed, bare, outcome, CALM), next_poll_at(feed, after, outcome, shaken)
    asked = max(min(max(after.max_age_s or 0, after.wish_s or 0), 86_400), min(retry or 0, MAX_WAIT_S))
    assert NOW + timedelta(seconds=asked) <= calm <= first <= NOW + timedelta(seconds=MAX_WAIT_S * 1.2 + 8 * 86_400)
    assert first == next_poll_at(feed, after, outcome, shaken)


def test_jitter_spreads_feeds_that_failed_together() -> None:
    outcome = FetchOutcome("f1", FEED.url, FEED.url, NOW)
    made = [Feed(str(number), FEED.url, "d", NOW) for number in range(50)]
    assert len({next_poll_at(feed, state(1, feed), outcome, FetchSettings()) for feed in made}) > 40


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_s": 0},
        {"jitter": 2.0},
        {"max_seen": 1},
        {"max_seen": 10_001},
        {"contact": "a\nb"},
        {"parsers": 0},
        {"max_redirects": -1},
        {"host_rate": -1.0},
        {"host_burst": 0},
        {"per_address": 0},
        {"address_rate": -1.0},
        {"unconditional_interval_s": 0},
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        FetchSettings(**wrong)
