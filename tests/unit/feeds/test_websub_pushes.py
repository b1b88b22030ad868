"""What the fetch worker decides about what hubs push, and about the polls beside."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.feeds.hub_scene import DAY, FEED, HOUR, HUB, NOW, TERMS, TOPIC, Scene, entry, leased

from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.settings import WebSubSettings
from tieup.log.base import NOTHING, Change
from tieup.log.topics import FEED_STATES, FEEDS
from tieup.model.codec import encode
from tieup.model.feed import Entry, FeedState


def test_a_pushed_entry_is_an_article_once_and_an_edit_a_version() -> None:
    scene = leased()
    scene.articles.clear()
    scene.push(entry(3))
    scene.push(entry(3))
    scene.push(entry(3, "Ford denies talks with BYD."))
    scene.poll(3, 1, 2, body_hash="b")
    assert scene.articles == ["Title 3 v1", "Title 3 v2", "Title 3 v3"]  # the poll still shows the first text


OF_PUSHES = {"entries", "last_entry_at", "hub"}


def test_a_push_is_neither_an_overrun_nor_moves_what_is_the_poll_s() -> None:
    scene = leased(1, 2, 3, 4)
    before = scene.state
    scene.push(entry(9))
    scene.push(entry(8), entry(7))
    own = {name: getattr(scene.state, name) for name in FeedState.__slots__ if name not in OF_PUSHES}
    assert own | {"next_poll_at": None} == {name: getattr(before, name) for name in own} | {"next_poll_at": None}
    assert scene.state.entries == before.entries + 3
    scene.now += DAY
    after = scene.poll(9, 8, 7, 4)
    assert (after.overruns, after.hub.new_since_poll) == (0, 0)
    quiet = leased(1, 2, 3, 4)
    quiet.now += DAY
    assert quiet.poll(1, 2, 3, 4).entries_per_day < after.entries_per_day  # what was pushed is arrival all the same


def test_a_feed_is_polled_less_once_its_hub_has_pushed_but_by_the_lease_s_end() -> None:
    scene = leased()
    assert scene.state.next_poll_at == NOW + HOUR
    scene.push(entry(3))
    assert scene.state.next_poll_at == NOW + DAY
    scene.now = NOW + DAY
    assert scene.poll(entries=None, status=304).next_poll_at == NOW + 2 * DAY
    short = leased(lease_s=10_000)
    short.push(entry(3))
    assert short.state.next_poll_at == short.state.hub.lease_until


def test_the_backup_is_never_sooner_than_the_schedule() -> None:
    scene = Scene(terms=replace(TERMS, websub=WebSubSettings(backup_interval_s=60)))
    scene.poll(1)
    scene.hear("subscribe", lease_s=864_000)
    scene.push(entry(3))
    assert scene.state.next_poll_at == NOW + HOUR


def test_a_failing_feed_is_polled_as_its_schedule_says() -> None:
    scene = leased()
    scene.push(entry(3))
    scene.now = NOW + DAY
    after = scene.poll(entries=None, status=500, error="answered 500", hub_url=None)
    assert after.next_poll_at == scene.now + HOUR


def test_a_feed_s_other_address_keeps_its_subscription() -> None:
    scene = leased()
    scene.feed = replace(FEED, url="http://news.example/feed")
    scene.want(scene.feed)
    held = scene.state.hub
    scene.poll(entries=None, hub_url=None, topic_url=None)
    assert scene.state.hub == replace(held, scheduled_at=scene.state.next_poll_at)
    assert scene.asks() == []


def test_an_operator_s_interval_stands() -> None:
    scene = Scene(feed=replace(FEED, interval_s=600))
    scene.poll(1)
    scene.hear("subscribe", lease_s=864_000)
    scene.push(entry(3))
    assert scene.state.next_poll_at == NOW + timedelta(seconds=600)


def test_a_hub_that_missed_an_entry_or_an_edit_is_not_relied_on() -> None:
    scene = leased()
    scene.push(entry(3))
    scene.now = NOW + DAY
    after = scene.poll(4, 3, 1, 2)
    assert after.next_poll_at < scene.now + 6 * HOUR
    assert after.hub.doubted_until == scene.now + 7 * DAY
    scene.push(entry(5))
    assert scene.state.next_poll_at == after.next_poll_at


def test_a_ping_is_a_poll_soon_but_not_at_once_again_and_no_miss() -> None:
    scene = leased()
    scene.hear("ping")
    assert scene.state.next_poll_at == NOW + timedelta(seconds=60)  # the last poll was at NOW
    scene.now = NOW + timedelta(seconds=90)
    after = scene.poll(3, 1, 2)
    assert after.hub.doubted_until is None
    assert after.next_poll_at == scene.now + DAY
    scene.hear("ping")
    assert scene.state.next_poll_at == scene.now + timedelta(seconds=60)


def test_a_ping_does_not_break_a_back_off() -> None:
    scene = leased()
    after = scene.poll(entries=None, status=503, error="answered 503", retry_after_s=7_200, hub_url=None)
    scene.hear("ping")
    assert scene.state.next_poll_at == after.next_poll_at


def test_entries_that_only_the_whole_document_tells_apart_are_left_to_a_poll() -> None:
    """All entries of some feeds link to the front page: then the link identifies none of them."""
    scene = leased()
    scene.push(Entry("guid-8", "https://news.example/", "Title 8", "Ford speaks."))
    scene.articles.clear()
    scene.push(Entry("guid-9", "https://news.example/", "Title 9", "BYD speaks."))
    assert scene.articles == []
    assert scene.state.next_poll_at <= scene.now + timedelta(seconds=60)


@pytest.mark.parametrize("mode", ["push", "ping", "denied", "unsubscribe", "subscribe"])
def test_words_about_another_topic_or_without_a_lease_are_not_heard(mode: str) -> None:
    scene = leased()
    assert scene.hear(mode, "https://news.example/other") == NOTHING
    scene.now = scene.state.hub.lease_until
    if mode in ("push", "ping"):
        assert scene.hear(mode) == NOTHING


def test_nothing_is_heard_without_terms_of_removed_or_of_gone_feeds() -> None:
    off = Scene(terms=None)
    off.poll(1)
    assert (off.state.hub_url, off.state.topic_url) == (HUB, TOPIC)  # shown, though nothing is asked
    assert off.asks() == []
    assert off.hear("subscribe", lease_s=1_000) == NOTHING
    gone = leased()
    gone.poll(entries=None, status=410, error="answered 410", hub_url=None)
    assert gone.push(entry(3)) == NOTHING
    removed = leased()
    removed.worker.apply(Change(FEEDS, FEED.id.encode(), None))
    assert removed.push(entry(3)) == NOTHING


def test_where_websub_is_switched_off_feeds_are_polled_as_before() -> None:
    scene = leased()
    scene.push(entry(3))
    off = Scene(terms=None)
    off.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(scene.state)))
    assert [act.payload.url for act in off.worker.wake(NOW + HOUR).acts] == [FEED.url]
    assert scene.worker.wake(NOW + HOUR).acts == ()


@pytest.mark.parametrize("terms", [None, replace(TERMS, asks=False)])
@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"status": 304, "entries": None},
        {"status": 500, "entries": None, "error": "500"},
        {"status": None, "entries": None, "error": "busy", "postponed": True},
        {"skip_hours": (9, 10), "max_age_s": 600},
    ],
)
def test_where_websub_is_switched_off_a_feed_that_was_pushed_is_polled_once_when_it_is_due(
    terms: HubTerms | None, facts: dict
) -> None:
    before = leased()
    before.push(entry(3))
    scene = Scene(terms)
    scene.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(before.state)))
    scene.now = before.state.hub.scheduled_at
    assert len(scene.worker.wake(scene.now).acts) == 1
    state = scene.poll(1, 2, 3, **facts)
    assert state.next_poll_at > scene.now
    assert scene.worker.wake(state.next_poll_at - timedelta(milliseconds=1)) == NOTHING
    scene.now = max(state.next_poll_at, NOW + HOUR + timedelta(minutes=5))  # where hours are skipped: into them
    scene.take(replace(scene.worker.wake(scene.now), acts=()))
    assert len(scene.worker.wake(scene.state.next_poll_at).acts) == 1


def test_where_websub_is_switched_off_a_late_poll_is_put_off_once_into_hours_that_are_not_skipped() -> None:
    before = leased()
    before.push(entry(3))
    scene = Scene(terms=None)
    skipping = replace(before.state, skip_hours=(10, 11))
    scene.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(skipping)))
    scene.now = NOW.replace(hour=10, minute=30)
    assert scene.take(scene.worker.wake(scene.now)).changes
    assert scene.state.next_poll_at >= NOW.replace(hour=12)
    assert scene.worker.wake(scene.now) == NOTHING


def test_a_run_that_is_to_end_hears_what_was_pushed_but_asks_no_hub_and_polls_without_it() -> None:
    before = leased()
    before.now += HOUR / 2
    before.push(entry(3))
    scheduled = before.state.hub.scheduled_at
    assert before.state.next_poll_at > scheduled
    scene = Scene(replace(TERMS, asks=False))
    scene.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(before.state)))
    scene.now = before.now
    scene.push(entry(4))
    assert scene.articles == ["Title 4 v1"]
    assert scene.asks() == []
    assert scene.worker.wake(scheduled - timedelta(seconds=1)) == NOTHING
    (poll,) = scene.worker.wake(scheduled).acts
    assert poll.payload.url == FEED.url
    scene.now += 30 * DAY
    assert scene.asks() == []


@pytest.mark.parametrize(("away", "early"), [(timedelta(minutes=9), False), (3 * HOUR, True)])
def test_after_a_time_without_us_a_pushed_feed_is_polled_once_by_its_own_schedule(away: timedelta, early: bool) -> None:
    before = leased()
    before.push(entry(3))
    scheduled, backup = before.state.hub.scheduled_at, before.state.next_poll_at
    scene = Scene()
    scene.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(before.state)))
    scene.now = before.now + away
    assert scene.asks() == []
    scene.push(entry(4))  # tells nothing of what was pushed in the meantime
    scene.now = max(scene.now, scheduled)
    assert (scene.worker.wake(scene.now) != NOTHING) is early
    if early:
        assert scene.poll(1, 2, 3, 4, 5).next_poll_at > scene.now
        assert scene.articles == ["Title 4 v1", "Title 5 v1", "Title 3 v1", "Title 2 v1", "Title 1 v1"]
        assert scene.state.hub.doubted_until is None
        assert scene.worker.wake(scene.now + timedelta(seconds=1)) == NOTHING
    else:
        assert len(scene.worker.wake(backup).acts) == 1


def test_after_a_time_without_us_a_poll_that_got_no_turn_waits_for_one() -> None:
    before = leased()
    before.push(entry(3))
    scene = Scene()
    scene.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(before.state)))
    scene.now = before.now + 3 * HOUR
    assert len(scene.worker.wake(scene.now).acts) == 1
    state = scene.poll(entries=None, status=None, error="busy", postponed=True)
    assert scene.now < state.next_poll_at < scene.now + HOUR
    assert scene.worker.wake(scene.now + timedelta(seconds=1)) == NOTHING
    assert len(scene.worker.wake(state.next_poll_at).acts) == 1
