"""The transport against a loopback server: what goes over the wire, and which addresses it goes to."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

import httpx
import pytest
from tests.feed_server import Answer, FeedServer, feed_server, loopback

from tieup.errors import FetchError
from tieup.outside.transport import GuardedTransport

short_way: ContextVar[bool] = ContextVar("short_way")


@asynccontextmanager
async def transport(*, allow_private: bool = True, **hosts: str) -> AsyncIterator[GuardedTransport]:
    named = {name.replace("_", "."): place for name, place in hosts.items()}
    opened = GuardedTransport(allow_private=allow_private, hosts=named, connections=4, connect_s=2.0)
    try:
        yield opened
    finally:
        await opened.aclose()


async def get(opened: GuardedTransport, url: str, **headers: bytes) -> httpx.Response:
    fields = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    times = {"connect": 2.0, "read": 0.5}
    if short_way.get():
        response = await opened.get(url, fields, times)
    else:
        response = await opened.handle_async_request(
            httpx.Request("GET", url, headers=fields, extensions={"timeout": times})
        )
    try:
        await response.aread()
    finally:
        await response.aclose()
    return response


@pytest.fixture(params=[False, True], ids=["httpx's way", "the short way"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    token = short_way.set(request.param)
    yield
    short_way.reset(token)


@pytest.fixture
async def served() -> AsyncIterator[FeedServer]:
    async with feed_server({"/a": Answer(b"body", headers=(("Set-Cookie", "id=1; Path=/"),))}) as server:
        yield server


async def test_nothing_is_added_to_a_request_and_nothing_is_remembered(served: FeedServer) -> None:
    async with transport() as opened:
        for _ in range(2):
            assert (await get(opened, served.url("/a"), user_agent=b"x")).content == b"body"
    for seen in served.seen:
        assert {name: value for name, value in seen.headers.items() if name} == {
            "host": served.place,
            "user-agent": "x",
        }


class HangsUp:
    """A server that answers the first `answers` requests of a connection, then takes one more and hangs up."""

    def __init__(self, answers: int, *, at_once: bool = False) -> None:
        self.answers, self.at_once, self.asked, self.connections = answers, at_once, 0, 0
        self.closed = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError):
            for _ in range(self.answers):
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            if not self.at_once:
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
        writer.close()
        self.closed.set()


async def test_a_server_that_hangs_up_is_asked_once() -> None:
    hangs_up = HangsUp(0)
    async with loopback(hangs_up) as port, transport() as opened:
        with pytest.raises(httpx.TransportError, match="disconnected"):
            await get(opened, f"http://127.0.0.1:{port}/a")
    assert (hangs_up.asked, hangs_up.connections) == (1, 1)


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(at_once: bool) -> None:
    hangs_up = HangsUp(1, at_once=at_once)
    async with loopback(hangs_up) as port, transport() as opened:
        url = f"http://127.0.0.1:{port}/a"
        assert (await get(opened, url)).status_code == 200
        if at_once:
            await hangs_up.closed.wait()
        assert (await get(opened, url)).status_code == 200
    assert hangs_up.connections == 2


async def test_a_message_is_never_sent_twice() -> None:
    hangs_up = HangsUp(1)
    async with loopback(hangs_up) as port, transport() as opened:
        url = f"http://127.0.0.1:{port}/a"
        await get(opened, url)
        request = httpx.Request("POST", url, extensions={"timeout": {"connect": 2.0, "read": 2.0}})
        with pytest.raises(httpx.TransportError):
            await opened.handle_async_request(request)
    assert (hangs_up.asked, hangs_up.connections) == (2, 1)


async def test_the_url_goes_out_as_it_is_written(served: FeedServer) -> None:
    target = "/a%2Cb%7E/%C3%BC;p?x=%2C&y=a+b&sig=%2B%2F"
    async with transport() as opened:
        await get(opened, served.url(target))
    assert [seen.path for seen in served.seen] == [target]


@pytest.mark.parametrize("value", [b'W/"a\xe9"', "ü".encode(), b'"plain"'])
async def test_header_values_go_out_byte_for_byte(served: FeedServer, value: bytes) -> None:
    async with transport() as opened:
        await get(opened, served.url("/a"), if_none_match=value)
    assert served.seen[0].headers["if-none-match"].encode("latin-1") == value


@pytest.mark.parametrize("value", [b"x", b"\xe9"])
async def test_a_name_that_resolves_into_the_own_network_is_not_asked(
    served: FeedServer, monkeypatch: pytest.MonkeyPatch, value: bytes
) -> None:
    asked = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with transport(allow_private=False) as opened:
        with pytest.raises(FetchError, match="a loopback address; not asked"):
            await get(opened, f"http://rebound.example:{served.port}/a", x=value)
    assert asked == ["rebound.example"]
    assert served.seen == []


async def test_the_socket_itself_refuses_what_was_not_checked(served: FeedServer) -> None:
    place = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", served.port))
    async with transport(allow_private=False) as opened:
        with pytest.raises(FetchError, match="not asked"):
            opened._socket(place)


async def test_a_trusted_place_is_asked_by_its_name_only(served: FeedServer) -> None:
    async with transport(allow_private=False, news_example=served.place) as opened:
        assert (await get(opened, "http://news.example/a")).status_code == 200
        with pytest.raises(FetchError, match="not asked"):
            await get(opened, served.url("/a"))
    assert [seen.headers["host"] for seen in served.seen] == ["news.example"]


async def test_one_connection_serves_many_requests_to_a_host() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        writer.close()

    async with loopback(serve) as port, transport() as opened:
        url = f"http://127.0.0.1:{port}/"
        assert [(await get(opened, url)).status_code for _ in range(3)] == [304, 304, 304]
    assert connections == 1


async def test_what_goes_wrong_outside_is_httpxs_error(served: FeedServer) -> None:
    served.pages["/slow"] = Answer(b"x", wait_s=30)
    served.pages["/cut"] = Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
    served.pages["/odd"] = Answer(raw=b"no http\r\n\r\n")
    async with transport() as opened:
        for path, kind in (
            ("/slow", httpx.ReadTimeout),
            ("/cut", httpx.ReadError),
            ("/odd", httpx.RemoteProtocolError),
        ):
            with pytest.raises(kind):
                await get(opened, served.url(path))
        async with feed_server() as other:
            closed = other.url("/a")
        with pytest.raises(httpx.ConnectError):
            await get(opened, closed)


class Steady:
    """A server that answers every request on a connection with the same body, and knows its connections."""

    def __init__(self, body: bytes = b"") -> None:
        self.body, self.connections, self.open = body, 0, 0
        self.ended = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) + self.body)
                await writer.drain()
        self.open -= 1
        writer.close()
        self.ended.set()


async def test_an_answer_that_is_left_early_ends_its_connection() -> None:
    steady = Steady(b"x" * 5_000_000)
    async with loopback(steady) as port, transport() as opened:
        url = f"http://127.0.0.1:{port}/a"
        response = await opened.get(url, [], {"connect": 2.0, "read": 2.0})
        async for piece in response.aiter_raw():
            assert piece
            break
        await response.aclose()
        await steady.ended.wait()
        assert len((await get(opened, url)).content) == 5_000_000
    assert steady.connections == 2


async def test_a_request_that_is_given_up_ends_its_connection_and_leaves_its_place() -> None:
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        gone.set()

    async with loopback(mute) as port, transport() as opened:
        for _ in range(6):  # more than may be open at once
            gone.clear()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await opened.get(f"http://127.0.0.1:{port}/a", [], {"connect": 2.0, "read": 2.0})
            await gone.wait()


async def test_connections_are_bounded_those_kept_as_well() -> None:
    steady = Steady()
    async with loopback(steady) as port:
        hosts = {f"h{number}_example": f"127.0.0.1:{port}" for number in range(12)}
        async with transport(allow_private=False, **hosts) as opened:
            opened._max_kept = 4
            for name in hosts:
                assert (await get(opened, f"http://{name.replace('_', '.')}/a")).status_code == 200
                assert len(opened._open) <= 5, "four kept, and one that is being closed"
                assert len(opened._idle) <= 4
            await asyncio.gather(*(get(opened, f"http://{name.replace('_', '.')}/a") for name in hosts))
            assert len(opened._idle) <= 4
            assert sum(map(len, opened._idle_at.values())) == len(opened._idle)
    assert not opened._open


async def test_a_connection_that_nobody_uses_is_closed() -> None:
    steady = Steady()
    opened = GuardedTransport(allow_private=True, hosts={}, connections=4, keep_alive_s=0.02)
    async with loopback(steady) as port:
        assert (await get(opened, f"http://127.0.0.1:{port}/a")).status_code == 200
        await steady.ended.wait()
        await opened.aclose()
    assert not opened._open
    assert not opened._idle
    assert not opened._idle_at


@pytest.mark.parametrize("value", [b"a\r\nX: 1", b"a\nb", b"a\0b"])
async def test_no_header_value_makes_a_line_of_its_own(served: FeedServer, value: bytes) -> None:
    async with transport() as opened:
        with pytest.raises(httpx.LocalProtocolError):
            await get(opened, served.url("/a"), x=value)
    assert served.seen == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_tls_with_a_name_over_a_kept_connection(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *(
            "-subj",
            "/CN=news.example",
            "-addext",
            "subjectAltName=DNS:news.example",
            "-keyout",
            key,
            "-out",
            certificate,
        ),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await make.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    steady = Steady(bytes(range(256)) * 4_000)
    async with loopback(steady, context) as port:
        place = f"127.0.0.1:{port}"
        async with transport(allow_private=False, news_example=place, other_example=place) as opened:
            opened._tls.load_verify_locations(certificate)
            for _ in range(3):
                assert (await get(opened, "https://news.example/a")).content == steady.body
            with pytest.raises(httpx.ConnectError, match=r"other\.example"):
                await get(opened, "https://other.example/a")
    assert steady.connections == 1
