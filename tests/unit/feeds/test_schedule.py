from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import SettingsError
from tieup.feeds.poll import new_state
from tieup.feeds.schedule import MAX_WAIT_S, interval_s, next_poll_at, rate_after, rate_of_document
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Feed, FeedState, FetchOutcome

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


def test_without_validators_and_without_a_word_a_feed_is_asked_once_a_day() -> None:
    assert wait(etag=None) == 86_400
    assert wait(etag=None, last_modified="m") == wait(etag=None, max_age_s=60) == wait(etag=None, wish_s=60) == 3_600
    assert wait(etag=None, max_age_s=0) == 86_400


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
    assert interval_s(FEED, state(entries_per_day=1_000.0, window=25, etag=None), CALM) == 1_080


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
        {"unconditional_interval_s": 0},
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        FetchSettings(**wrong)
