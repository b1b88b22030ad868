"""What the fetch worker decides about hubs: asking, believing, renewing, leaving."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.feeds.hub_scene import DAY, FEED, FETCH, HOUR, HUB, NOW, TERMS, TOPIC, Scene, entry, leased

from tieup.feeds.hubs.callbacks import Callbacks
from tieup.feeds.registry import feed_from_url, poll_now_record, removal_record
from tieup.log.base import NOTHING, Change
from tieup.log.topics import FEED_STATES, FEEDS, FETCH_REQUESTS
from tieup.model.codec import decode, encode
from tieup.model.feed import FetchOutcome, FetchRequest
from tieup.model.hub import HubOutcome


def test_a_hub_is_asked_when_it_is_found_and_renewed_at_three_quarters() -> None:
    scene = Scene()
    scene.poll(1)
    assert scene.asks() == [("subscribe", HUB)]
    scene.answer(status=202)
    assert scene.asks() == []
    scene.hear("subscribe", lease_s=864_000)
    assert scene.state.hub.lease_until == scene.now + 10 * DAY
    assert scene.now + 7.5 * DAY <= scene.state.hub.ask_at <= scene.now + 8.5 * DAY
    scene.now = scene.state.hub.ask_at
    assert scene.asks() == [("subscribe", HUB)]


@given(st.integers(0, 10**12), st.integers(0, 10**8))
def test_every_lease_is_renewed_before_its_end_but_not_too_often(lease_s: int, later_s: int) -> None:
    scene = Scene()
    scene.now += timedelta(seconds=later_s)
    scene.poll(1)
    scene.hear("subscribe", lease_s=lease_s)
    held = scene.state.hub
    wait = held.ask_at - scene.now
    assert wait >= timedelta(seconds=TERMS.websub.renewal_s)
    assert held.ask_at < held.lease_until or wait == timedelta(seconds=TERMS.websub.renewal_s)
    assert held.lease_until - scene.now <= timedelta(days=366)


def test_a_hub_that_verifies_before_it_answers_is_believed() -> None:
    scene = Scene()
    scene.poll(1)
    (act,) = scene.acts()
    scene.hear("subscribe", lease_s=864_000)
    before = scene.state.hub
    asked = HubOutcome(FEED.id, "subscribe", HUB, TOPIC, scene.now, scene.now + HOUR, error="silent")
    scene.say("fetch", asked, act.id)
    assert scene.state.hub == replace(before, asks=1)
    assert scene.asks() == []


@pytest.mark.parametrize("facts", [{"status": 202}, {"status": 500, "error": "answered 500"}, {"error": "refused"}])
def test_a_hub_that_does_not_verify_is_asked_ever_later(facts: dict) -> None:
    scene = Scene()
    scene.poll(1)
    waits = []
    for _ in range(12):
        scene.answer(**facts)
        waits.append((scene.state.hub.ask_at - scene.now).total_seconds())
        scene.now = scene.state.hub.ask_at
    assert waits == [min(900 * 2**times, 86_400) for times in range(12)]
    assert scene.state.hub.failures == 12


def test_a_hub_that_asks_to_be_left_alone_is_for_all_feeds() -> None:
    scene = Scene()
    other = feed_from_url("https://other.example/feed", NOW)
    scene.want(other)
    scene.poll(1)
    scene.answer(status=429, error="answered 429", retry_after_s=7_200)
    assert scene.state.hub.ask_at == scene.now + 2 * HOUR
    outcome = FetchOutcome(other.id, other.url, other.url, scene.now, 200, entries=(), hub_url=HUB, topic_url=other.url)
    scene.say("fetch", outcome, f"{other.id}:0")
    assert scene.asks() == []
    scene.now += 2 * HOUR
    assert len(scene.asks()) == 2


def test_a_denial_ends_the_lease_and_waits_days() -> None:
    scene = leased()
    scene.push(entry(3))
    assert scene.state.next_poll_at > NOW + 12 * HOUR
    scene.hear("denied", reason="no more")
    assert (scene.state.hub.lease_until, scene.state.hub.error) == (None, "denied by the hub: no more")
    assert scene.state.hub.ask_at == scene.now + DAY
    assert scene.state.next_poll_at == scene.state.hub.scheduled_at
    scene.now = scene.state.hub.ask_at
    scene.answer(status=202)
    scene.hear("denied")
    assert scene.state.hub.ask_at >= scene.now + 2 * DAY


def test_a_hub_that_ends_what_is_wanted_is_asked_again() -> None:
    scene = leased()
    scene.hear("unsubscribe")
    assert scene.state.hub.lease_until is None
    scene.now = scene.state.hub.ask_at
    assert scene.asks() == [("subscribe", HUB)]


def test_a_removed_feed_is_unsubscribed_with_few_tries() -> None:
    scene = leased()
    removal = removal_record(FEED, NOW)
    scene.worker.apply(Change(FEEDS, removal.key, removal.value))
    tries = 0
    while scene.state.hub is not None:
        scene.now = max(scene.now, scene.state.hub.ask_at if scene.state.hub.leaving else scene.now)
        scene.answer(status=500, error="answered 500")
        tries += 1
    assert tries == 3
    assert scene.asks() == []


def test_a_paused_feed_is_unsubscribed_and_a_resumed_one_subscribed() -> None:
    scene = leased()
    scene.want(replace(FEED, paused=True))
    assert scene.push(entry(3)) == NOTHING
    assert scene.asks() == [("unsubscribe", HUB)]
    scene.answer(status=202)
    assert scene.asks() == []
    scene.want(FEED)
    assert scene.asks() == [("subscribe", HUB)]


def test_a_feed_added_again_is_subscribed_again() -> None:
    scene = leased()
    scene.worker.apply(Change(FEEDS, FEED.id.encode(), None))
    scene.answer(status=500, error="answered 500")
    scene.want(FEED)
    assert scene.asks() == [("subscribe", HUB)]


def test_a_subscription_without_a_lease_ends_without_a_word() -> None:
    scene = Scene()
    scene.poll(1)
    scene.answer(status=500, error="answered 500")
    scene.worker.apply(Change(FEEDS, FEED.id.encode(), None))
    assert scene.asks() == []
    assert scene.state.hub is None


def test_another_hub_or_topic_is_subscribed_after_the_first_is_left() -> None:
    scene = leased()
    scene.poll(1, 2, hub_url="https://new.example/")
    assert scene.asks() == [("unsubscribe", HUB)]
    scene.answer(status=202)
    assert scene.asks() == [("subscribe", "https://new.example/")]


def test_a_document_without_a_hub_ends_it_and_other_answers_do_not() -> None:
    scene = leased()
    for found in ({"entries": None, "status": 304}, {"entries": None, "status": 500, "error": "answered 500"}):
        scene.poll(hub_url=None, topic_url=None, **found)
        assert scene.asks() == []
    scene.poll(1, 2, hub_url=None, topic_url=None)
    assert scene.asks() == [("unsubscribe", HUB)]


def test_another_key_or_address_asks_anew_and_believes_nothing_old() -> None:
    scene = leased()
    other = Scene(terms=replace(TERMS, callbacks=Callbacks("another master key, long enough as well", "https://me")))
    other.worker.apply(Change(FEED_STATES, FEED.id.encode(), encode(scene.state)))
    assert other.asks() == [("subscribe", HUB)]
    assert other.push(entry(3)) == NOTHING
    other.answer(status=202)
    assert other.state.hub.lease_until is None
    assert other.state.hub.ask_at == other.now + timedelta(seconds=FETCH.retry_s)


def test_poll_now_is_not_put_off_by_a_push() -> None:
    scene = leased()
    scene.now += timedelta(minutes=1)
    request = decode(FetchRequest, poll_now_record(FEED, "operator", scene.now).value, "test")
    scene.say(FETCH_REQUESTS, request, FEED.id, offset=1)
    wished = scene.state.next_poll_at
    scene.push(entry(3))
    assert scene.state.next_poll_at == wished == scene.now
