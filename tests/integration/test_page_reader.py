"""The reader of pages alone: robots.txt, and the time that reading takes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tests.feed_server import Answer, FeedServer, feed_server, rss
from tests.fetching import NOON
from tests.integration.desk import (
    BODY,
    HTML,
    OLD,
    page,
    robots,
)
from tests.subscribing import true

from tieup.articles.settings import ArticleSettings
from tieup.feeds.http import FetchShell
from tieup.feeds.pages.http import PageReader
from tieup.feeds.pages.wants import PageRequest
from tieup.feeds.poll import PollRequest
from tieup.feeds.reading.parsing import ParsingPool
from tieup.feeds.settings import FetchSettings
from tieup.log.base import Act
from tieup.model.page import PageResult


@asynccontextmanager
async def reader(served: FeedServer, seconds: Callable[[], float]) -> AsyncIterator[PageReader]:
    """A page reader of its own clock, on a shell with real connections."""
    settings = FetchSettings(allow_private=True, host_rate=0, hosts={"news.example": served.place})
    shell = FetchShell(settings, lambda: NOON)
    yield PageReader(shell, settings, ArticleSettings(), ParsingPool(settings), lambda: NOON, seconds)
    await shell.close()


async def read(pages: PageReader, served: FeedServer, path: str = "/news/1") -> PageResult:
    return (await pages.read(PageRequest("w", served.url(path, "news.example"), 1, 0))).result


async def test_a_robots_txt_is_asked_for_once_a_day_and_sooner_where_it_could_not_be_had() -> None:
    clock = [0.0]
    async with feed_server({"/news/1": page(BODY)}) as served, reader(served, lambda: clock[0]) as pages:
        for seconds, status, asked in ((0, 500, 1), (59, 404, 1), (60, 404, 2), (86_459, 404, 2), (86_460, 404, 3)):
            clock[0] = seconds
            served.pages["/robots.txt"] = Answer(status=status)
            expected = PageResult.NO_ANSWER if asked == 1 else PageResult.READ
            assert await read(pages, served) == expected
            assert [seen.path for seen in served.seen].count("/robots.txt") == asked


async def test_pages_of_a_site_that_come_together_ask_for_its_robots_txt_once_and_keep_its_crawl_delay() -> None:
    rules = robots("User-agent: *\nCrawl-delay: 0.4\nDisallow: /private")
    paths = ("/news/1", "/news/2", "/news/3")
    served_pages = {path: page(BODY) for path in paths} | {"/robots.txt": rules}
    async with feed_server(served_pages) as served, reader(served, time.monotonic) as pages:
        served.clock = lambda: datetime.now(UTC)
        assert set(await asyncio.gather(*(read(pages, served, path) for path in paths))) == {PageResult.READ}
    times = [seen.at for seen in served.seen if seen.path != "/robots.txt"]
    assert len(served.seen) == 4
    assert all(later - before >= timedelta(seconds=0.39) for before, later in pairwise(times))


async def test_a_page_that_takes_long_to_read_keeps_no_feed_waiting() -> None:
    settings = FetchSettings(allow_private=True, host_rate=0, address_rate=0, parsers=1)
    heavy = Answer(b"<html><body><article>" + b"<p>Ford, BYD and a word</p>" * 70_000, headers=HTML)
    shell = FetchShell(settings, lambda: NOON)
    async with feed_server({"/news/1": page(BODY), "/news/2": heavy, "/feed.xml": Answer(rss(OLD))}) as served:
        poll, read_one, read_two = (
            Act("poll", PollRequest("f" * 32, served.url("/feed.xml"), "localhost")),
            Act("page:1", PageRequest("1", served.url("/news/1"), 1, 0)),
            Act("page:2", PageRequest("2", served.url("/news/2"), 1, 0)),
        )
        for act in (poll, read_one):  # the parsing processes are started
            await shell.perform(act)
        slow = asyncio.create_task(shell.perform(read_two))
        await true(lambda: "/news/2" in [seen.path for seen in served.seen])
        assert b"Weather" in await shell.perform(poll)
        assert not slow.done()
        slow.cancel()
        await asyncio.wait([slow])
    await shell.close()
