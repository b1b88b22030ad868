from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import SettingsError
from tieup.feeds.schedule import MAX_WAIT_S, next_poll_at
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Feed, FetchOutcome

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FEED = Feed("f1", "https://news.example/feed", "news.example", NOW)
CALM = FetchSettings(jitter=0.0)


def outcome(**found: object) -> FetchOutcome:
    return FetchOutcome("f1", FEED.url, FEED.url, NOW, **found)


def wait(errors: int = 0, settings: FetchSettings = CALM, feed: Feed = FEED, **found: object) -> float:
    return (next_poll_at(feed, outcome(**found), errors, settings) - NOW).total_seconds()


def test_the_longest_wish_wins() -> None:
    assert wait() == 3_600
    assert wait(max_age_s=60) == 3_600
    assert wait(max_age_s=7_200) == 7_200
    assert wait(max_age_s=7_200, retry_after_s=9_000) == 9_000


def test_a_feeds_own_interval_counts() -> None:
    assert wait(feed=Feed("f1", FEED.url, FEED.domain, NOW, interval_s=60)) == 60


def test_errors_back_off_and_are_never_for_ever() -> None:
    assert [wait(errors) for errors in (1, 2, 3)] == [900, 1_800, 3_600]
    assert wait(500) == 86_400


def test_a_host_that_asks_for_slowness_gets_it() -> None:
    assert wait(1, status=429) == 3_600
    assert wait(1, status=503, retry_after_s=5_000) == 5_000


def test_no_host_stops_a_feed_for_good() -> None:
    assert wait(retry_after_s=10**12) == MAX_WAIT_S


@given(st.integers(1, 30), st.integers(0, 10**6), st.text(min_size=1, max_size=8))
def test_jitter_is_never_early_and_replays(errors: int, age: int, feed_id: str) -> None:
    feed = Feed(feed_id, FEED.url, FEED.domain, NOW)
    shaken = FetchSettings(jitter=0.2)
    calm = next_poll_at(feed, outcome(max_age_s=age), errors, CALM)
    first = next_poll_at(feed, outcome(max_age_s=age), errors, shaken)
    assert calm <= first <= calm + timedelta(seconds=0.2 * 86_400)
    assert first == next_poll_at(feed, outcome(max_age_s=age), errors, shaken)


def test_jitter_spreads_feeds_that_failed_together() -> None:
    waits = {next_poll_at(Feed(str(n), FEED.url, "d", NOW), outcome(), 0, FetchSettings()) for n in range(50)}
    assert len(waits) > 40


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_s": 0},
        {"jitter": 2.0},
        {"max_seen": 1},
        {"max_seen": 5_001},
        {"contact": "a\nb"},
        {"parsers": 0},
        {"max_redirects": -1},
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        FetchSettings(**wrong)
