"""An article edited in its feed, through all workers on the embedded log: what subscribers are told, and when."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from tests.feed_server import CONTENT_TYPES, FeedServer, Page, document, feed_server
from tests.fetching import NOON, Fetching

from tieup.bootstrap import run
from tieup.config import load_settings
from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.feeds.settings import FetchSettings
from tieup.log.topics import ARTICLES, EVENTS, STORIES

TALKS = (
    "Ford is in talks with Xiaomi about a joint venture to build electric cars in the United States, "
    "the Financial Times reported on Monday, citing four people familiar with the matter. "
    "The two carmakers have discussed a plant in Michigan for months, the people said."
)
DENIED = "Ford said on Tuesday that the report is false: there are no talks with Xiaomi about a joint venture. " + TALKS
NOTHING = "Ford will present a new pick-up in Dearborn next week. The model keeps its name."
TEASER = "Ford is in talks with Xiaomi about a joint venture."
OTHER_TEASER = "A new pick-up from Dearborn."


@dataclass
class Newsroom:
    """One site whose feeds are served at other times with other words; every poll is a whole service started anew."""

    path: Path
    served: FeedServer
    log: Fetching

    def shows(self, text: str, *, path: str = "/feed", kind: str = "rss", head: str = "") -> None:
        body = document(kind, 1, text=text, head=head)
        self.served.pages[path] = Page(body, f'"{hash(body)}"', headers=(("Content-Type", CONTENT_TYPES[kind]),))

    async def subscribe(self, *paths: str) -> None:
        urls = [f"http://news.example{path}" for path in paths]
        await self.log.append(feeds_to_records([feed_from_url(url, self.log.now) for url in urls]))

    async def poll(self) -> list[str]:
        """Run all workers until nothing is due; returns the types of the events that were published."""
        before = len(await self.log.read(EVENTS))
        feeds = FetchSettings(hosts={"news.example": self.served.place}, jitter=0.0, host_rate=0.0)
        settings = replace(load_settings({}, {"log": f"sqlite:///{self.path}", "http": "off"}), feeds=feeds)
        await run(settings, once=True, clock=lambda: self.log.now)
        self.log.now += timedelta(days=1)
        return [event["type"] for event in map(value, (await self.log.read(EVENTS))[before:])]


def value(record) -> dict:
    return orjson.loads(record.value)


@pytest.fixture
async def newsroom(tmp_path: Path) -> AsyncIterator[Newsroom]:
    async with feed_server() as served:
        yield Newsroom(tmp_path / "log.db", served, Fetching(tmp_path / "log.db", NOON))


@pytest.mark.parametrize("kind", sorted(CONTENT_TYPES))
async def test_a_denial_that_arrives_as_an_edit_is_an_event_after_one_poll(newsroom: Newsroom, kind: str) -> None:
    newsroom.shows(TALKS, kind=kind)
    await newsroom.subscribe("/feed")
    assert await newsroom.poll() == ["story.opened"]
    newsroom.shows(DENIED, kind=kind)
    assert await newsroom.poll() == ["story.denied"]
    (story,) = {record.key: value(record) for record in await newsroom.log.read(STORIES)}.values()
    assert (story["factuality"], story["article_count"]) == ("denied", 1)


async def test_an_edit_that_withdraws_a_tie_reaches_its_story(newsroom: Newsroom) -> None:
    newsroom.shows(TALKS)
    await newsroom.subscribe("/feed")
    assert await newsroom.poll() == ["story.opened"]
    newsroom.shows(NOTHING)
    assert await newsroom.poll() == ["story.corrected"]
    (story,) = {record.key: value(record) for record in await newsroom.log.read(STORIES)}.values()
    assert (story["withdrawn"], story["article_count"]) == (True, 0)


async def test_of_two_texts_of_one_article_the_teaser_withdraws_nothing(newsroom: Newsroom) -> None:
    newsroom.shows(TEASER, path="/teasers")
    newsroom.shows(TALKS, path="/whole")
    await newsroom.subscribe("/teasers", "/whole")
    assert (await newsroom.poll())[:1] == ["story.opened"]
    newsroom.shows(TEASER, path="/teasers", head="<ttl>60</ttl>")  # read again, after the whole text was told
    await newsroom.poll()
    newsroom.shows(OTHER_TEASER, path="/teasers")
    assert await newsroom.poll() == []
    newsroom.shows(NOTHING * 3, path="/whole")
    assert await newsroom.poll() == ["story.corrected"]
    articles = [value(record) for record in await newsroom.log.read(ARTICLES)]
    assert len({article["id"] for article in articles}) == 1
    assert [article["version"] for article in articles] == list(range(1, len(articles) + 1))
    assert [article["excerpt"] for article in articles][-2:] == [True, False]
