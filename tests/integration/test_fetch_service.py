"""The fetch worker on the embedded log, run by the runner, stopped and started again between polls."""

from datetime import timedelta
from pathlib import Path

import orjson
from tests.feed_server import Answer, FeedServer, Page, feed_server, item, rss
from tests.fetching import NOON, Fetching

from tieup.feeds.registry import feed_from_url, feeds_to_records, removal_record
from tieup.log.topics import DEAD_LETTERS
from tieup.model.feed import Feed


def feeds(served: FeedServer, *paths: str) -> list[Feed]:
    return [feed_from_url(served.url(path), NOON) for path in paths]


async def test_a_feed_is_asked_unconditionally_once_over_restarts(tmp_path: Path) -> None:
    service = Fetching(tmp_path / "log.db")
    async with feed_server() as served:
        page = Page(rss(item(1), item(2)), '"v1"', "Tue, 03 Feb 2026 11:00:00 GMT")
        served.pages["/feed.xml"] = page
        await service.append(feeds_to_records(feeds(served, "/feed.xml")))
        for _ in range(3):
            await service.run()
            await service.run()  # too early: nothing is due
            service.now += timedelta(hours=2)
        assert [seen.conditional for seen in served.seen] == [False, True, True]
        assert {seen.headers.get("if-none-match") for seen in served.seen[1:]} == {'"v1"'}

        page.body, page.etag = rss(item(3), item(2), item(1, "Ford denies the talks.")), '"v2"'
        await service.run()
        service.now += timedelta(hours=2)
        await service.run()
        assert [seen.headers.get("if-none-match") for seen in served.seen[3:]] == ['"v1"', '"v2"']

    found = [(article.title, article.version, article.backfill) for article in await service.articles()]
    assert sorted(found) == [("Title 1", 1, True), ("Title 1", 2, False), ("Title 2", 1, True), ("Title 3", 1, False)]


async def test_a_bad_feed_is_an_error_in_its_state_and_stops_no_other(tmp_path: Path) -> None:
    service = Fetching(tmp_path / "log.db")
    html = b"<!doctype html><html><body>Are you human?</body></html>"
    async with feed_server() as served:
        served.pages |= {
            "/good": Answer(rss(item(1))),
            "/html": Answer(html),
            "/slow": Answer(b"x", wait_s=60),
            "/bomb": Answer(b"x" * 100_000, repeat=1_000),
        }
        paths = ("/missing", "/html", "/slow", "/bomb", "/good")
        await service.append(feeds_to_records(feeds(served, *paths)))
        await service.run()
        states = await service.states()
        errors = {path: states[served.url(path)].error or "" for path in paths}
        urls = {path: served.url(path) for path in paths}

    assert errors == {
        "/missing": f"{urls['/missing']}: answered 404",
        "/html": f"{urls['/html']}: an HTML page, not a feed",
        "/slow": f"{urls['/slow']}: silent for 2 s",
        "/bomb": f"{urls['/bomb']}: the body is larger than 10000000 bytes",
        "/good": "",
    }
    assert [article.title for article in await service.articles()] == ["Title 1"]
    (letter,) = [orjson.loads(record.value or b"") for record in await service.read(DEAD_LETTERS)]
    assert (letter["value"], letter["message"]) == (html.decode(), errors["/html"])


async def test_a_removed_feed_is_not_asked_again(tmp_path: Path) -> None:
    service = Fetching(tmp_path / "log.db")
    async with feed_server({"/feed.xml": Answer(rss(item(1)))}) as served:
        (feed,) = feeds(served, "/feed.xml")
        await service.append(feeds_to_records([feed]))
        await service.run()
        await service.append([removal_record(feed, NOON)])
        service.now += timedelta(days=2)
        await service.run()
        assert len(served.seen) == 1
