"""What the fetch worker decides about hubs, driven as the runner drives it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.events.validate import SchemaValidator
from tieup.feeds.callbacks import Callbacks
from tieup.feeds.registry import feed_from_url, feed_record, poll_now_record, removal_record
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.feeds.watch import FetchWatch
from tieup.feeds.websub import HubTerms
from tieup.feeds.worker import FetchWorker
from tieup.log.base import NOTHING, Act, Change, Output, Record
from tieup.log.topics import ARTICLES, FEED_STATES, FEEDS, FETCH_REQUESTS
from tieup.model.article import Article
from tieup.model.codec import decode, encode, to_millis
from tieup.model.feed import Entry, Feed, FeedState, FetchOutcome, FetchRequest, HubNotice
from tieup.model.hub import HubOutcome, HubRequest

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FEED = feed_from_url("https://news.example/feed", NOW, language="en")
HUB, TOPIC = "https://hub.example/", "https://news.example/feed.atom"
FETCH = FetchSettings(jitter=0.0)
TERMS = HubTerms(Callbacks("a master key for tests that is long enough", "https://me.example"), WebSubSettings(), FETCH)
VALIDATOR = SchemaValidator()
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def entry(number: int, text: str = "Ford speaks with BYD.") -> Entry:
    return Entry(f"guid-{number}", f"https://news.example/{number}", f"Title {number}", f"<p>{text}</p>")


class Scene:
    """One task, one feed and a clock; what it writes is checked and applied."""

    def __init__(self, terms: HubTerms | None = TERMS, feed: Feed = FEED) -> None:
        self.worker = FetchWorker(FETCH, FetchWatch(), hubs=terms)
        self.now = NOW
        self.feed = feed
        self.articles: list[str] = []
        self.want(feed)

    def want(self, feed: Feed) -> None:
        self.worker.apply(Change(FEEDS, feed.id.encode(), feed_record(feed).value))

    def take(self, output: Output) -> Output:
        for made in (*output.records, *output.changes):
            VALIDATOR.check(made.topic, made.value)
        for change in output.changes:
            self.worker.apply(change)
        found = [decode(Article, made.value, "test") for made in output.records if made.topic == ARTICLES]
        self.articles += [f"{article.title} v{article.version}" for article in found]
        return output

    def say(self, topic: str, value: object, key: str, offset: int = -1) -> Output:
        return self.take(
            self.worker.process(Record(topic, 0, offset, key.encode(), encode(value), to_millis(self.now)))
        )

    def poll(self, *numbers: int, **found: object) -> FeedState:
        """A poll that finds these entries; `entries=None` nothing new."""
        facts = {"status": 200, "etag": "e", "hub_url": HUB, "topic_url": TOPIC, "entries": tuple(map(entry, numbers))}
        outcome = FetchOutcome(self.feed.id, self.feed.url, self.feed.url, self.now, **(facts | found))
        self.say("fetch", outcome, f"{self.feed.id}:1")
        return self.state

    def acts(self) -> list[Act]:
        output = self.worker.wake(self.now)
        assert output == self.worker.wake(self.now)
        self.take(replace(output, acts=()))
        return [act for act in output.acts if isinstance(act.payload, HubRequest)]

    def asks(self) -> list[tuple[str, str]]:
        return [(act.payload.mode, act.payload.hub) for act in self.acts()]

    def answer(self, **facts: object) -> None:
        """The hub answers what it is asked now."""
        (act,) = self.acts()
        asked, asked_at = act.payload, self.now
        self.now += timedelta(seconds=2)
        outcome = HubOutcome(asked.feed_id, asked.mode, asked.hub, asked.topic, asked_at, self.now, **facts)
        self.say("fetch", outcome, act.id)

    def hear(self, mode: str, topic: str = TOPIC, **facts: object) -> Output:
        """The hub says something to the callback of a topic."""
        tag = TERMS.callbacks.give(FEED.domain, FEED.id, topic).topic_tag
        notice = HubNotice(mode, tag, **facts)
        request = FetchRequest(topic, FEED.domain, f"hub: {mode}", self.now, feed_id=FEED.id, hub=notice)
        return self.say(FETCH_REQUESTS, request, FEED.id, offset=1)

    def push(self, *entries: Entry, topic: str = TOPIC) -> Output:
        return self.hear("push", topic, entries=entries)

    @property
    def state(self) -> FeedState:
        return self.worker._states[self.feed.id]


def leased(*numbers: int, lease_s: int = 864_000) -> Scene:
    scene = Scene()
    scene.poll(*(numbers or (1, 2)))
    scene.answer(status=202)
    scene.now += timedelta(seconds=1)
    scene.hear("subscribe", lease_s=lease_s)
    return scene


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
