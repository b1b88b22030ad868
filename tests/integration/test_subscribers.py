"""Feeds, streams and the pages behind links, with clients that people have: feedparser, httpx-sse, a form."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import orjson
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse
from tests.alerting import read
from tests.subscribers import Subscribers, endpoint_of, pulled, serving_subscribers
from tests.subscribing import eventually, true
from tests.unit.alerts.making import event

from tieup.alerts.capabilities import Form
from tieup.feeds.reading.jsonfeed import parse_json_feed
from tieup.ids import derive_id
from tieup.log.topics import MARKS, SUBSCRIPTIONS
from tieup.model.codec import decode
from tieup.model.mark import Fault, Mark
from tieup.model.story import Headline
from tieup.model.subscription import Channel, Subscription

ONE = pulled()


async def messages(service: Subscribers, one: Subscription, last: str | None = None) -> AsyncIterator[ServerSentEvent]:
    headers = {"Last-Event-ID": last} if last else {}
    url = service.url(one, Form.STREAM)
    await service.get(service.url(one, Form.ATOM))
    async with aconnect_sse(service.client, "GET", url, headers=headers) as source:
        async for message in source.aiter_sse():
            if message.data:
                yield message


async def taken(service: Subscribers, one: Subscription, count: int, last: str | None = None) -> list[ServerSentEvent]:
    found: list[ServerSentEvent] = []
    async with asyncio.timeout(10), aclosing(messages(service, one, last)) as stream:
        async for message in stream:
            found.append(message)
            if len(found) == count:
                break
    return found


def revisions(found: list[ServerSentEvent]) -> list[int]:
    return [orjson.loads(one.data)["data"]["event"]["revision"] for one in found]


async def test_both_feeds_tell_the_newest_first_and_each_event_once(tmp_path: Path) -> None:
    async with serving_subscribers(tmp_path / "log.db", feed_items=3) as service:
        await service.wish(ONE)
        await service.tell([ONE], 4)
        await service.tell([ONE], again=True)
        await taken(service, ONE, 6, "0-0")  # all of it is laid ready
        atom = await service.get(service.url(ONE, Form.ATOM))
        other = await service.get(service.url(ONE, Form.JSON))
    assert atom.headers["content-type"] == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(atom.content)
    assert not found.bozo
    assert found.version == "atom10"
    assert found.feed.title == "tieup: a wish"
    assert len(found.entries) == len({one.id for one in found.entries}) == 3
    newest = found.entries[0]
    assert newest.title == event().headline.en
    assert newest.link == event().cause.url
    assert "completely false" in newest.content[0].value
    assert {one.term for one in newest.tags} == {"joint venture", "talks", "reported", "denied"}
    document = parse_json_feed(other.content, service.url(ONE, Form.JSON), 100)
    assert [one["id"] for one in other.json()["items"]] == [one.id for one in found.entries]
    assert len(document.entries) == 3
    assert other.headers["content-type"] == "application/feed+json; charset=utf-8"


async def test_an_unchanged_feed_is_not_sent_again(tmp_path: Path) -> None:
    async with serving_subscribers(tmp_path / "log.db") as service:
        await service.wish(ONE)
        await service.tell([ONE])
        url = service.url(ONE, Form.ATOM)
        first = await eventually(lambda: service.get(url), lambda found: b"<entry" in found.content)
        etag = first.headers["etag"]
        for condition in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = await service.get(url, If_None_Match=condition)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert (await service.get(url, If_None_Match='"other"')).content == first.content
        assert (await service.get(service.url(ONE, Form.JSON), If_None_Match=etag)).status_code == 200
        await service.tell([ONE])
        after = await eventually(lambda: service.get(url, If_None_Match=etag), lambda found: found.status_code == 200)
    assert after.headers["etag"] != etag
    assert after.headers["referrer-policy"] == "no-referrer"


async def test_what_publishers_write_breaks_no_feed_and_no_stream(tmp_path: Path) -> None:
    evil = 'Ford ]]> <x> & "y" \x00\x0b\u202e\u2028\r\ndata: x </title><script>alert(1)</script>'
    async with serving_subscribers(tmp_path / "log.db") as service:
        await service.wish(ONE)
        await service.tell([ONE], headline=Headline(evil, evil))
        url = service.url(ONE, Form.ATOM)
        atom = await eventually(lambda: service.get(url), lambda found: b"<entry" in found.content)
        (message,) = await taken(service, ONE, 1, "0-0")
    found = feedparser.parse(atom.content, sanitize_html=False)
    assert not found.bozo
    assert found.entries[0].title == 'Ford ]]> <x> & "y" data: x </title><script>alert(1)</script>'
    assert orjson.loads(message.data)["data"]["event"]["headline"]["en"] == evil
    assert "<script" not in found.entries[0].content[0].value


async def test_nobody_sees_another_s_and_a_wrong_address_tells_nothing(tmp_path: Path) -> None:
    mine, other = pulled("mine"), pulled("other", "company:xiaomi")
    only_stream = pulled("only", "company:ford", Channel.STREAM)
    async with serving_subscribers(tmp_path / "log.db") as service:
        await service.wish(mine, other, only_stream)
        await service.tell([other], 2)
        url = service.url(mine, Form.ATOM)
        assert b"<entry" not in (await service.get(url)).content
        await eventually(lambda: service.get(service.url(other, Form.ATOM)), lambda found: b"<entry" in found.content)
        nobody = service.url(pulled("nobody"), Form.ATOM)
        wrong = [
            *(nobody, url.replace(mine.id, other.id), f"{service.base}/", f"{service.base}/alerts", url + "/x"),
            *(service.url(mine, Form.ATOM, 2), service.url(only_stream, Form.JSON), url.replace("feed.atom", "feed")),
            service.url(mine, Form.STREAM).replace(mine.id, other.id),
        ]
        answers = [await service.get(one) for one in wrong]
        assert {(one.status_code, one.content) for one in answers} == {(404, b"")}
        posted = await service.client.post(url, data={"fault": "stage"})
        assert posted.status_code == 404
        assert (await service.client.request("DELETE", url)).status_code == 405


async def test_a_rotated_address_ends_a_removed_one_at_once(tmp_path: Path) -> None:
    rotated = replace(
        ONE,
        endpoints=tuple(
            replace(one, secret_version=2, former_until=datetime.now(UTC) + timedelta(hours=1)) for one in ONE.endpoints
        ),
    )
    over = replace(
        ONE,
        endpoints=tuple(
            replace(one, secret_version=2, former_until=datetime.now(UTC) - timedelta(hours=1)) for one in ONE.endpoints
        ),
    )
    async with serving_subscribers(tmp_path / "log.db", heartbeat_s=0.05) as service:
        await service.wish(rotated)
        first, second = (service.url(ONE, Form.ATOM, version) for version in (1, 2))
        assert (await service.get(first)).status_code == (await service.get(second)).status_code == 200
        open_stream = asyncio.create_task(taken(service, ONE, 99))
        await true(lambda: service.counted("tieup_api_streams") == 1)
        await service.wish(over)
        await eventually(lambda: service.get(first), lambda found: found.status_code == 404)
        assert len(await open_stream) == 1  # it ended after its first words
        await service.unwish(ONE)
        await eventually(lambda: service.get(second), lambda found: found.status_code == 404)
    assert service.counted("tieup_api_streams") == 0


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_stream_resumes_exactly_where_it_was(tmp_path: Path, partitions: int) -> None:
    """Cut after every message, over a restart of the service as well: nothing is missing, nothing comes twice."""
    path, last, seen = tmp_path / "log.db", None, []
    async with serving_subscribers(path, partitions) as service:
        await service.wish(ONE, pulled("other"))
        (hello,) = await taken(service, ONE, 1)
        assert (hello.event, hello.id.split("-")[0].isdigit()) == ("tieup.stream.v1", True)
        last = hello.id
        await service.tell([ONE, pulled("other")], 6)
        for _ in range(3):
            found = await taken(service, ONE, 1, last)
            last = found[-1].id
            seen += revisions(found)
    async with serving_subscribers(path, partitions) as service:
        service.told = 6
        rest = asyncio.create_task(taken(service, ONE, 5, last))
        await true(lambda: service.counted("tieup_api_streams") == 1)
        await service.tell([ONE], 2)
        seen += revisions(await rest)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found[0].event == "tieup.story.denied.v1"
    assert "alerts/wrong/" in orjson.loads(found[0].data)["data"]["wrong_url"]


async def test_what_cannot_be_resumed_is_told_as_a_gap(tmp_path: Path) -> None:
    async with serving_subscribers(tmp_path / "log.db", stream_items=8, feed_items=1) as service:
        await service.wish(ONE)
        (hello,) = await taken(service, ONE, 1)
        await service.tell([ONE], 20)
        gap, *rest = await taken(service, ONE, 9, hello.id)
        assert (gap.event, orjson.loads(gap.data)) == ("tieup.gap.v1", {"after": hello.id})
        assert revisions(rest) == list(range(13, 21))
        for strange in ("9-1", "x", "-1", "0-9999999999999999999", "0-1000000"):
            assert (await taken(service, ONE, 1, strange))[0].event == "tieup.gap.v1"
    assert service.counted("tieup_api_drops_total", reason="gap") == 6


async def test_a_quiet_stream_says_that_it_is_there(tmp_path: Path) -> None:
    async with serving_subscribers(tmp_path / "log.db", heartbeat_s=0.05) as service:
        await service.wish(ONE)
        await service.get(service.url(ONE, Form.ATOM))
        async with asyncio.timeout(5), service.client.stream("GET", service.url(ONE, Form.STREAM)) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            text = ""
            async for piece in answer.aiter_text():
                text += piece
                if text.count(": still here\n\n") == 3:
                    break
    assert text.startswith("retry: 3000\n\n")


async def test_streams_are_bounded_and_room_comes_back(tmp_path: Path) -> None:
    other = pulled("other")
    async with serving_subscribers(
        tmp_path / "log.db", streams=3, streams_per_subscription=2, heartbeat_s=0.05
    ) as service:
        await service.wish(ONE, other)
        running = [asyncio.create_task(taken(service, one, 9)) for one in (ONE, ONE, other)]
        await true(lambda: service.counted("tieup_api_streams") == 3)
        for one in (ONE, other):
            refused = await service.client.get(service.url(one, Form.STREAM))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await true(lambda: service.counted("tieup_api_streams") == 0)
        assert len(await taken(service, ONE, 1)) == 1


async def test_a_client_that_takes_nothing_is_dropped_and_costs_no_memory(tmp_path: Path) -> None:
    async with serving_subscribers(tmp_path / "log.db", stall_s=0.3, heartbeat_s=0.05) as service:
        await service.wish(ONE)
        (hello,) = await taken(service, ONE, 1)
        await service.tell([ONE], 400)
        await eventually(lambda: service.get(service.url(ONE, Form.ATOM)), lambda found: b"<entry" in found.content)
        path = service.url(ONE, Form.STREAM).removeprefix(service.base)
        host, port = service.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1_024)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {hello.id}\r\n\r\n".encode())
        await true(lambda: service.counted("tieup_api_drops_total", reason="slow") == 1)
        await true(lambda: service.counted("tieup_api_streams") == 0)
        sent = service.counted("tieup_api_stream_messages_total")
        assert sent < 400  # the rest was never read from what is laid ready
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(100_000_000)
        writer.close()
        # one that reads gets all of it
        assert revisions(await taken(service, ONE, 400, hello.id)) == list(range(1, 401))


async def test_a_mark_is_made_by_the_form_and_by_nothing_else(tmp_path: Path) -> None:
    path, event_id = tmp_path / "log.db", ""
    async with serving_subscribers(path) as service:
        await service.wish(ONE)
        await service.tell([ONE])
        feed = await eventually(
            lambda: service.get(service.url(ONE, Form.JSON)),
            lambda found: found.status_code == 200 and found.json()["items"],
        )
        told = feed.json()["items"][0]["_tieup"]
        event_id, url = told["event_id"], told["wrong_url"]
        page = await service.get(url)
        assert page.status_code == 200
        assert "script" not in page.text
        assert event().headline.en in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        for _ in range(2):
            await service.client.head(url)
            await service.client.get(url + "?fault=stage")
        assert await read(path, MARKS) == []
        assert (await service.client.post(url, data={"fault": "nonsense"})).status_code == 422
        assert (await service.client.post(url, content=b"x" * 10_000)).status_code == 413
        assert (await service.client.post(url[:-1] + "x", data={"fault": "stage"})).status_code == 404
        assert await read(path, MARKS) == []
        for note in ("only\r\ntalks\x00 <b>", "two"):
            answer = await service.client.post(url, data={"fault": "stage", "note": note})
            assert (answer.status_code, "Thank you" in answer.text) == (200, True)
            assert (await service.client.post(url, data={"fault": "kind"})).status_code == 429
            service.later += timedelta(seconds=5)
    first, second = [decode(Mark, one.value, "mark") for one in await read(path, MARKS)]
    assert (first.fault, first.note, first.event_id, first.subscription_id) == (
        *(Fault.STAGE, "only talks <b>", event_id),
        ONE.id,
    )
    assert (second.id, second.note) == (first.id, "two")
    assert first.story_id == derive_id("one")


async def test_one_click_takes_an_address_from_all_alerts(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    alone, both = pulled("alone", "company:ford", Channel.FEED), pulled("both")
    shared = endpoint_of(alone, Channel.FEED)
    both = replace(both, endpoints=(*both.endpoints, shared))
    async with serving_subscribers(path) as service:
        await service.wish(alone, both)
        stop = service.links.stop_url(shared.id)
        page = await eventually(lambda: service.get(stop), lambda found: "alone" in found.text and "both" in found.text)
        assert '<form method="post">' in page.text
        before = len(await read(path, SUBSCRIPTIONS))
        assert before == 2
        answer = await service.client.post(stop, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        found = {
            one.name: one for one in [decode(Subscription, r.value, "s") for r in await read(path, SUBSCRIPTIONS)][2:]
        }
        assert found["alone"].paused
        assert [one.channel for one in found["both"].endpoints] == [Channel.FEED, Channel.STREAM]
        assert not found["both"].paused


@pytest.mark.parametrize(
    ("begun", "answer"),
    [
        ("GET /alerts HTTP/1.1\r\n", b""),
        ("POST {stop} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", b"408"),
    ],
)
async def test_what_is_begun_and_never_ends_is_cut_off(tmp_path: Path, begun: str, answer: bytes) -> None:
    async with serving_subscribers(tmp_path / "log.db", stall_s=0.2) as service:
        host, port = service.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        stop = service.links.stop_url("0" * 32).removeprefix(service.base)
        writer.write(begun.format(stop=stop).encode())
        async with asyncio.timeout(5):
            assert (await reader.read())[9:12] == answer
        writer.close()
