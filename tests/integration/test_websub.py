"""Feeds that are pushed: a real hub on loopback, the door for hubs, the fetch worker on the embedded log."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from tests.feed_server import document, item, rss
from tests.hub_server import Held, Hub
from tests.subscribing import Subscribing, eventually, true

from tieup.feeds.registry import feed_from_url, feeds_to_records, removal_record
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.model.feed import Feed

LEASED = lambda state: state.hub is not None and state.hub.lease_until is not None  # noqa: E731


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub().serving() as served:
        served.feeds["news"] = (rss(item(1)), "application/rss+xml")
        yield served


@pytest.fixture
def service(tmp_path: Path) -> Subscribing:
    return Subscribing(tmp_path / "log.db")


async def want(service: Subscribing, hub: Hub, name: str = "news") -> Feed:
    feed = feed_from_url(hub.topic(name), service.clock())
    await service.append(feeds_to_records([feed]))
    return feed


async def subscribed(service: Subscribing, hub: Hub) -> Held:
    await service.until(LEASED)
    await true(lambda: hub.held)
    return next(iter(hub.held.values()))


async def _status(posting) -> int | None:
    """The answer's status; None where the connection was cut before it could be read."""
    try:
        async with posting as answer:
            return answer.status
    except aiohttp.ClientError:
        return None


async def titles(service: Subscribing, count: int) -> list[str]:
    """The titles of the articles, once there are so many."""
    found = await eventually(service.articles, lambda found: len(found) >= count)
    return sorted(article.title for article in found)


async def test_a_pushed_entry_becomes_an_article_and_the_poll_s_memory_stays_a_poll_s(service, hub) -> None:
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        assert hub.asked[0].form["hub.secret"] == held.secret
        assert hub.asked[0].form["hub.lease_seconds"] == "864000"
        before = await service.state()
        assert await hub.publish("news", rss(item(2))) == [202]
        assert await titles(service, 2) == ["Title 1", "Title 2"]
        after = await service.until(lambda state: state.hub.pushes == 1)
    (pushed,) = [article for article in await service.articles() if article.title == "Title 2"]
    assert (pushed.backfill, pushed.url) == (False, f"http://127.0.0.1:{hub.port}/articles/2")
    poll_s_own = ("etag", "last_modified", "body_hash", "window", "overruns", "polls", "last_poll_at", "wish_s")
    assert {name: getattr(before, name) for name in poll_s_own} == {name: getattr(after, name) for name in poll_s_own}
    assert (after.entries, after.hub.new_since_poll) == (2, 1)
    assert after.next_poll_at > before.next_poll_at + timedelta(hours=12)
    assert hub.polls == ["news"]
    assert service.counted("tieup_pushes_total", outcome="document") == 1


@pytest.mark.parametrize("kind", ["atom", "json"])
async def test_hubs_are_found_in_every_format_and_take_every_format(service, hub, kind: str) -> None:
    links = {
        "atom": f"<link rel='hub' href='{hub.url}'/><link rel='self' href='{hub.topic()}'/>",
        "json": "",
    }
    body = document(kind, 1, head=links[kind])
    if kind == "json":
        named = f'"hubs":[{{"type":"rssCloud","url":"http://x.example/"}},{{"type":"WebSub","url":"{hub.url}"}}],'
        body = body.replace(b"{", f'{{{named}"feed_url":"{hub.topic()}",'.encode(), 1)
    content_type = {"atom": "application/atom+xml", "json": "application/feed+json"}[kind]
    hub.feeds["news"] = (body, content_type)
    hub.algorithm, hub.in_header = "sha512", False
    await want(service, hub)
    async with service.running():
        await subscribed(service, hub)
        assert await hub.publish("news", document(kind, 2), content_type) == [202]
        assert await titles(service, 2) == ["Title 1", "Title 2"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha384"])
async def test_what_is_signed_wrongly_is_thanked_for_and_ignored(service, hub, algorithm: str) -> None:
    await want(service, hub)
    hub.algorithm = algorithm
    async with service.running():
        held = await subscribed(service, hub)
        forged = rss(item(66))
        assert await hub.push(replace(held, secret="guessed"), forged) == 202
        assert await hub.push(held, forged, signature="") == 202
        assert await hub.push(held, forged, signature="md5=00000000000000000000000000000000") == 202
        assert await hub.publish("news", rss(item(2))) == [202]
        assert await titles(service, 2) == ["Title 1", "Title 2"]
    assert service.counted("tieup_pushes_total", outcome="unsigned") == 3


async def test_strangers_are_told_nothing(service, hub) -> None:
    await want(service, hub)
    async with service.running(), aiohttp.ClientSession() as session:
        held = await subscribed(service, hub)
        wrong = held.callback[:-1] + ("0" if held.callback[-1] != "0" else "1")
        proper = {"hub.mode": "subscribe", "hub.topic": held.topic, "hub.challenge": "c", "hub.lease_seconds": "60"}
        for callback, query in [
            (wrong, proper),
            (held.callback, proper | {"hub.topic": held.topic + "x"}),
            (held.callback, {"hub.mode": "subscribe", "hub.topic": held.topic}),
            (held.callback, proper | {"hub.mode": "publish"}),
            (held.callback.replace("/websub/", "/metrics/"), proper),
        ]:
            async with session.get(callback, params=query) as answer:
                assert (answer.status, await answer.read()) == (404, b"")
                assert "server" not in answer.headers
        assert await hub.push(replace(held, callback=wrong), rss(item(66))) == 404
        async with session.put(held.callback, data=b"x") as answer:
            assert (answer.status, await answer.read()) == (404, b"")
        async with session.get(held.callback, params=proper) as answer:
            assert (answer.status, await answer.read()) == (200, b"c")
    assert [article.title for article in await service.articles()] == ["Title 1"]


async def test_a_lease_is_renewed_in_time_and_over_restarts(service, hub) -> None:
    hub.lease_s = 1_000
    await want(service, hub)
    async with service.running():
        await subscribed(service, hub)
        lease = (await service.state()).hub.lease_until
    assert len(hub.asked) == 1
    async with service.running():  # a restart asks nothing
        assert await hub.publish("news", rss(item(2))) == [202]
        assert await titles(service, 2) == ["Title 1", "Title 2"]
        assert len(hub.asked) == 1
    service.later = timedelta(seconds=900)
    async with service.running():
        state = await service.until(lambda state: state.hub.lease_until > lease)
    assert [asked.mode for asked in hub.asked] == ["subscribe", "subscribe"]
    assert len({asked.callback for asked in hub.asked}) == 1
    assert state.hub.failures == 0


async def test_a_hub_that_denies_is_asked_much_later_and_the_feed_is_polled_as_before(service, hub) -> None:
    hub.verdict = "deny"
    await want(service, hub)
    async with service.running():
        state = await service.until(lambda state: state.hub is not None and state.hub.spoke_at is not None)
    assert (state.hub.error, state.hub.lease_until) == ("denied by the hub: too many", None)
    assert state.hub.ask_at >= state.hub.spoke_at + timedelta(days=1)
    assert state.next_poll_at <= state.last_poll_at + timedelta(days=1, hours=3)


@pytest.mark.parametrize(("status", "said"), [(500, "answered 500: no"), (307, "redirects without a Location")])
async def test_a_hub_that_fails_is_not_hammered(service, hub, status: int, said: str) -> None:
    hub.status = status
    await want(service, hub)
    async with service.running():
        state = await service.until(lambda state: state.hub is not None and state.hub.failures)
        await asyncio.sleep(0.3)
    assert len(hub.asked) == 1
    assert state.hub.error == f"{hub.url}: {said}"
    assert state.hub.ask_at >= state.last_poll_at + timedelta(seconds=service.settings.retry_s)


async def test_a_hub_inside_the_network_is_refused_unless_it_is_allowed(service, hub, tmp_path: Path) -> None:
    hosts = {"news.example": f"127.0.0.1:{hub.port}"}
    service.settings = FetchSettings(hosts=hosts)
    await service.append(feeds_to_records([feed_from_url("http://news.example/feeds/news", service.clock())]))
    async with service.running():
        state = await service.until(lambda state: state.hub is not None and state.hub.failures)
    assert hub.polls == ["news"]
    assert hub.asked == []
    assert "127.0.0.1" in state.hub.error
    assert "loopback" in state.hub.error


async def test_a_removed_feed_is_unsubscribed_and_its_pushes_are_not_believed(service, hub) -> None:
    feed = await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        await service.append([removal_record(feed, service.clock())])
        await service.until(lambda state: state.hub is None)
        await true(lambda: not hub.held)
        await eventually(lambda: hub.push(held, rss(item(2))), lambda status: status == 410)  # the door reads beside
        intent = {"hub.mode": "subscribe", "hub.topic": held.topic, "hub.challenge": "c", "hub.lease_seconds": "60"}
        assert await hub.call(held.callback, intent) == (404, b"")
    assert [asked.mode for asked in hub.asked] == ["subscribe", "unsubscribe"]
    assert [(mode, status) for mode, status, _ in hub.verified] == [("subscribe", 200), ("unsubscribe", 200)]
    assert [article.title for article in await service.articles()] == ["Title 1"]


async def test_pushes_without_usable_content_are_polls_but_few(service, hub) -> None:
    service.websub = WebSubSettings(renewal_s=1, ping_gap_s=1)
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        hub.feeds["news"] = (rss(item(2), item(1)), "application/rss+xml")
        for body in (b"", b"<html></html>", rss()):
            assert await hub.push(held, body) == 202
        assert await titles(service, 2) == ["Title 1", "Title 2"]
        assert len(hub.polls) == 2
    assert service.counted("tieup_pushes_total", outcome="ping") == 3


async def test_a_body_is_bounded_in_size_and_in_time(service, hub) -> None:
    service.settings = FetchSettings(allow_private=True, host_rate=0.0, max_body_bytes=10_000)
    service.websub = WebSubSettings(renewal_s=1, body_s=0.5)
    await want(service, hub)

    async def drip():
        for _ in range(100):
            yield b"x"
            await asyncio.sleep(0.1)

    async def flood():
        for _ in range(100_000):
            yield b"x" * 1_000

    async with service.running(), aiohttp.ClientSession() as session:
        held = await subscribed(service, hub)
        async with session.post(held.callback, data=drip()) as answer:
            assert answer.status == 408
        assert await _status(session.post(held.callback, data=flood())) in (413, None)
        bomb = gzip.compress(b"<rss>" + b" " * 1_000_000)
        assert await hub.push(held, bomb, **{"Content-Encoding": "gzip"}) == 202  # signed, so a ping
        assert await hub.push(held, gzip.compress(rss(item(2))), **{"Content-Encoding": "gzip"}) == 202
        assert await titles(service, 2) == ["Title 1", "Title 2"]


async def test_a_head_that_does_not_come_whole_in_time_ends_its_connection(service, hub) -> None:
    service.websub = WebSubSettings(renewal_s=1, body_s=0.5)
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        query = urlencode({"hub.mode": "subscribe", "hub.topic": held.topic, "hub.challenge": "c"})
        path = held.callback.partition(str(service.port))[2]
        whole = f"GET {path}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        for before in (b"", whole):  # the first head of a connection, and a later one
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(before)
            if before:
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
                assert await reader.readexactly(1) == b"c"
            writer.write(whole[:-2])
            async with asyncio.timeout(10):
                assert await reader.read() == b""
            writer.close()


async def test_a_document_too_large_for_a_record_is_a_poll(service, hub) -> None:
    service.websub = WebSubSettings(renewal_s=1, ping_gap_s=1)
    long = "Ford und BYD reden. " * 4_000
    await want(service, hub)
    async with service.running():
        await subscribed(service, hub)
        many = rss(*(item(number, f"{number} {long}") for number in range(1, 20)))
        assert await hub.publish("news", many) == [202]
        assert len(await titles(service, 20)) == 20  # entry 1 is edited
        assert len(hub.polls) == 2


async def test_two_processes_agree_on_a_callback(service, hub, tmp_path: Path) -> None:
    """The second has the feeds, as every process on one Kafka, but nothing of their states."""
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
    other = Subscribing(tmp_path / "other.db", port=service.port)
    stranger = Subscribing(tmp_path / "third.db", port=service.port, key="another master key, long enough as well")
    query = {"hub.mode": "subscribe", "hub.topic": held.topic, "hub.challenge": "c", "hub.lease_seconds": "60"}
    await want(other, hub)
    async with other.running():
        assert await hub.call(held.callback, query) == (200, b"c")
    async with stranger.running():
        assert await hub.call(held.callback, query) == (404, b"")


async def test_another_master_key_asks_the_hub_anew(service, hub) -> None:
    await want(service, hub)
    async with service.running():
        await subscribed(service, hub)
    service.key = "another master key, long enough as well"
    async with service.running():
        await true(lambda: len(hub.held) == 2)
        assert 202 in await hub.publish("news", rss(item(2)))
        assert await titles(service, 2) == ["Title 1", "Title 2"]


async def test_a_hub_that_sends_too_much_is_told_to_wait(service, hub) -> None:
    service.websub = WebSubSettings(renewal_s=1, rate=0.1, burst=3)
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        assert [await hub.push(held, rss(item(2))) for _ in range(5)] == [202, 202, 202, 429, 429]


async def test_a_hub_that_has_moved_is_followed_with_the_whole_form(service, hub) -> None:
    hub.path = "old-hub"
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        assert hub.asked[0].form["hub.secret"] == held.secret
        assert (await service.state()).hub.url == hub.url


async def test_pushes_beyond_those_that_are_read_at_once_are_told_to_come_again(service, hub) -> None:
    service.websub = WebSubSettings(renewal_s=1, concurrency=1)
    await want(service, hub)
    async with service.running():
        held = await subscribed(service, hub)
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        path = held.callback.partition(str(service.port))[2]
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
        writer.write(head.encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")  # its body is waited for
        assert await hub.push(held, rss(item(2))) == 503
        writer.write(b"x")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
        writer.close()
        assert await hub.push(held, rss(item(2))) == 202
