"""Full text as a user has it: the service run again and again on a feed of teasers, and what its events tell."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.feed_server import Answer, FeedServer, feed_server, rss
from tests.service import environment, tieup

from tieup.bootstrap import open_log
from tieup.cli.reading import read_from
from tieup.config import load_settings
from tieup.errors import TopicError
from tieup.feeds.registry import feed_from_url, poll_now_record
from tieup.log.base import Log
from tieup.log.topics import EVENTS, FETCH_REQUESTS

OLD = "<item><title>Weather</title><link>/weather</link><guid>w</guid><description>Rain.</description></item>"
TEASER = "<item><title>{}</title><link>/news/1</link><guid>1</guid><description>{}</description></item>"
TALKS = "Ford and Xiaomi are in talks on a joint venture, two people familiar with the matter said on Monday."
MORE = "Ford wants to build electric cars with the partner from China, the two people said."
DENIAL = "Xiaomi denied on Tuesday that it is in talks with Ford on a joint venture."


def page(*paragraphs: str) -> Answer:
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    html = f"<!doctype html><html><body><article><h1>Car news</h1>{text}</article></body></html>"
    return Answer(html.encode(), headers=(("Content-Type", "text/html"),))


@dataclass
class Desk:
    folder: Path
    served: FeedServer

    @property
    def feed(self) -> str:
        return self.served.url("/feed.xml", "news.example")

    async def tieup(self, *arguments: str) -> str:
        done = await asyncio.to_thread(tieup, list(arguments), environment(), self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def log(self) -> Log:
        return await open_log(load_settings({}, {"log": f"sqlite:///{self.folder / 'tieup.db'}"}))

    async def poll(self, *items: str) -> None:
        self.served.pages["/feed.xml"] = Answer(rss(*items, OLD))
        asked = poll_now_record(feed_from_url(self.feed, datetime.now(UTC)), "test", datetime.now(UTC))
        async with await self.log() as log:
            await log.append([asked])
        await self.tieup("run", "--once")

    async def events(self) -> list[dict]:
        async with await self.log() as log:
            return [json.loads(one.value) async for one in read_from(log, EVENTS, "begin", follow=False)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with feed_server({"/feed.xml": Answer(rss(OLD))}) as served:
        (tmp_path / "tieup.toml").write_text(f'[feeds.hosts]\n"news.example" = "{served.place}"\n', "utf-8")
        made = Desk(tmp_path, served)
        await made.tieup("feeds", "add", made.feed)
        await made.tieup("run", "--once")
        yield made


def told(events: list[dict]) -> list[tuple[str, frozenset[str]]]:
    return [(event["type"], frozenset(party["id"] for party in event["parties"])) for event in events]


async def test_what_only_a_page_says_becomes_an_event_and_a_denial_in_an_edit_does_at_once(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(TALKS, MORE)
    await desk.poll(TEASER.format("Ford in talks on a joint venture", "A partner from China is close."))
    assert told(await desk.events()) == [("story.opened", frozenset({"ford", "xiaomi"}))]

    desk.served.pages["/news/1"] = Answer(status=500)
    await desk.poll(TEASER.format("Xiaomi denies joint venture talks with Ford", DENIAL))
    assert told((await desk.events())[1:]) == [("story.denied", frozenset({"ford", "xiaomi"}))]
    asked = len(desk.served.seen)
    assert [seen.path for seen in desk.served.seen].count("/news/1") == 2

    await desk.tieup("replay", "--suffix", "try1")
    assert len(desk.served.seen) == asked
    async with await desk.log() as log:
        with pytest.raises(TopicError):
            await log.partitions(f"{FETCH_REQUESTS}.try1")
