"""What an operator reads of a poll: a failure once, and entries that were left out."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from tieup.feeds.poll import new_state
from tieup.feeds.registry import feed_from_url
from tieup.feeds.watch import feed_events, poll_faults
from tieup.model.feed import FeedState, FetchOutcome

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


def told(before: FeedState, after: FeedState) -> list[str]:
    return [event for event, _ in feed_events(before, after)]


def test_a_feed_breaks_once_and_recovers_once() -> None:
    errors = [replace(AWAY, errors_in_a_row=count) for count in (1, 2, 3, 4)]
    steps = [WELL, *errors, WELL, WELL]
    assert [told(before, after) for before, after in pairwise(steps)] == [
        *([], [], ["broken"], []),
        *(["recovered"], []),
    ]


def test_one_that_was_gone_and_answers_again_has_recovered() -> None:
    gone = replace(AWAY, gone=True, last_status=410)
    assert told(WELL, gone) == ["gone"]
    assert told(gone, gone) == []
    asked_again = replace(gone, gone=False)
    assert told(asked_again, WELL) == ["recovered"]


def test_an_overrun_is_told_when_it_begins() -> None:
    lost = replace(WELL, overrun=True, overruns=1, window=20)
    assert told(WELL, lost) == ["overrun"]
    assert told(lost, replace(lost, overruns=2)) == []
    assert told(lost, WELL) == []
    assert told(replace(WELL, overruns=2), replace(lost, overruns=3)) == ["overrun"]


def test_a_move_is_told_when_it_is_believed() -> None:
    moved = replace(WELL, location="https://news.example/feed")
    assert told(replace(WELL, moved_to=moved.location, moved_times=2), moved) == ["moved"]
    assert told(moved, moved) == []
