"""One feed with a hub, driven as the runner drives it; what it writes is checked and applied."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tieup.events.validate import SchemaValidator
from tieup.feeds.hubs.callbacks import Callbacks
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.feeds.watch import FetchWatch
from tieup.feeds.worker import FetchWorker
from tieup.log.base import Act, Change, Output, Record
from tieup.log.topics import ARTICLES, FEEDS, FETCH_REQUESTS
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
