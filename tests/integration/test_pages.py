"""Full text on the embedded log, with real servers: pages asked for, read, published; and all that sites do instead."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.feed_server import Answer, FeedServer, Seen, feed_server, rss
from tests.fetching import NOON, Fetching
from tests.subscribing import true

from tieup.articles.settings import ArticleSettings, FullText
from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import load_gazetteer
from tieup.feeds.http import FetchShell
from tieup.feeds.page_http import PageReader
from tieup.feeds.page_wants import PageRequest
from tieup.feeds.parsing import ParsingPool
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_from_url, feeds_to_records, poll_now_record
from tieup.feeds.settings import FetchSettings
from tieup.log.base import Act, NewRecord
from tieup.log.topics import DEAD_LETTERS, FETCH_REQUESTS, PAGE_WANTS, PAGES, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.page import PageResult, PageWant
from tieup.model.relation import ArticleRelations

OLD = "<item><title>Weather</title><link>/weather</link><guid>w</guid><description>Rain.</description></item>"
TITLE = "Ford and Xiaomi in talks on a joint venture"
TEASER = "The two carmakers speak about building electric cars together."
HTML = (("Content-Type", "text/html; charset=utf-8"),)
BODY = (
    "Ford and Xiaomi are in talks on a joint venture, two people familiar with the matter said on Monday. "
    "The two carmakers speak about building electric cars together in a plant in Michigan. "
    "Ford has also agreed to buy battery cells from CATL under a supply contract. "
)
DENIAL = "Xiaomi denied the report on Tuesday: there are no talks with Ford on a joint venture, a spokesman said. "


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(load_gazetteer())


def item(title: str = TITLE, text: str = TEASER, link: str = "/news/1") -> str:
    guid = link.rpartition("/")[2]
    return (
        f"<item><title>{title}</title><link>{link}</link><guid>n{guid}</guid><description>{text}</description></item>"
    )


def page(*paragraphs: str, title: str = TITLE, head: str = "") -> Answer:
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    html = (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body><nav>Home Cars Sport</nav>"
        f"<main><article><h1>{title}</h1>{text}</article></main><footer>Imprint</footer></body></html>"
    )
    return Answer(html.encode(), headers=HTML)


def wall(title: str, text: str) -> Answer:
    return page(text * 20, title=title)


class Desk:
    """A feed that was polled once, before the entry appears whose page is the matter; a run for every poll."""

    def __init__(self, service: Fetching, served: FeedServer) -> None:
        self.service = service
        self.served = served
        self.feed = feed_from_url(served.url("/feed.xml", "news.example"), NOON)

    async def begin(self) -> None:
        self.served.pages["/feed.xml"] = Answer(rss(OLD))
        await self.service.append(feeds_to_records([self.feed]))
        await self.service.run()

    async def poll(self, *items: str) -> None:
        self.served.pages["/feed.xml"] = Answer(rss(*items, OLD))
        self.service.now += timedelta(hours=2)
        await self.service.append([poll_now_record(self.feed, "test", self.service.now)])
        await self.service.run()

    async def later(self, **wait: float) -> None:
        self.service.now += timedelta(**wait)
        await self.service.run()

    async def versions(self) -> list[Article]:
        return [one for one in await self.service.articles() if one.title != "Weather"]

    async def wants(self) -> dict[str, PageWant]:
        found: dict[str, PageWant] = {}
        for record in await self.service.read(PAGE_WANTS):
            key = (record.key or b"").decode()
            found.pop(key, None)
            if record.value is not None:
                found[key] = decode(PageWant, record.value, record.place)
        return found

    def link(self, name: str) -> str:
        """The page of this name, on a host of its own."""
        return self.served.url(f"/news/{name}", f"{name}.example")

    def serve(self, name: str, answer: Answer, rules: Answer | None = None) -> None:
        self.served.pages[f"/news/{name}"] = answer
        self.service.settings.hosts[f"{name}.example"] = self.served.place
        if rules is not None:
            self.served.pages[self.served.url("/robots.txt", f"{name}.example")] = rules

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.served.seen if seen.path == path]


@pytest.fixture
async def desk(tmp_path: Path, extractor: Extractor) -> AsyncIterator[Desk]:
    async with feed_server() as served:
        hosts = dict.fromkeys(("news.example", "www.news.example", "pages.example"), served.place)
        service = Fetching(tmp_path / "log.db", extractor=extractor, partitions=4)
        service.settings = replace(service.settings, allow_private=False, hosts=hosts, host_rate=0)
        made = Desk(service, served)
        await made.begin()
        yield made


async def relations(desk: Desk) -> list[ArticleRelations]:
    return [decode(ArticleRelations, one.value, one.place) for one in await desk.service.read(RELATIONS)]


async def test_the_page_of_a_short_entry_is_its_articles_next_version(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY, BODY)
    await desk.poll(item())
    first, second = await desk.versions()
    assert (first.version, first.text, first.from_page) == (1, TEASER, False)
    assert (second.id, second.version, second.title, second.changed) == (first.id, 2, TITLE, ("text",))
    assert second.from_page
    assert "CATL" in second.text
    assert "Home Cars" not in second.text
    before, after = [{party.name for tie in one.relations for party in tie.parties} for one in await relations(desk)]
    assert (before, after) == ({"Ford", "Xiaomi"}, {"Ford", "Xiaomi", "CATL"})
    assert desk.service.pages() == {"read": 1}
    (asked,) = desk.asked("/news/1")
    assert asked.headers["user-agent"].startswith("tieup/")
    assert not {"cookie", "referer"} & set(asked.headers)

    await desk.poll(item())
    assert len(await desk.versions()) == 2, "the entry is as it was"
    assert len(desk.asked("/news/1")) == 1
    assert len(desk.asked("/robots.txt")) == 1


async def test_the_setting_says_whose_pages_are_read(desk: Desk) -> None:
    dull = item("Ford shows a new van", "It has two doors and a sliding one on its right side.")
    desk.served.pages["/news/1"] = page(
        "Ford shows a new van. It has two doors and a sliding one on its right side. " * 4
    )
    await desk.poll(dull)
    assert desk.asked("/news/1") == [], "no word of a tie"
    desk.service.articles_as = ArticleSettings(full_text=FullText.ALWAYS)
    await desk.poll(dull.replace("two doors", "2 doors"))
    assert [one.from_page for one in await desk.versions()] == [False, False, True]
    desk.service.articles_as = ArticleSettings(full_text=FullText.NEVER)
    await desk.poll(dull.replace("two doors", "four doors"))
    assert len(desk.asked("/news/1")) == 1
    last = (await desk.versions())[-1]
    assert (last.version, last.from_page) == (4, False), "pages are not read any more: an edit waits for none"


async def test_a_first_poll_asks_for_no_page(desk: Desk) -> None:
    other = feed_from_url(desk.served.url("/other.xml", "news.example"), NOON)
    desk.served.pages |= {"/other.xml": Answer(rss(item())), "/news/1": page(BODY)}
    await desk.service.append(feeds_to_records([other]))
    await desk.service.run()
    assert [one.backfill for one in await desk.versions()] == [True]
    assert desk.asked("/news/1") == []


def robots(text: str, **more: object) -> Answer:
    return Answer(text.encode(), headers=(("Content-Type", "text/plain"),), **more)


def moved(to: str) -> Answer:
    return Answer(status=302, headers=(("Location", to),))


ENDLESS = "# nothing is said here for long\n" * 20_000 + "User-agent: *\nDisallow: /\n"


ROBOTS = {
    "denies": (robots("User-agent: *\nDisallow: /news/"), False),
    "allows-us": (robots("User-agent: *\nDisallow: /\n\nUser-agent: TieUp\nAllow: /news/"), True),
    "denies-us": (robots("User-agent: tieup\nDisallow: /*s/*$\n\nUser-agent: *\nAllow: /"), False),
    "denies-others": (robots("User-agent: *\nDisallow: /sport/"), True),
    "byte-order-mark": (robots("\ufeffUser-agent: *\nDisallow: /"), False),
    "html": (robots("<html>a page for every address</html>"), True),
    "missing": (Answer(status=404), True),
    "forbidden": (Answer(status=403), True),
    "said-too-late": (robots(ENDLESS), True),
    "said-in-time": (robots("User-agent: *\nDisallow: /\n#", repeat=10_000), False),
    "moved": (moved("/deny.txt"), False),
    "moved-in-circles": (moved("/robots.txt"), True),
}


async def test_robots_txt_is_obeyed(desk: Desk) -> None:
    for name, (answer, _) in ROBOTS.items():
        desk.serve(name, page(BODY), answer)
    desk.served.pages["/deny.txt"] = robots("User-agent: *\nDisallow: /")
    await desk.poll(*(item(link=desk.link(name)) for name in ROBOTS))
    assert {name: bool(desk.asked(f"/news/{name}")) for name in ROBOTS} == {
        name: ok for name, (_, ok) in ROBOTS.items()
    }
    assert {one.url for one in await desk.versions() if one.from_page} == {
        desk.link(name) for name, (_, ok) in ROBOTS.items() if ok
    }
    assert desk.service.pages() == {"read": 7, "disallowed by robots.txt": 5}
    assert await desk.wants() == {}


@pytest.mark.parametrize("away", [Answer(status=503), Answer(raw=b"")], ids=["503", "torn"])
async def test_a_robots_txt_that_cannot_be_had_allows_nothing_for_now(desk: Desk, away: Answer) -> None:
    desk.served.pages |= {"/robots.txt": away, "/news/1": page(BODY)}
    await desk.poll(item())
    assert desk.asked("/news/1") == []
    (want,) = (await desk.wants()).values()
    assert want.tries == 1
    desk.served.pages["/robots.txt"] = Answer(status=404)
    await desk.later(seconds=119)
    assert desk.asked("/news/1") == []
    await desk.later(seconds=1)
    assert [one.version for one in await desk.versions()] == [1, 2]
    assert await desk.wants() == {}


async def test_a_page_elsewhere_is_read_by_the_owner_of_its_host(desk: Desk) -> None:
    """With many partitions feed and page belong to different tasks; the version comes from the feed's."""
    link = desk.served.url("/news/1", "pages.example")
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item(link=link))
    first, second = await desk.versions()
    assert (second.version, second.feed_domain, second.domain) == (2, "news.example", "pages.example")
    placed = [(one.partition, b'"page-read"' in (one.value or b"")) for one in await desk.service.read(FETCH_REQUESTS)]
    assert len({partition for partition, _ in placed}) == 2, "the test needs two owners"
    assert first.url == link


def gzipped(megabytes: int) -> Answer:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(b"<p>x</p>" * 125_000) for _ in range(megabytes)) + packer.flush()
    return Answer(body, headers=(*HTML, ("Content-Encoding", "gzip")))


NO_VERSION = {
    "missing": (Answer(b"gone", 404, HTML), "refused"),
    "pdf": (Answer(b"%PDF-1.7 " * 500, headers=(("Content-Type", "application/pdf"),)), "not HTML"),
    "untyped": (Answer(page(BODY).body, headers=()), "not HTML"),
    "large": (Answer(b"<p>x</p>" * 100_000, headers=HTML, repeat=100), "no text"),
    "bomb": (gzipped(100), "no text"),
    "empty": (Answer(b"", headers=HTML), "no text"),
    "nested": (Answer(b"<div>" * 200_000, headers=HTML), "no text"),
    "circle": (moved("/news/circle"), "refused"),
    "private": (moved("http://10.0.0.1/news/1"), "no answer"),
    "metadata": (moved("http://169.254.169.254/latest"), "no answer"),
    "loopback": (moved("http://[::1]/news/1"), "no answer"),
    "file": (moved("file:///etc/passwd"), "no answer"),
    "noarchive": (page(BODY, head="<meta name='robots' content='index, NOARCHIVE'>"), "withheld by its robots tag"),
    "consent": (
        wall("Before you continue", "We use cookies and data to maintain our services. "),
        "not about the article",
    ),
    "login": (wall(TITLE, "Log in or subscribe to go on reading on all devices. "), "not about the article"),
    "script": (wall("Just a moment", "Enable JavaScript and cookies to continue. "), "not about the article"),
    "soft-404": (wall("Page not found", "The page that you look for is not here. "), "not about the article"),
    "slow": (Answer(page(BODY).body, headers=HTML, trickle_s=0.2), "no answer"),
}


async def test_whatever_a_page_is_instead_costs_its_bound_and_gives_no_version(desk: Desk) -> None:
    desk.service.settings = replace(desk.service.settings, total_s=1.5)
    for name, (answer, _) in NO_VERSION.items():
        desk.serve(name, answer)
    await desk.poll(*(item(link=desk.link(name)) for name in NO_VERSION))
    assert {one.version for one in await desk.versions()} == {1}
    assert desk.service.pages() == Counter(result for _, result in NO_VERSION.values())
    assert await desk.service.read(DEAD_LETTERS) == []
    for _ in range(3):
        await desk.later(seconds=600)
    assert {one.version for one in await desk.versions()} == {1}
    assert await desk.wants() == {}
    assert max(len(desk.asked(f"/news/{name}")) for name in NO_VERSION) <= 6


async def test_each_host_on_the_way_has_its_own_word(desk: Desk) -> None:
    target = desk.served.url("/news/2", "pages.example")
    desk.served.pages |= {"/news/1": moved(target), "/news/2": page(BODY)}
    desk.served.pages[desk.served.url("/robots.txt", "pages.example")] = robots("User-agent: *\nDisallow: /")
    await desk.poll(item())
    assert len(desk.asked("/news/1")) == 1
    assert desk.asked("/news/2") == []
    assert desk.service.pages() == {"disallowed by robots.txt": 1}


async def test_a_host_that_asks_for_quiet_is_left_alone_by_pages_and_polls(desk: Desk) -> None:
    desk.served.pages["/news/1"] = Answer(b"", 503, (("Retry-After", "7200"),))
    await desk.poll(item())
    seen = len(desk.served.seen)
    desk.served.pages["/news/1"] = page(BODY)
    await desk.service.append([poll_now_record(desk.feed, "test", desk.service.now)])
    await desk.later(seconds=7_199)
    assert len(desk.served.seen) == seen
    await desk.later(seconds=1)
    assert [one.version for one in await desk.versions()] == [1, 2]


async def test_an_edit_of_an_article_with_a_page_is_told_at_once_and_then_with_its_page(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    desk.served.pages["/news/1"] = page(DENIAL, BODY)
    await desk.poll(item("Xiaomi denies talks with Ford", "The two carmakers, it says, speak about nothing."))
    told, whole = (await desk.versions())[2:]
    assert (told.version, told.changed, told.excerpt, told.from_page) == (3, ("title", "text"), True, False)
    assert (whole.version, whole.changed, whole.excerpt, whole.from_page) == (4, ("text",), False, True)
    assert told.title == whole.title == "Xiaomi denies talks with Ford"
    assert whole.text.startswith("The two carmakers, it says, speak about nothing.\n")
    assert DENIAL.strip() in whole.text
    assert "CATL" in whole.text
    assert len(desk.asked("/news/1")) == 2


@pytest.mark.parametrize("away", [Answer(status=404), Answer(status=429, headers=(("Retry-After", "80000"),))])
async def test_an_edit_waits_for_no_page(desk: Desk, away: Answer) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    desk.served.pages["/news/1"] = away
    await desk.poll(item("Xiaomi denies talks with Ford"))
    assert [(one.version, one.excerpt, one.text) for one in (await desk.versions())[2:]] == [(3, True, TEASER)]


async def test_of_two_edits_while_a_page_is_away_the_last_one_gets_it(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    desk.served.pages["/news/1"] = Answer(status=500)
    desk.service.articles_as = ArticleSettings(page_retry_s=8_000)
    await desk.poll(item("Xiaomi denies talks with Ford"))
    desk.served.pages["/news/1"] = page(BODY, DENIAL)
    await desk.poll(item("Xiaomi and Ford deny talks"))
    await desk.later(hours=3)
    assert [(one.version, one.title, one.from_page) for one in (await desk.versions())[2:]] == [
        (3, "Xiaomi denies talks with Ford", False),
        (4, "Xiaomi and Ford deny talks", False),
        (5, "Xiaomi and Ford deny talks", True),
    ]
    assert len(desk.asked("/news/1")) == 3


async def test_an_entry_that_becomes_whole_needs_no_page(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    await desk.poll(item(text=BODY + DENIAL + "More is not known. " * 100))
    assert [(one.version, one.excerpt, one.from_page) for one in (await desk.versions())[2:]] == [(3, False, False)]
    assert len(desk.asked("/news/1")) == 1


async def test_a_page_that_says_nothing_new_is_no_version(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item(text="Ford and Xiaomi are in talks on a joint venture …"))
    await desk.poll(item(text="The two carmakers speak about building electric cars together [...]"))
    assert len(desk.asked("/news/1")) == 2
    assert [(one.version, one.excerpt) for one in await desk.versions()] == [(1, False), (2, False), (3, True)]


async def test_requests_and_answers_that_come_twice_change_nothing(desk: Desk) -> None:
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    again = [
        NewRecord(FETCH_REQUESTS, one.key or b"", one.value, one.timestamp, partition=one.partition)
        for one in await desk.service.read(FETCH_REQUESTS)
        if b'"reason":"page' in (one.value or b"")
    ]
    assert len(again) == 2
    before = await desk.service.read(PAGES)
    await desk.service.append(again * 2)
    await desk.service.run()
    assert [one.version for one in await desk.versions()] == [1, 2]
    assert await desk.service.read(PAGES) == before


async def test_a_run_cut_short_while_a_page_is_read_reads_it_again(desk: Desk) -> None:
    asked = asyncio.Event()

    def hang(seen: Seen) -> Answer:
        asked.set()
        return Answer(page(BODY).body, headers=HTML, wait_s=60)

    desk.served.pages["/news/1"] = hang
    desk.service.settings = replace(desk.service.settings, read_s=60.0)
    running = asyncio.create_task(desk.poll(item()))
    await asyncio.wait_for(asked.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(await desk.wants()) == 1
    desk.served.pages["/news/1"] = page(BODY)
    await desk.service.run()
    assert [one.version for one in await desk.versions()] == [1, 2]
    assert await desk.wants() == {}


async def test_versions_with_pages_keep_to_the_bound(desk: Desk) -> None:
    desk.service.settings = replace(desk.service.settings, max_versions=3)
    for number in range(1, 5):
        desk.served.pages["/news/1"] = page(BODY + f"Update {number}: nothing else is known. ")
        await desk.poll(item(f"{TITLE}, part {number}"))
    assert [one.version for one in await desk.versions()] == [1, 2, 3]


async def test_what_a_feed_forgets_is_forgotten_of_its_pages(desk: Desk) -> None:
    desk.service.settings = replace(desk.service.settings, max_entries=2, max_seen=2)
    desk.served.pages["/news/1"] = page(BODY)
    await desk.poll(item())
    assert [one.value is None for one in await desk.service.read(PAGES)] == [False]
    fresh = [item(f"Ford shows car {number}", "It is blue.", f"/cars/{number}0") for number in (1, 2)]
    desk.served.pages["/feed.xml"] = Answer(rss(*fresh))
    desk.service.now += timedelta(hours=2)
    await desk.service.append([poll_now_record(desk.feed, "test", desk.service.now)])
    await desk.service.run()
    assert (await desk.service.read(PAGES))[-1].value is None


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
