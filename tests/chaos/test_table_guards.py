"""Followers of a table that are no tasks: the guard that they have, and beside it the same with the guard switched off.

Trap: a key and its tombstone are both compacted away while nobody reads, and the follower remembers the key for ever.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.guarding import Sleeper, eventually, guarded
from tests.subscribers import endpoint_of, pulled
from tests.unit.alerts.making import event, event_record, matcher
from tieup.alerts.subscribe import removal_record, subscription_record
from tieup.api import shelf as shelves
from tieup.api.read_model import ReadModel
from tieup.api.shelf import Shelf
from tieup.errors import LogUnavailable
from tieup.feeds.hubs import wanted as wants
from tieup.feeds.hubs.wanted import WantedFeeds
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.feeds.registry import removal_record as feed_removed
from tieup.log.last_read import LastRead
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE
from tieup.model.subscription import Channel

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
GONE, KEPT, NEW = pulled("gone"), pulled("kept"), pulled("new")


class Away(Sleeper):
    """A log that cannot be reached while the machine is awake."""

    async def reader(self, positions):
        reader = await super().reader(positions)
        poll = reader.poll

        async def cut_off(limit, wait_s):
            if not self.awake.is_set():
                self.asleep.set()
                raise LogUnavailable("away")
            return await poll(limit, wait_s)

        reader.poll = cut_off
        return reader

    async def partitions(self, topic):
        await self.awake.wait()
        return await self._log.partitions(topic)


@pytest.fixture(params=[Sleeper, Away])
def pause(request):
    """What keeps a follower from reading: the machine sleeps, or the log is away."""
    return request.param


@pytest.fixture
async def log(tmp_path):
    async with await SqliteLog.open(tmp_path / "log.db", exclusive=True, partitions=2) as one:
        await one.create(CATALOGUE)
        yield one


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Who failed tries again soon."""
    for module in (shelves, wants):
        monkeypatch.setattr(module, "AGAIN_S", 0.05)


@asynccontextmanager
async def following(follower):
    task = asyncio.create_task(follower.follow())
    yield
    task.cancel()
    await asyncio.wait([task])


async def left_unread(log, pause, now, removal):
    """While nobody reads, the key is removed, and after two days its tombstone."""
    pause.awake.clear()
    await asyncio.wait_for(pause.asleep.wait(), 10)
    await log.append([removal])
    for days in (0, 2):
        await log.clean(NOON + timedelta(days=days))
    now[0] = NOON + timedelta(days=2)
    pause.awake.set()


def unguarded(monkeypatch):
    monkeypatch.setattr(LastRead, "note", lambda self, who: None)


@guarded
async def test_feeds_and_streams_are_served_anew_after_a_long_pause(log, pause, monkeypatch, guarded):
    if not guarded:
        unguarded(monkeypatch)
    now, away, model = [NOON], pause(log), ReadModel(100, 1000)
    shelf = Shelf(away, model, lambda: now[0])
    await log.append([*(subscription_record(one) for one in (GONE, KEPT)), *told(KEPT, 1), *told(KEPT, 2)])

    async def knows(*wanted):
        known = {one.id for one in (GONE, KEPT, NEW) if shelf.subscription(one.id) is not None}
        return shelf.is_ready() and known == {one.id for one in wanted}

    async with following(shelf):
        await eventually(lambda: knows(GONE, KEPT))
        stream = endpoint_of(KEPT, Channel.STREAM)
        before = await shelf.newest(stream.id, 10)
        assert len(before) == 2
        who_waits = shelf.news(stream.id)
        await left_unread(log, away, now, removal_record(GONE, NOON))
        await log.append([subscription_record(NEW)])
        await eventually(lambda: knows(*((KEPT, NEW) if guarded else (GONE, KEPT, NEW))))
        assert bool(shelf.users(endpoint_of(GONE, Channel.STREAM).id)) != guarded
        assert who_waits.is_set() == guarded
        assert await shelf.newest(stream.id, 10) == before
    await model.close()


def told(one, number):
    """The messages of an event that are laid ready for a subscription."""
    worker = matcher(one)
    return worker.process(event_record(event(number))).records


@guarded
async def test_hubs_are_answered_anew_after_a_long_sleep(log, monkeypatch, guarded):
    if not guarded:
        unguarded(monkeypatch)
    gone, new = (feed_from_url(f"https://{name}.example/feed", NOON) for name in ("gone", "new"))
    now, away = [NOON], Sleeper(log)
    wanted = WantedFeeds(away, lambda: now[0])
    await log.append([feed_record(gone)])

    async def knows(feed):
        return feed.id.encode() in wanted._ids

    async with following(wanted):
        await eventually(lambda: knows(gone))
        await left_unread(log, away, now, feed_removed(gone, NOON))
        await log.append([feed_record(new)])
        await eventually(lambda: knows(new))
        assert await wanted.lacks(gone.id) == guarded
