"""The fetching shell: one act, one feed asked. The only place here that sees httpx.

Redirects are followed by hand, bodies decoded under a bound, connections made by the address guard; cookies, Referer
and proxies of the environment do not exist, since no client stands between the request and the transport.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

import httpcore
import httpx

from tieup.errors import BadFeed, FetchError
from tieup.feeds.decode import ACCEPTED, Body, decoder_for
from tieup.feeds.document import bounded
from tieup.feeds.parsing import ParsingPool
from tieup.feeds.poll import NOT_MODIFIED, PollRequest
from tieup.feeds.registry import feed_url
from tieup.feeds.settings import FetchSettings
from tieup.log.base import Act, Clock
from tieup.model.codec import encode
from tieup.model.feed import FetchOutcome
from tieup.outside.guard import GuardedNetwork
from tieup.outside.headers import max_age_s, retry_after_s

MAX_RAW_BYTES: Final = 256_000
MAX_VALIDATOR_CHARS: Final = 4_096
ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)

_OK: Final = frozenset({200, 203})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FOREIGN: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer of a chain of redirects; `body` is decoded, None unless there is one to read."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes | None = None


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx's interface over httpcore's pool, whose connections the address guard makes."""

    def __init__(self, settings: FetchSettings) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=settings.concurrency * 2,
            max_keepalive_connections=settings.concurrency,
            keepalive_expiry=5.0,
            network_backend=GuardedNetwork(allow_private=settings.allow_private, hosts=settings.hosts),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request without a body. httpcore's and the guard's errors pass through."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = await self._pool.handle_async_request(
            httpcore.Request(request.method, url, headers=request.headers.raw, extensions=request.extensions)
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


class FetchShell:
    """Asks for feeds. `clock` gives `observed_at`; `transport` is replaced where another one measures better."""

    def __init__(
        self, settings: FetchSettings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = GuardedTransport(settings) if transport is None else transport
        self._parsing = ParsingPool(settings)
        self._all = asyncio.Semaphore(settings.concurrency)
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}

    async def perform(self, act: Act) -> bytes:
        """Poll the feed of a PollRequest and return the encoded FetchOutcome, whatever happened outside."""
        request = act.payload
        if not isinstance(request, PollRequest):
            raise TypeError(f"act {act.id}: the fetching shell performs polls, not {type(request).__name__}")
        return encode(await self.poll(request))

    async def poll(self, request: PollRequest) -> FetchOutcome:
        """Ask for a feed and read the answer. Never raises for anything that the outside world does."""
        try:
            async with self._slot(request.domain):
                answer = await self._ask(request)
        except FetchError as error:
            return _failure(request, self._now(), str(error))
        return await self._read(request, answer)

    async def close(self) -> None:
        """Close the connections; the parsing processes end with the event loop."""
        await self._transport.aclose()

    def _now(self) -> datetime:
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    @asynccontextmanager
    async def _slot(self, host: str) -> AsyncIterator[None]:
        """Wait for a place among the few requests to a host, then among all; forget hosts nobody waits for."""
        slots, users = self._hosts.get(host) or (asyncio.Semaphore(self._settings.per_host), 0)
        self._hosts[host] = (slots, users + 1)
        try:
            async with slots, self._all:
                yield
        finally:
            slots, users = self._hosts[host]
            if users == 1:
                del self._hosts[host]
            else:
                self._hosts[host] = (slots, users - 1)

    async def _ask(self, request: PollRequest) -> Answer:
        """Follow redirects to the answer. Raises FetchError naming the URL."""
        url = request.url
        try:
            async with asyncio.timeout(self._settings.total_s):
                for _ in range(self._settings.max_redirects + 1):
                    answer = await self._hop(url, request)
                    if answer.status not in _REDIRECTS:
                        return answer
                    url = _target(answer)
        except TimeoutError as error:
            raise FetchError(f"{request.url}: no whole answer within {self._settings.total_s:g} s") from error
        except _FOREIGN as error:
            raise FetchError(f"{_named(request.url, url)}: {self._said(error)}") from error
        except (FetchError, BadFeed) as error:
            raise FetchError(f"{_named(request.url, url)}: {error}") from error
        raise FetchError(f"{request.url}: more than {self._settings.max_redirects} redirects, the last to {url}")

    async def _hop(self, url: str, request: PollRequest) -> Answer:
        response = await self._transport.handle_async_request(
            httpx.Request("GET", url, headers=self._headers(request), extensions={"timeout": self._timeouts()})
        )
        try:
            if not 200 <= response.status_code <= 599:
                raise FetchError(f"answered {response.status_code}, which is no status of HTTP")
            body = await self._body(response) if response.status_code in _OK else None
        finally:
            await response.aclose()
        return Answer(url, response.status_code, response.headers, body)

    async def _body(self, response: httpx.Response) -> bytes:
        limit = self._settings.max_body_bytes
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length[:18]) > limit:
            raise FetchError(f"the body is larger than {limit} bytes")
        body = Body(limit)
        decoder = decoder_for(response.headers.get("content-encoding", ""), body)
        async for piece in response.aiter_raw():
            decoder.feed(piece)
        decoder.finish()
        return body.content()

    def _headers(self, request: PollRequest) -> list[tuple[bytes, bytes]]:
        headers = [
            ("User-Agent", self._settings.user_agent),
            ("Accept", ACCEPT),
            ("Accept-Encoding", ACCEPTED),
        ]
        if request.etag is not None:
            headers.append(("If-None-Match", request.etag))
        if request.last_modified is not None:
            headers.append(("If-Modified-Since", request.last_modified))
        return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers]

    def _timeouts(self) -> dict[str, float]:
        settings = self._settings
        return {
            "connect": settings.connect_s,
            "read": settings.read_s,
            "write": settings.read_s,
            "pool": settings.total_s,
        }

    def _said(self, error: Exception) -> str:
        """Say in one line what went wrong; time-outs have no words of their own."""
        if isinstance(error, httpcore.ConnectTimeout | httpx.ConnectTimeout):
            return f"no connection within {self._settings.connect_s:g} s"
        if isinstance(error, httpcore.TimeoutException | httpx.TimeoutException):
            return f"silent for {self._settings.read_s:g} s"
        return " ".join(str(error).split()) or type(error).__name__

    async def _read(self, request: PollRequest, answer: Answer) -> FetchOutcome:
        now = self._now()
        if answer.body is None:
            unasked = answer.status == NOT_MODIFIED and request.etag is None and request.last_modified is None
            if answer.status == NOT_MODIFIED and not unasked:
                return _outcome(request, answer, now)
            return _outcome(request, answer, now, error=f"{_named(request.url, answer.url)}: answered {answer.status}")
        body_hash = hashlib.sha256(answer.body).hexdigest()
        if body_hash == request.body_hash:
            return _outcome(request, answer, now, body_hash=body_hash)
        return await self._parsed(request, answer, answer.body, body_hash, now)

    async def _parsed(
        self, request: PollRequest, answer: Answer, body: bytes, body_hash: str, now: datetime
    ) -> FetchOutcome:
        try:
            parsed = await self._parsing.parse(body, answer.url, answer.headers.get("content-type"))
        except BadFeed as error:
            raw = base64.b64encode(body[:MAX_RAW_BYTES]).decode("ascii")
            return _outcome(request, answer, now, body_hash=body_hash, error=str(error), raw_body=raw)
        except FetchError as error:
            return _outcome(request, answer, now, error=str(error))
        return _outcome(
            request,
            answer,
            now,
            body_hash=body_hash,
            feed_title=parsed.title,
            feed_language=parsed.language,
            entries=parsed.entries,
            bad_entries=parsed.bad_entries,
        )


def _failure(request: PollRequest, now: datetime, error: str) -> FetchOutcome:
    return FetchOutcome(request.feed_id, request.url, request.url, now, error=_one_line(error))


def _outcome(
    request: PollRequest, answer: Answer, now: datetime, *, error: str | None = None, **found: object
) -> FetchOutcome:
    headers = answer.headers
    return FetchOutcome(
        feed_id=request.feed_id,
        url=answer.url,
        requested_url=request.url,
        observed_at=now,
        status=answer.status,
        etag=_validator(headers, b"etag"),
        last_modified=_validator(headers, b"last-modified"),
        retry_after_s=retry_after_s(headers.get("retry-after"), now),
        max_age_s=max_age_s(headers.get("cache-control"), headers.get("expires"), headers.get("date"), now),
        error=None if error is None else _one_line(error),
        **found,  # type: ignore[arg-type]
    )


def _one_line(text: str) -> str:
    return " ".join(bounded(text, 1_000).split())


def _validator(headers: httpx.Headers, name: bytes) -> str | None:
    """Return a validator byte for byte, as latin-1: one too long to store is none."""
    for found, value in headers.raw:
        if found.lower() == name and 0 < len(value) <= MAX_VALIDATOR_CHARS:
            return value.decode("latin-1")
    return None


def _target(answer: Answer) -> str:
    location = answer.headers.get("location")
    if not location:
        raise FetchError(f"answered {answer.status} without a Location")
    try:
        return feed_url(urljoin(answer.url, location.strip().replace(" ", "%20")))
    except ValueError as error:
        raise FetchError(f"redirects to {bounded(location, 200)!r}, which is no URL") from error


def _named(asked: str, at: str) -> str:
    return asked if asked == at else f"{asked} (at {at})"
