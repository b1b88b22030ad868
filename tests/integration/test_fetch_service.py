"""The fetch worker on the embedded log, run by the runner, stopped and started again between polls."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from prometheus_client import CollectorRegistry
from tests.feed_server import Answer, FeedServer, Page, feed_server, item, rss

from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.registry import feed_from_url, feeds_to_records, removal_record
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import fetch_spec
from tieup.log.base import NewRecord, Record, TopicPartition
from tieup.log.runner import Runner
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import ARTICLES, CATALOGUE, DEAD_LETTERS, FEED_STATES
from tieup.metrics import Metrics
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.feed import Feed, FeedState

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


@dataclass
class Service:
    """A log file, a clock that stands still, and settings; every call opens and closes everything."""

    path: Path
    now: datetime = NOON
    settings: FetchSettings = field(default_factory=lambda: FetchSettings(allow_private=True, read_s=2.0))

    async def run(self) -> None:
        async with await SqliteLog.open(self.path, exclusive=True) as log:
            await log.create(CATALOGUE)
            shell = FetchShell(self.settings, lambda: self.now)
            try:
                runner = Runner(
                    log,
                    [fetch_spec(self.settings, shell)],
                    app="test",
                    validator=SchemaValidator(),
                    clock=lambda: self.now,
                    metrics=Metrics(CollectorRegistry()),
                )
                async with asyncio.timeout(60):
                    await runner.run(asyncio.Event(), once=True)
            finally:
                await shell.close()

    async def append(self, records: Sequence[NewRecord]) -> None:
        async with await SqliteLog.open(self.path) as log:
            await log.create(CATALOGUE)
            await log.append(records)

    async def read(self, topic: str) -> list[Record]:
        async with await SqliteLog.open(self.path) as log:
            places = [TopicPartition(topic, partition) for partition in range(await log.partitions(topic))]
            ends = await log.end_offsets(places)
            reader = await log.reader(await log.first_offsets(places))
            records: list[Record] = []
            while any(reader.positions()[at] < ends[at] for at in places):
                records += await reader.poll(500, 0.1)
            await reader.close()
        return records

    async def articles(self) -> list[Article]:
        return [decode(Article, record.value, record.place) for record in await self.read(ARTICLES)]

    async def states(self) -> dict[str, FeedState]:
        records = await self.read(FEED_STATES)
        return {state.url: state for state in (decode(FeedState, record.value, record.place) for record in records)}


def feeds(served: FeedServer, *paths: str) -> list[Feed]:
    return [feed_from_url(served.url(path), NOON) for path in paths]


async def test_a_feed_is_asked_unconditionally_once_over_restarts(tmp_path: Path) -> None:
    service = Service(tmp_path / "log.db")
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
    service = Service(tmp_path / "log.db")
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
    service = Service(tmp_path / "log.db")
    async with feed_server({"/feed.xml": Answer(rss(item(1)))}) as served:
        (feed,) = feeds(served, "/feed.xml")
        await service.append(feeds_to_records([feed]))
        await service.run()
        await service.append([removal_record(feed, NOON)])
        service.now += timedelta(days=2)
        await service.run()
        assert len(served.seen) == 1
