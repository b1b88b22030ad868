"""What the bad web does, against a loopback server: each gives one clear line, and no other feed waits for it."""

import asyncio
import gzip
import shutil
import ssl
import zlib
from datetime import UTC, datetime
from pathlib import Path

import brotli
import httpx
import orjson
import pytest
import zstandard
from tests.feed_server import Answer, FeedServer, Page, feed_server, item, rss
from tests.integration.polled import FINE, LIMIT, NOW, XML, poll, request, shell

from tieup.feeds.http import FetchShell
from tieup.feeds.hubs.callbacks import Callbacks
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.pages.wants import PageRequest
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.log.base import Act
from tieup.model.codec import decode
from tieup.model.feed import FetchOutcome
from tieup.model.hub import HubOutcome, HubRequest
from tieup.model.page import PageOutcome, PageResult


def coded(name: str, body: bytes) -> Answer:
    return Answer(body, headers=(*XML, ("Content-Encoding", name)))


def zstd_bomb() -> bytes:
    return zstandard.compress(bytes(50_000_000))


DEFLATE_RAW = zlib.compressobj(wbits=-15)
BOMBS = {
    "gzip": lambda: gzip.compress(bytes(50_000_000)),
    "deflate": lambda: zlib.compress(bytes(50_000_000)),
    "br": lambda: brotli.compress(bytes(50_000_000), quality=5),
    "zstd": zstd_bomb,
}
CODINGS = {
    "gzip": gzip.compress(FINE),
    "x-gzip": gzip.compress(FINE[:100]) + gzip.compress(FINE[100:]),
    "deflate": zlib.compress(FINE),
    "DEFLATE": DEFLATE_RAW.compress(FINE) + DEFLATE_RAW.flush(),
    "br": brotli.compress(FINE),
    "zstd": zstandard.compress(FINE),
    "identity": FINE,
}
BAD = {
    "not found": (Answer(status=404), "answered 404"),
    "server error": (Answer(status=500), "answered 500"),
    "gone": (Answer(status=410), "answered 410"),
    "no content": (Answer(status=204), "answered 204"),
    "no status": (Answer(raw=b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), "answered 999"),
    "unasked 304": (Answer(status=304), "answered 304"),
    "HTML": (Answer(b"<!DOCTYPE html><html><body>Bot check</body></html>"), "an HTML page, not a feed"),
    "empty": (Answer(b""), "the body is empty"),
    "blank": (Answer(b" \r\n "), "the body is empty"),
    "text": (Answer(b"hello"), "not a feed"),
    "broken JSON": (Answer(b'{"version": "https://jsonfeed.org/version/1.1", "items": ['), "broken JSON"),
    "other JSON": (Answer(b'{"items": []}'), "JSON, but no JSON Feed"),
    "binary": (Answer(bytes(range(256)) * 10), "not a feed"),
    "too large, said": (Answer(b"x" * 1_000, repeat=1_000), f"larger than {LIMIT} bytes"),
    "too large, unsaid": (Answer(b"x" * 100_000, repeat=1_000, with_length=False), f"larger than {LIMIT} bytes"),
    "silent": (Answer(b"x", wait_s=30), "silent for 0.3 s"),
    "hangs up": (Answer(raw=b""), "disconnected"),
    "no HTTP": (Answer(raw=b"SSH-2.0-OpenSSH_9.7\r\n\r\n"), "no proper HTTP"),
    "cut short": (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<rss>"), "peer closed"),
    "endless head": (Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 50_000), "too many headers"),
    "broken gzip": (coded("gzip", b"no gzip at all"), "gzip coding is broken"),
    "cut gzip": (coded("gzip", gzip.compress(FINE)[:-20]), "in the middle of its coding"),
    "cut br": (coded("br", brotli.compress(FINE)[:-5]), "in the middle of its coding"),
    "broken br": (coded("br", b"\xff" * 50), "brotli coding is broken"),
    "broken zstd": (coded("zstd", b"nothing of the kind"), "zstd coding is broken"),
    "unknown coding": (coded("compress", FINE), "'compress' was not asked for"),
    "redirect without place": (Answer(status=302), "without a Location"),
    "redirect to a file": (Answer(status=302, headers=(("Location", "file:///etc/passwd"),)), "not an http"),
    "redirect loop": (Answer(status=301, headers=(("Location", "/feed.xml"),)), "more than 5 redirects"),
    "entity bomb": (
        Answer(
            b"<!DOCTYPE rss [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;'>]>"
            b"<rss>&c;&c;&c;</rss"
        ),
        "not a feed",
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
async def test_a_bad_answer_is_an_outcome_of_one_line_that_names_the_url(served: FeedServer, case: str) -> None:
    answer, words = BAD[case]
    outcome = await poll(served, answer, read_s=0.3)
    assert outcome.entries is None
    assert outcome.error is not None
    assert served.url() in outcome.error
    assert words.lower() in outcome.error.lower()
    assert "\n" not in outcome.error


@pytest.mark.parametrize("coding", sorted(BOMBS))
async def test_a_bomb_stops_at_the_bound(served: FeedServer, coding: str) -> None:
    outcome = await poll(served, coded(coding, BOMBS[coding]()))
    assert outcome.error == f"{served.url()}: the body is larger than {LIMIT} bytes"


@pytest.mark.parametrize("coding", sorted(CODINGS))
async def test_every_coding_that_was_asked_for_is_read(served: FeedServer, coding: str) -> None:
    outcome = await poll(served, coded(coding, CODINGS[coding]))
    assert outcome.error is None
    assert [entry.guid for entry in outcome.entries or ()] == ["guid-1", "guid-2"]


async def test_a_trickle_ends_at_the_whole_time(served: FeedServer) -> None:
    outcome = await poll(served, Answer(FINE, trickle_s=0.02), total_s=0.3, read_s=0.2)
    assert outcome.error == f"{served.url()}: no whole answer within 0.3 s"


async def test_broken_xml_gives_the_entries_that_can_be_had(served: FeedServer) -> None:
    outcome = await poll(served, Answer(rss(item(1), item(2, "R & D, <b>torn")).replace(b"</rss>", b"")))
    assert [entry.guid for entry in outcome.entries or ()] == ["guid-1", "guid-2"]


async def test_a_wrong_charset_is_survived(served: FeedServer) -> None:
    body = rss(item(1, "Die Münchner prüfen eine Kooperation mit Škoda.")).decode().encode("latin-1", "replace")
    outcome = await poll(served, Answer(body, headers=(("Content-Type", "application/rss+xml; charset=utf-8"),)))
    assert [entry.plain.text for entry in outcome.entries or ()] == ["Die Münchner prüfen eine Kooperation mit ?koda."]


async def test_entries_without_id_date_or_title_are_kept(served: FeedServer) -> None:
    body = rss("<item><description>Only text</description></item>", "<item><title>Only title</title></item>", "<item/>")
    outcome = await poll(served, Answer(body))
    assert [(entry.guid, entry.plain.title, entry.plain.text) for entry in outcome.entries or ()] == [
        (None, "", "Only text"),
        (None, "Only title", ""),
    ]
    assert outcome.bad_entries == 1


async def test_an_unreadable_body_comes_along_whole(served: FeedServer) -> None:
    outcome = await poll(served, Answer(b"hello"))
    assert outcome.raw_body == "aGVsbG8="
    assert outcome.body_hash == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


async def test_both_validators_go_back_byte_for_byte_and_nothing_private_with_them(served: FeedServer) -> None:
    served.pages["/feed.xml"] = Page(
        FINE, 'W/"a\xe9 b"', "Tue, 3 Feb 2026 07:00:00 UTC", (*XML, ("Set-Cookie", "id=1; Path=/"))
    )
    async with shell(contact="https://example.org/bot") as opened:
        first = await opened.poll(request(served.url()))
        assert first.etag is not None
        assert first.last_modified is not None
        second = await opened.poll(request(served.url(), etag=first.etag, last_modified=first.last_modified))
    assert (second.status, second.error, second.entries) == (304, None, None)
    asked = served.seen[1]
    assert asked.headers["if-none-match"] == 'W/"a\xe9 b"'
    assert asked.headers["if-modified-since"] == "Tue, 3 Feb 2026 07:00:00 UTC"
    assert asked.headers["user-agent"].endswith("(feed reader; +https://example.org/bot)")
    assert {"cookie", "referer"}.isdisjoint(asked.headers)
    assert asked.path == "/feed.xml"


async def test_the_same_body_is_not_parsed_again(served: FeedServer) -> None:
    served.pages["/feed.xml"] = Answer(FINE)
    async with shell() as opened:
        first = await opened.poll(request(served.url()))
        second = await opened.poll(request(served.url(), body_hash=str(first.body_hash)))
    assert (second.status, second.error, second.entries) == (200, None, None)
    assert second.body_hash == first.body_hash


async def test_freshness_and_retry_after_are_read(served: FeedServer) -> None:
    fresh = await poll(served, Answer(FINE, headers=(*XML, ("Cache-Control", "public, max-age=7200"))))
    asked = await poll(served, Answer(status=429, headers=(("Retry-After", "900"),)))
    assert (fresh.max_age_s, asked.retry_after_s) == (7200, 900)


async def test_relative_links_are_resolved_against_the_last_redirect(served: FeedServer) -> None:
    served.pages["/new/feed.xml"] = Answer(rss(item(1).replace("/articles/1", "1.html")))
    outcome = await poll(served, Answer(status=301, headers=(("Location", "/new/feed.xml"),)))
    assert outcome.url == served.url("/new/feed.xml")
    assert outcome.requested_url == served.url()
    assert [entry.link for entry in outcome.entries or ()] == [served.url("/new/1.html")]


PRIVATE = ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "0"]


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_private_address_is_not_asked_however_it_is_written(served: FeedServer, host: str) -> None:
    served.pages["/feed.xml"] = Answer(FINE)
    async with shell(allow_private=False) as opened:
        outcome = await opened.poll(request(served.url(host=host)))
    assert outcome.error is not None
    assert outcome.error.endswith("not asked")
    assert served.seen == []


async def test_a_redirect_into_the_own_network_is_refused(served: FeedServer) -> None:
    served.pages["/feed.xml"] = Answer(status=302, headers=(("Location", served.url("/secret")),))
    served.pages["/secret"] = Answer(FINE)
    async with shell(allow_private=False, hosts={"news.example": served.place}) as opened:
        outcome = await opened.poll(request("http://news.example/feed.xml"))
    assert outcome.error is not None
    assert "a loopback address; not asked" in outcome.error
    assert "http://news.example/feed.xml" in outcome.error
    assert [seen.path for seen in served.seen] == ["/feed.xml"]


async def test_a_fixed_host_keeps_its_name(served: FeedServer) -> None:
    served.pages["/feed.xml"] = Answer(FINE)
    async with shell(allow_private=False, hosts={"news.example": served.place}) as opened:
        outcome = await opened.poll(request("http://news.example/feed.xml"))
    assert outcome.error is None
    assert served.seen[0].headers["host"] == "news.example"


async def test_a_name_that_does_not_exist_is_an_outcome() -> None:
    async with shell(connect_s=2.0) as opened:
        outcome = await opened.poll(request("http://nowhere.invalid/feed.xml"))
    assert outcome.error is not None
    assert outcome.error.startswith("http://nowhere.invalid/feed.xml: nowhere.invalid ")
    assert "resolved" in outcome.error


async def test_a_closed_port_is_an_outcome(served: FeedServer) -> None:
    port = served.port
    async with feed_server() as other:
        closed = other.port
    async with shell() as opened:
        outcome = await opened.poll(request(f"http://127.0.0.1:{closed}/feed.xml"))
    assert closed != port
    assert outcome.error is not None
    assert outcome.error.startswith(f"http://127.0.0.1:{closed}/feed.xml: ")


async def test_an_act_gives_an_encoded_outcome_with_time_in_milliseconds(served: FeedServer) -> None:
    served.pages["/feed.xml"] = Answer(FINE)
    async with shell() as opened:
        value = await opened.perform(Act("f1:0", request(served.url())))
    outcome = decode(FetchOutcome, value, "test")
    assert outcome.observed_at == datetime(2026, 2, 3, 8, 0, 0, 123_000, tzinfo=UTC)
    assert len(outcome.entries or ()) == 2
    assert orjson.loads(value)["feed_title"] == "Motor News"


async def test_at_most_two_requests_of_one_host_are_under_way(served: FeedServer) -> None:
    under_way = most = 0
    release = asyncio.Event()

    class Counting:
        async def handle_async_request(self, _: object) -> object:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            if under_way == 2:
                asyncio.get_running_loop().call_later(0.05, release.set)
            await release.wait()
            under_way -= 1
            return httpx.Response(404)

        async def aclose(self) -> None: ...

    opened = FetchShell(FetchSettings(per_host=2), clock=lambda: NOW, transport=Counting())
    await asyncio.gather(*(opened.poll(request(f"http://a.example/{number}")) for number in range(8)))
    await opened.close()
    assert most == 2
    assert len(opened._turns) == 0


async def test_a_bad_feed_stops_no_other(served: FeedServer) -> None:
    served.pages |= {"/bad": Answer(b"x", wait_s=30), "/good": Answer(FINE)}
    async with shell(read_s=1.0) as opened:
        bad, good = await asyncio.gather(
            opened.poll(request(served.url("/bad"))), opened.poll(request(served.url("/good")))
        )
    assert bad.error is not None
    assert good.error is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_tls_keeps_the_name_although_the_address_is_pinned(tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", "/CN=news.example", "-addext", "subjectAltName=DNS:news.example"),
        *("-keyout", key, "-out", certificate),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    names: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with feed_server(tls=context) as served:
        async with shell(allow_private=False, hosts={"news.example": served.place}) as opened:
            outcome = await opened.poll(request("https://news.example/feed.xml"))
        assert served.seen == []
    assert names == ["news.example"]
    assert outcome.error is not None
    assert "certificate verify failed" in outcome.error.lower()


@pytest.mark.parametrize("location", ["http://xn--a.example/'", "http://a\\'b.example/", "http://0'..xn--/"])
async def test_no_address_that_a_library_chokes_on_is_more_than_an_error(served: FeedServer, location: str) -> None:
    served.pages["/0"] = Answer(status=301, headers=(("Location", location),))
    settings = FetchSettings(allow_private=True)
    terms = HubTerms(Callbacks("k" * 43, "https://tieup.example"), WebSubSettings(), settings)
    opened = FetchShell(settings, lambda: NOW, hubs=terms)
    asking = HubRequest("0" * 32, "127.0.0.1", "subscribe", location, "http://news.example/feed")
    page = PageRequest("w", served.url("/0"), 1, 0)
    try:
        polled = await opened.poll(request(served.url("/0")))
        hub = decode(HubOutcome, await opened.perform(Act("hub", asking)), "here")
        read = decode(PageOutcome, await opened.perform(Act("page", page)), "here")
    finally:
        await opened.close()
    assert all(outcome.error is not None and location in outcome.error for outcome in (polled, hub))
    assert (read.result, read.again) == (PageResult.NO_ANSWER, True)
