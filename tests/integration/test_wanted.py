"""Which feeds are wanted, as the door for hubs knows it beside the fetch worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from tests.subscribing import true

from tieup.feeds.hubs.wanted import WantedFeeds
from tieup.feeds.registry import feed_from_url, feed_record, removal_record
from tieup.log.base import NewRecord
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE, FEEDS

NOW = datetime(2026, 2, 3, tzinfo=UTC)
ONE, TWO = (feed_from_url(f"https://{name}.example/feed", NOW) for name in ("one", "two"))


@asynccontextmanager
async def following(path: Path) -> AsyncIterator[tuple[SqliteLog, WantedFeeds]]:
    async with await SqliteLog.open(path, partitions=3) as log:
        await log.create(CATALOGUE)
        wanted = WantedFeeds(log, lambda: NOW)
        task = asyncio.create_task(wanted.follow())
        await true(lambda: wanted._reader is not None)
        try:
            yield log, wanted
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_what_was_asked_for_a_moment_ago_counts(tmp_path: Path) -> None:
    async with following(tmp_path / "log.db") as (log, wanted):
        assert await wanted.lacks(ONE.id)
        await log.append([feed_record(ONE)])
        assert not await wanted.lacks(ONE.id)
        assert await wanted.lacks(TWO.id)
        await log.append([removal_record(ONE, NOW), feed_record(TWO)])
        assert not await wanted.lacks(TWO.id)
        assert await wanted.lacks(ONE.id)


async def test_feeds_that_are_paused_or_cannot_be_read_are_not_wanted(tmp_path: Path) -> None:
    record = feed_record(ONE)
    paused = orjson.dumps(orjson.loads(record.value or b"") | {"paused": True})
    async with following(tmp_path / "log.db") as (log, wanted):
        for value in (paused, b"{", b"[]"):
            await log.append([record, NewRecord(FEEDS, record.key, value, 1, place_by=record.place_by)])
            assert await wanted.lacks(ONE.id)
        await log.append([record])
        assert not await wanted.lacks(ONE.id)


async def test_who_does_not_know_lets_all_in(tmp_path: Path) -> None:
    async with await SqliteLog.open(tmp_path / "log.db") as log:
        await log.create(CATALOGUE)
        assert not await WantedFeeds(log, lambda: NOW).lacks(ONE.id)
