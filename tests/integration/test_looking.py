"""Discovering and checking against a real server: what is found, and how few requests it costs."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.feed_server import Answer, FeedServer, Page, Seen, document, feed_server, item, rss
from tests.fetching import NOON, Fetching

from tieup.errors import BadFeed, FetchError
from tieup.feeds.http import FetchShell
from tieup.feeds.looking.check import FeedReport, check
from tieup.feeds.looking.discover import MAX_REQUESTS, Discovery, discover, site_urls
from tieup.feeds.looking.feed_links import USUAL_PLACES, How
from tieup.feeds.registry import feed_from_url, feed_record, handed_over_record, poll_now_record
from tieup.feeds.settings import FetchSettings
from tieup.log.base import NewRecord

HTML = (("Content-Type", "text/html; charset=utf-8"),)
SETTINGS = FetchSettings(allow_private=True, read_s=2.0, host_rate=0)
FEED = Page(rss(item(1), item(2)), etag='"a"')


@asynccontextmanager
async def asking() -> AsyncIterator[FetchShell]:
    shell = FetchShell(SETTINGS, lambda: NOON)
    try:
        yield shell
    finally:
        await shell.close()


async def find(server: FeedServer, path: str = "/") -> Discovery:
    async with asking() as shell:
        return await discover(shell.visit, server.url(path))


async def look(server: FeedServer, path: str) -> FeedReport:
    async with asking() as shell:
        return await check(shell, server.url(path), SETTINGS)


def page(*parts: str) -> Answer:
    return Answer(f"<html><head>{''.join(parts)}</head></html>".encode(), headers=HTML)


def declared(href: str) -> str:
    return f"<link rel='alternate' type='application/rss+xml' href='{href}' title='Declared'>"


def asked(server: FeedServer) -> list[str]:
    return [seen.path for seen in server.seen]


async def test_a_site_s_declared_feeds_are_each_asked_once() -> None:
    atom = Answer(document("atom", 1, 2), headers=(("Content-Type", "application/atom+xml"),))
    comments = Answer(rss(item(9), title="Comments"))
    parts = (declared("/comments/feed/"), declared("/f"), declared("/atom"), declared("/f#again"))
    async with feed_server({"/": page(*parts), "/f": FEED, "/atom": atom, "/comments/feed/": comments}) as server:
        found = await find(server)
    assert asked(server) == ["/", "/f", "/atom", "/comments/feed/"]
    assert [(one.url, one.kind, one.entries, one.of_comments) for one in found.feeds] == [
        (server.url("/f"), "RSS 2.0", 2, False),
        (server.url("/atom"), "Atom 1.0", 2, False),
        (server.url("/comments/feed/"), "RSS 2.0", 1, True),
    ]
    assert [one.same_as for one in found.feeds] == [None, server.url("/f"), None]
    assert found.feeds[0].newest == datetime(2026, 2, 2, 9, tzinfo=UTC)


async def test_a_feed_given_directly_costs_one_request() -> None:
    async with feed_server({"/f": FEED}) as server:
        found = await find(server, "/f")
    assert [(one.how, one.title) for one in found.feeds] == [(How.ITSELF, "Motor News")]
    assert asked(server) == ["/f"]


async def test_a_page_that_lists_feeds_is_looked_through_once() -> None:
    overview = Answer(b"<a href='/a.rss'>A</a><a href='/b.rss'>B</a><a href='/rss'>RSS</a>", headers=HTML)
    pages = {"/": Answer(b"<a href='/rss'>RSS</a>", headers=HTML), "/rss": overview, "/a.rss": FEED}
    async with feed_server(pages) as server:
        found = await find(server)
    assert asked(server) == ["/", "/rss", "/a.rss", "/b.rss"]
    assert [one.url for one in found.feeds] == [server.url("/a.rss")]
    assert (server.url("/b.rss"), "answered 404") in found.failed


async def test_the_usual_places_are_tried_only_if_the_page_names_none_and_until_one_is_a_feed() -> None:
    async with feed_server({"/de/": page(), "/feed.xml": FEED}) as server:
        found = await find(server, "/de/")
    assert [(one.url, one.how) for one in found.feeds] == [(server.url("/feed.xml"), How.GUESSED)]
    assert asked(server) == ["/de/", *(f"/{place}" for place in USUAL_PLACES[: USUAL_PLACES.index("feed.xml") + 1])]
    async with feed_server({"/": page(declared("/f")), "/f": FEED, "/feed": FEED}) as server:
        await find(server)
    assert asked(server) == ["/", "/f"]


async def test_a_site_without_feeds_costs_its_bound() -> None:
    async with feed_server({"/": page()}) as server:
        found = await find(server)
    assert found.feeds == []
    assert asked(server) == ["/", *(f"/{place}" for place in USUAL_PLACES)]
    many = page(*(declared(f"/{number}") for number in range(40)))
    async with feed_server({"/": many}) as server:
        found = await find(server)
    assert len(server.seen) == found.requests == MAX_REQUESTS
    assert len(found.left) == 41 - MAX_REQUESTS
    assert "/feed" not in asked(server)


async def test_a_host_that_asks_for_rest_is_left_alone() -> None:
    busy = Answer(status=429, headers=(("Retry-After", "60"),))
    async with feed_server({"/": page(declared("/a"), declared("/b")), "/a": busy, "/b": FEED}) as server:
        found = await find(server)
    assert asked(server) == ["/", "/a"]
    assert found.left == (server.url("/b"),)
    async with feed_server({"/": busy}) as server:
        found = await find(server)
    assert (asked(server), found.feeds) == (["/"], [])
    assert found.failed == [(server.url("/"), "answered 429")]


async def test_redirects_lead_to_what_is_subscribed_to() -> None:
    moved = Answer(status=301, headers=(("Location", "/f"),))
    aside = Answer(status=302, headers=(("Location", "/f2"),))
    pages = {"/": page(declared("/moved"), declared("/aside")), "/moved": moved, "/aside": aside, "/f": FEED}
    async with feed_server(pages | {"/f2": Answer(rss(item(5)))}) as server:
        found = await find(server)
    assert [one.url for one in found.feeds] == [server.url("/f"), server.url("/aside")]


async def test_a_private_address_in_a_page_is_not_asked() -> None:
    async with feed_server({"/": page(declared("http://10.0.0.1/feed"))}) as server:
        settings = FetchSettings(hosts={"news.example": server.place}, host_rate=0, read_s=2.0)
        shell = FetchShell(settings, lambda: NOON)
        try:
            found = await discover(shell.visit, "http://news.example/")
        finally:
            await shell.close()
    assert found.feeds == []
    assert "private address" in dict(found.failed)["http://10.0.0.1/feed"]


async def test_a_name_is_tried_with_tls_first() -> None:
    assert site_urls("news.example") == ("https://news.example/", "http://news.example/")
    assert site_urls("http://news.example/x") == ("http://news.example/x",)
    with pytest.raises(BadFeed):
        site_urls("no site")
    async with feed_server({"/": page(declared("/f")), "/f": FEED}) as server, asking() as shell:
        found = await discover(shell.visit, server.place)
        assert [one.url for one in found.feeds] == [server.url("/f")]
    with pytest.raises(FetchError):
        async with asking() as shell:
            await discover(shell.visit, f"127.0.0.1:{server.port}")


async def test_checking_asks_twice_and_shows_the_validators_as_received() -> None:
    feed = Page(rss(item(1), item(2)), etag='W/"ü"', last_modified="Mon, 02 Feb 2026 09:30:00 GMT")
    async with feed_server({"/f": feed}) as server:
        report = await look(server, "/f")
    assert [seen.conditional for seen in server.seen] == [False, True]
    assert report.facts.second == "304, not modified"
    assert (report.facts.quick, report.facts.kind, report.facts.entries) == (True, "RSS 2.0", 2)
    assert not report.broken


async def test_checking_without_validators_asks_once() -> None:
    async with feed_server({"/f": Answer(rss(item(1)))}) as server:
        report = await look(server, "/f")
    assert len(server.seen) == 1
    assert any("no validators" in problem.words for problem in report.problems)


async def test_validators_that_are_no_use_are_found_out() -> None:
    def ignores(seen: Seen) -> Answer:
        return Answer(rss(item(1)), headers=(("Content-Type", "text/xml"), ("ETag", '"a"')))

    async with feed_server({"/f": ignores}) as server:
        report = await look(server, "/f")
    assert any("200 with the same body" in problem.words for problem in report.problems)


@pytest.mark.parametrize(
    ("status", "second", "words"),
    [(301, 2, "moved for good"), (302, 2, None), (308, 2, "moved for good")],
)
async def test_checking_tells_redirects_for_good_from_others(status: int, second: int, words: str | None) -> None:
    away = Answer(status=status, headers=(("Location", "/f"),))
    async with feed_server({"/old": away, "/f": FEED}) as server:
        report = await look(server, "/old")
    assert (report.facts.ended_at, report.facts.moved_to) == (
        server.url("/f"),
        server.url("/f") if words else None,
    )
    assert any("moved for good" in problem.words for problem in report.problems) == (words is not None)
    assert Counter(asked(server)) == {"/old": 1, "/f": second}


async def test_what_discovery_hands_over_is_not_asked_again(tmp_path: Path) -> None:
    async with feed_server({"/": page(declared("/f")), "/f": FEED}) as server:
        (one,) = (await find(server)).feeds
        feed = feed_from_url(one.url, NOON)
        handed = handed_over_record(feed, one.outcome, NOON)
        assert handed is not None
        fetching = Fetching(tmp_path / "log.db", NOON + timedelta(seconds=5))
        await fetching.append([feed_record(feed), handed])
        await fetching.run()
        assert asked(server) == ["/", "/f"]
        assert {article.backfill for article in await fetching.articles()} == {True}
        assert len(await fetching.articles()) == 2
        state = (await fetching.states())[feed.url]
        assert (state.etag, state.polls, state.last_poll_at) == ('"a"', 1, NOON)
        fetching.now = state.next_poll_at
        await fetching.run()
        assert [seen.conditional for seen in server.seen] == [False, False, True]
        assert len(await fetching.articles()) == 2


async def test_what_is_handed_over_too_late_is_forgotten(tmp_path: Path) -> None:
    async with feed_server({"/f": FEED}) as server:
        (one,) = (await find(server, "/f")).feeds
        feed = feed_from_url(one.url, NOON)
        fetching = Fetching(tmp_path / "log.db")
        await fetching.append([feed_record(feed)])
        await fetching.run()
        polled = (await fetching.states())[feed.url]
        await fetching.append(handed(feed_from_url(one.url, NOON), one.outcome))
        fetching.now = NOON + timedelta(seconds=60)
        await fetching.run()
        assert (await fetching.states())[feed.url] == polled
        assert len(await fetching.articles()) == 2


def handed(feed: object, outcome: object) -> list[NewRecord]:
    record = handed_over_record(feed, outcome, NOON)  # type: ignore[arg-type]
    assert record is not None
    return [record]


async def test_a_wish_to_poll_is_fulfilled_once(tmp_path: Path) -> None:
    async with feed_server({"/f": FEED}) as server:
        feed = feed_from_url(server.url("/f"), NOON)
        fetching = Fetching(tmp_path / "log.db")
        await fetching.append([feed_record(feed)])
        await fetching.run()
        fetching.now = NOON + timedelta(minutes=1)
        await fetching.append([poll_now_record(feed, "operator", fetching.now)])
        await fetching.run()
        await fetching.run()
        assert [seen.conditional for seen in server.seen] == [False, True]
