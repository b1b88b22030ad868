"""httpx's transport over connections that the address guard makes.

On 304s it takes six tenths of the processor time of aiohttp's client, which takes a fifth of that of httpx's own.
Nothing stands between a request and the wire: no cookies, no redirects, no decoding, no proxies of the environment, no
changes to the URL, header values byte for byte.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import aiohappyeyeballs
import httpx

from tieup.errors import FetchError
from tieup.outside.guard import MAX_ADDRESSES, AddressGuard
from tieup.outside.wire import PIECE_BYTES, Header, Wire

KEEP_ALIVE_S: Final = 5.0
# Idle connections: a file descriptor each, here and at the site. What is kept serves redirects, pages, robots.txt and
# the other feeds of a site; a feed itself is asked again in an hour, so that more would be held for nothing.
MAX_KEPT: Final = 256
NEXT_ADDRESS_S: Final = 0.25  # RFC 8305 §5: how long an address has to connect before the next one is tried beside it

# A URL that httpx sends as it stands: nothing in it to encode, no port that goes without saying, no dot segment.
_PLAIN_URL: Final = re.compile(
    r"(https?)://((?!xn--|[^/]*\.xn--)[a-z0-9.-]+)(?::((?!80/|443/)[1-9]\d{0,4}))?"
    r"(/(?!(?:[^?]*/)?\.{1,2}(?:[/?]|\Z))(?:[A-Za-z0-9._~/=&,;:@!$*+-]|%[0-9A-F]{2})*"
    r"(?:\?(?:[A-Za-z0-9._~/=&,;:@!$*+-]|%[0-9A-F]{2})+)?)"
)
_PORTS: Final = {"http": 80, "https": 443}

AddressInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]
]


class Origin(NamedTuple):
    """Who is asked (RFC 9110 §4.3.1); a connection is kept for one of them."""

    scheme: str
    host: str
    port: int


class PostBounds(NamedTuple):
    """The bounds of a POST: connecting, all until the answer's head is there, and of its body what is waited for."""

    connect_s: float
    head_s: float
    body_s: float
    most_bytes: int


class Posted(NamedTuple):
    """What came back of a POST; of the body the beginning."""

    status: int
    headers: Sequence[Header]
    beginning: bytes


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends requests to checked addresses only: the guard resolves and checks, and the socket asks it once more. A
    connection that is kept alive was checked when it was made.

    `connections` bounds how many are in use at once, `max_kept` how many are kept besides, for `keep_alive_s` each,
    `connect_s` how long resolving takes. Built without an event loop; the connections belong to that of the first
    request.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        hosts: Mapping[str, str],
        connections: int,
        connect_s: float = 10.0,
        keep_alive_s: float = KEEP_ALIVE_S,
        max_kept: int = MAX_KEPT,
    ) -> None:
        self._guard = AddressGuard(allow_private=allow_private, hosts=hosts)
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._connect_s = connect_s
        self._keep_alive_s, self._max_kept = keep_alive_s, max_kept
        self._turns = asyncio.Semaphore(connections)
        self._buffer = memoryview(bytearray(PIECE_BYTES))
        self._open: set[Wire] = set()
        self._idle: dict[Wire, Origin] = {}  # the longest idle first
        self._idle_at: dict[Origin, list[Wire]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a GET or POST. Raises FetchError where the guard refuses, httpx's errors for what goes wrong outside."""
        origin = _origin(request.url)
        content = await request.aread()
        head = _head(request.method, request.url.raw_path, request.headers.raw)
        return await self._asked(origin, request.method, head + content, request.extensions.get("timeout", {}))

    async def get(self, url: str, headers: Sequence[Header], timeouts: Mapping[str, float]) -> httpx.Response:
        """Send the GET that an httpx.Request with these would be, which takes long to build.

        Raises as `handle_async_request` does.
        """
        plain = _plain(url)
        if plain is None:
            return await self.handle_async_request(new_request("GET", url, headers, timeouts))
        origin, host, target = plain
        return await self._asked(origin, "GET", _head("GET", target, [(b"Host", host), *headers]), timeouts)

    async def post(self, url: str, headers: Sequence[Header], content: bytes, bounds: PostBounds) -> Posted:
        """Send a POST and return what came back, for messages whose status is all that matters.

        httpx's records of a request and an answer would take longer to make than all else here. Raises as
        `handle_async_request` does, and TimeoutError where there is no connection within `head_s`.
        """
        origin, host, target = _plain(url) or _encoded(url)
        length = b"%d" % len(content)
        head = _head("POST", target, [(b"Host", host), *headers, (b"Content-Length", length)])
        head_by = asyncio.get_running_loop().time() + bounds.head_s
        wire = await self._taken(origin, "POST", head + content, {"connect": bounds.connect_s}, head_by)
        try:
            return Posted(wire.status, wire.headers, await _beginning(wire, bounds))
        finally:
            self.give_back(wire, origin)

    async def aclose(self) -> None:
        """Close the connections."""
        for wire in tuple(self._open):
            wire.abort()
        await asyncio.sleep(0)  # the sockets are closed in the loop's next turn

    async def _asked(
        self, origin: Origin, method: str, request: bytes, times: Mapping[str, float | None]
    ) -> httpx.Response:
        wire = await self._taken(origin, method, request, times)
        return httpx.Response(wire.status, headers=wire.headers, stream=_Stream(self, wire, origin))

    async def _taken(
        self,
        origin: Origin,
        method: str,
        request: bytes,
        times: Mapping[str, float | None],
        head_by: float | None = None,
    ) -> Wire:
        """Send a request in its turn; the turn lasts until the connection is given back."""
        if self._turns.locked():
            async with asyncio.timeout_at(head_by):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        try:
            return await self._answered(origin, method, request, times, head_by)
        except BaseException:
            self._turns.release()
            raise

    async def _answered(
        self,
        origin: Origin,
        method: str,
        request: bytes,
        times: Mapping[str, float | None],
        head_by: float | None,
    ) -> Wire:
        """Send a request, once: again only where it met a kept connection that the server had closed meanwhile."""
        while True:
            wire = self._kept(origin)
            if wire is None:
                async with asyncio.timeout_at(head_by):
                    wire = await self._made(origin, times.get("connect"))
            try:
                await wire.ask(request, times.get("read"), head_by)
            except httpx.RemoteProtocolError:
                wire.abort()
                if method != "GET" or wire.heard or not wire.kept:
                    raise
            except BaseException:
                wire.abort()
                raise
            else:
                return wire

    def _kept(self, origin: Origin) -> Wire | None:
        """Take the connection to a place that was used last, if there is one."""
        while found := self._idle_at.get(origin):
            wire = found[-1]
            self._forget(wire)
            if wire.reusable:
                return wire
        return None

    def _forget(self, wire: Wire) -> None:
        """Strike a connection from the idle ones."""
        origin = self._idle.pop(wire, None)
        if origin is None:
            return
        there = self._idle_at[origin]
        there.remove(wire)
        if not there:
            del self._idle_at[origin]

    def _ended(self, wire: Wire) -> None:
        self._open.discard(wire)
        self._forget(wire)

    def give_back(self, wire: Wire, origin: Origin) -> None:
        """Keep a connection whose answer was taken; end one that cannot be used again."""
        self._turns.release()
        if not wire.reusable:
            wire.abort()
            return
        if len(self._idle) >= self._max_kept:
            oldest = next(iter(self._idle))
            self._forget(oldest)
            oldest.abort()
        wire.kept = True
        wire.rest(self._keep_alive_s)
        self._idle[wire] = origin
        self._idle_at.setdefault(origin, []).append(wire)

    async def _made(self, origin: Origin, connect_s: float | None) -> Wire:
        """Connect. Raises FetchError, httpx.ConnectTimeout, httpx.ConnectError, httpx.InvalidURL for a bad name."""
        if not 0 < origin.port < 65_536:
            raise httpx.InvalidURL(f"{origin.host}:{origin.port}: not a port")
        try:
            places = await self._guard.places(origin.host, origin.port, self._connect_s)
            async with asyncio.timeout(connect_s):
                return await self._connected(origin, [_info(*place) for place in places[:MAX_ADDRESSES]])
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"{origin.host}: no connection in time") from error
        except OSError as error:
            raise httpx.ConnectError(f"{origin.host}:{origin.port}: {' '.join(str(error).split())}") from error
        except ValueError as error:
            raise httpx.InvalidURL(str(error)) from error

    async def _connected(self, origin: Origin, infos: Sequence[AddressInfo]) -> Wire:
        loop = asyncio.get_running_loop()
        made = await (self._connected_to(infos[0]) if len(infos) == 1 else self._raced(infos))
        secure = origin.scheme == "https"
        try:
            _, wire = await loop.create_connection(
                lambda: Wire(loop, self._buffer, self._ended),
                sock=made,
                ssl=self._tls if secure else None,
                server_hostname=origin.host if secure else None,
            )
        except BaseException:
            made.close()
            raise
        self._open.add(wire)
        return wire

    async def _connected_to(self, place: AddressInfo) -> socket.socket:
        """Connect to the one address that there is."""
        made = self._socket(place)
        try:
            made.setblocking(False)
            await asyncio.get_running_loop().sock_connect(made, place[4])
        except BaseException:
            made.close()
            raise
        return made

    async def _raced(self, places: Sequence[AddressInfo]) -> socket.socket:
        """Connect to whichever answers first (RFC 8305)."""
        return await aiohappyeyeballs.start_connection(
            places, happy_eyeballs_delay=NEXT_ADDRESS_S, interleave=1, socket_factory=self._socket
        )

    def _socket(self, place: AddressInfo) -> socket.socket:
        """Make the socket for a connection; the last check, on the very address that it will connect to."""
        family, kind, protocol, _, (address, port, *_) = place
        if not self._guard.allows(address, port):
            raise FetchError(f"{address}: not a public address; not asked")
        return socket.socket(family, kind, protocol)


class _Stream(httpx.AsyncByteStream):
    def __init__(self, transport: GuardedTransport, wire: Wire, origin: Origin) -> None:
        self._transport = transport
        self._wire = wire
        self._origin = origin
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._wire.piece():
            yield piece

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._transport.give_back(self._wire, self._origin)


async def _beginning(wire: Wire, bounds: PostBounds) -> bytes:
    """Return the beginning of an answer's body, as far as it comes in time: its status has said all."""
    if wire.complete:
        return (await wire.piece())[: bounds.most_bytes]
    read = b""
    with contextlib.suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(bounds.body_s):
            while len(read) < bounds.most_bytes and (piece := await wire.piece()):
                read += piece[: bounds.most_bytes - len(read)]
    return read


def _plain(url: str) -> tuple[Origin, bytes, bytes] | None:
    """Return a plain URL's origin, `Host` and target; None for one that needs httpx to read it."""
    plain = _PLAIN_URL.fullmatch(url)
    if plain is None:
        return None
    scheme, host, port, target = plain.groups()
    place = f"{host}:{port}" if port else host
    origin = Origin(scheme, host, int(port) if port else _PORTS[scheme])
    return origin, place.encode("ascii"), target.encode("ascii")


def _encoded(url: str) -> tuple[Origin, bytes, bytes]:
    """Return any URL's origin, `Host` and target. Raises FetchError, httpx.UnsupportedProtocol."""
    with _readable():
        read = httpx.URL(url)
    return _origin(read), read.netloc, read.raw_path


def _origin(url: httpx.URL) -> Origin:
    """Return who is asked. Raises httpx.UnsupportedProtocol."""
    host = url.raw_host.decode("ascii")
    if url.scheme not in _PORTS or not host:
        raise httpx.UnsupportedProtocol(f"{url.scheme}://{host}: no address of http or https")
    return Origin(url.scheme, host, _PORTS[url.scheme] if url.port is None else url.port)


def _info(address: str, port: int) -> AddressInfo:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def new_request(
    method: str, url: str, headers: Sequence[Header], timeouts: Mapping[str, float], content: bytes = b""
) -> httpx.Request:
    """Return a request as httpx has it. Raises FetchError for a URL that it cannot take."""
    with _readable():
        return httpx.Request(
            method, url, headers=list(headers), content=content or None, extensions={"timeout": dict(timeouts)}
        )


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Raise FetchError for what httpx cannot read as a URL."""
    try:
        yield
    except (httpx.InvalidURL, UnicodeError) as error:  # idna's errors, for labels that only look like its own
        raise FetchError(f"not a URL that can be asked: {' '.join(str(error).split())}") from error


def _head(method: str, target: bytes, headers: Sequence[Header]) -> bytes:
    """Return a request's head. Raises httpx.LocalProtocolError where a part of it would end a line."""
    lines = [method.encode("ascii") + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers]
    head = b"\r\n".join((*lines, b"", b""))
    ends = len(lines) + 1
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise httpx.LocalProtocolError("a header value with a character that none may have")
    return head
