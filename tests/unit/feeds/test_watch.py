"""What an operator reads of a poll: a failure once, and entries that were left out."""

from dataclasses import replace
from datetime import UTC, datetime

from tieup.feeds.poll import new_state
from tieup.feeds.registry import feed_from_url
from tieup.feeds.watch import poll_faults
from tieup.model.feed import FetchOutcome

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
FEED = feed_from_url("https://news.example/rss", NOON)
WELL = new_state(FEED)
AWAY = replace(WELL, error="https://news.example/rss: answered 404", errors_in_a_row=1)
HTML = replace(AWAY, error="https://news.example/rss: not a feed", errors_in_a_row=2)
POLL = FetchOutcome(FEED.id, FEED.url, FEED.url, NOON, status=200)


def test_a_failure_is_told_when_it_begins_and_when_it_changes() -> None:
    assert poll_faults(FEED, WELL, AWAY, POLL) == ["https://news.example/rss: answered 404"]
    assert poll_faults(FEED, AWAY, replace(AWAY, errors_in_a_row=2), POLL) == []
    assert poll_faults(FEED, AWAY, HTML, POLL) == ["https://news.example/rss: not a feed"]
    assert poll_faults(FEED, HTML, WELL, POLL) == []


def test_torn_and_empty_entries_are_told_with_the_feed_s_name() -> None:
    assert poll_faults(FEED, WELL, WELL, replace(POLL, bad_entries=2)) == [
        "https://news.example/rss: 2 entries left out: torn, empty or too many"
    ]
