"""Answers that are hostile on the wire: each costs its bound of time and bytes."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from tests.feed_server import Answer, feed_server, item, loopback, rss

from tieup.feeds.http import FetchShell
from tieup.feeds.poll import PollRequest
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import FetchOutcome

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FINE = rss(item(1))
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
MUCH = 16_000_000  # what buffers of both sides may hold at most


@dataclass
class Pourer:
    """A server that sends a head and then a piece again and again, until the other side has had enough."""

    head: bytes
    piece: bytes = b""
    port: int = 0
    sent: int = 0
    pieces: int = 2_000
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.head)
            for _ in range(self.pieces if self.piece else 0):
                writer.write(self.piece)
                await writer.drain()
                self.sent += len(self.piece)
            await writer.drain()
        writer.close()
        self.hung_up.set()


@asynccontextmanager
async def pouring(pourer: Pourer) -> AsyncIterator[Pourer]:
    async with loopback(pourer.serve) as pourer.port:
        yield pourer


@asynccontextmanager
async def shell(**settings: object) -> AsyncIterator[FetchShell]:
    opened = FetchShell(FetchSettings(**({"allow_private": True, "host_rate": 0.0} | settings)), lambda: NOW)
    try:
        yield opened
    finally:
        await opened.close()


async def ask(url: str, **settings: object) -> FetchOutcome:
    async with shell(**settings) as opened:
        return await opened.poll(PollRequest("f1", url, "127.0.0.1"))


POURED = {
    "endless status line": Pourer(b"HTTP/1.1 200 ", b"O" * 65_536),
    "endless header": Pourer(OK + b"X-Long: ", b"a" * 65_536),
    "endless headers": Pourer(OK, b"X-Many: b\r\n" * 5_000),
    "one header of a megabyte": Pourer(OK + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n"),
    "a place of a megabyte": Pourer(b"HTTP/1.1 301 M\r\nLocation: http://a.example/" + b"a" * 1_000_000 + b"\r\n\r\n"),
    "endless trailers": Pourer(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-T: b\r\n" * 8_192),
    "endless body": Pourer(OK + b"\r\n", b"x" * 65_536),
    "endless chunks": Pourer(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
}


@pytest.mark.parametrize("case", sorted(POURED))
async def test_what_never_ends_is_left_soon(case: str) -> None:
    kind = POURED[case]
    async with pouring(Pourer(kind.head, kind.piece)) as server:
        outcome = await ask(f"http://127.0.0.1:{server.port}/feed", max_body_bytes=200_000)
        await server.hung_up.wait()
    assert outcome.error is not None
    assert (outcome.entries, "\n" in outcome.error, len(outcome.error) < 2_000) == (None, False, True)
    assert "no whole answer" not in outcome.error, "it was left by the clock"
    assert server.sent < MUCH


HELD = {
    "early words": Pourer(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" * 100),
    "a chunk size": Pourer(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65_536),
    "a chunk extension": Pourer(OK + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x" * 65_536),
}


@pytest.mark.parametrize("case", sorted(HELD))
async def test_what_fills_no_buffer_is_left_at_the_whole_time_at_the_latest(case: str) -> None:
    kind = HELD[case]
    async with pouring(Pourer(kind.head, kind.piece, pieces=10**9)) as server:
        outcome = await ask(f"http://127.0.0.1:{server.port}/feed", total_s=0.5)
        await server.hung_up.wait()
    assert outcome.entries is None
    assert outcome.error is not None


BROKEN = {
    "no status line": b"<rss version='2.0'><channel/></rss>\r\n\r\n",
    "HTTP/0.9": FINE,
    "two lengths": OK + b"Content-Length: 10\r\nContent-Length: 20\r\n\r\n" + FINE,
    "a length below nothing": OK + b"Content-Length: -5\r\n\r\n" + FINE,
    "a chunk size that is none": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + FINE,
    "chunks cut short": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n",
    "a body cut short": OK + b"Content-Length: 99999\r\n\r\n" + FINE,
    "a switch of protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "null bytes in a header": OK + b"X-Null: a\0b\r\nContent-Length: 0\r\n\r\n",
    "an answer in TLS": b"\x15\x03\x03\x00\x02\x02\x28",
    "nothing": b"",
}


@pytest.mark.parametrize("case", sorted(BROKEN))
async def test_what_is_no_whole_answer_is_an_error_of_one_line(case: str) -> None:
    async with pouring(Pourer(BROKEN[case])) as server:
        url = f"http://127.0.0.1:{server.port}/feed"
        outcome = await ask(url, total_s=5.0, read_s=2.0)
    assert outcome.error is not None
    assert outcome.error.startswith(url)
    assert (outcome.entries, "\n" in outcome.error, outcome.raw_body) == (None, False, None)


async def test_lengths_and_chunks_at_once_tell_no_second_answer() -> None:
    """The chunks count (RFC 9112 §6.3), and the connection is not used again."""
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FINE), FINE)
    head = OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with pouring(Pourer(head + chunked)) as server:
        outcome = await ask(f"http://127.0.0.1:{server.port}/feed")
    assert outcome.error is not None or [entry.guid for entry in outcome.entries or ()] == ["guid-1"]


@dataclass
class KeepAlive:
    """A server that keeps its connections; after each answer it sends another one that nobody asked for."""

    extra: bytes
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked.append(head.split(b" ")[1])
                body = rss(item(len(self.asked)))
                writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body + self.extra)
                await writer.drain()
        writer.close()


SMUGGLED = rss(item(99))
EXTRAS: Sequence[bytes] = (
    OK + b'ETag: "smuggled"\r\nContent-Length: %d\r\n\r\n' % len(SMUGGLED) + SMUGGLED,
    b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    b"leftovers",
)


@pytest.mark.parametrize("extra", EXTRAS)
async def test_what_follows_an_answer_is_nobodys_answer(extra: bytes) -> None:
    kept = KeepAlive(extra)
    async with loopback(kept.serve) as port, shell() as opened:
        url = f"http://127.0.0.1:{port}"
        for number in range(1, 5):
            outcome = await opened.poll(PollRequest(f"f{number}", f"{url}/{number}", "127.0.0.1"))
            assert (outcome.status, outcome.etag) == (200, None)
            assert [entry.guid for entry in outcome.entries or ()] == [f"guid-{number}"]
            assert outcome.error is None, "what follows an answer does not make it a worse one"
    assert kept.asked == [b"/1", b"/2", b"/3", b"/4"]


async def test_a_connection_that_left_nothing_is_used_again() -> None:
    """The other half of the test above: it is the leftovers that close the connection."""
    kept = KeepAlive(b"")
    async with loopback(kept.serve) as port, shell() as opened:
        url = f"http://127.0.0.1:{port}"
        for number in range(4):
            await opened.poll(PollRequest("f1", f"{url}/{number}", "127.0.0.1"))
    assert (len(kept.asked), kept.connections) == (4, 1)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(gzip.compress(FINE))),
        ("gzip, gzip", gzip.compress(gzip.compress(FINE))),
        ("gzip, br", gzip.compress(FINE)),
        ("gzip" * 1_000, FINE),
    ],
)
async def test_codings_within_codings_are_no_feed(coding: str, body: bytes) -> None:
    headers = (("Content-Type", "application/rss+xml"), ("Content-Encoding", coding))
    async with feed_server({"/feed.xml": Answer(body, headers=headers)}) as served:
        outcome = await ask(served.url())
    assert outcome.entries is None
    assert outcome.error is not None
    assert len(outcome.error) < 300


async def test_tls_to_a_server_without_it_is_one_line() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with loopback(plain) as port:
        url = f"https://127.0.0.1:{port}/feed.xml"
        outcome = await ask(url, total_s=5.0)
    assert outcome.error is not None
    assert outcome.error.startswith(url)
    assert "ssl" in outcome.error.lower()
