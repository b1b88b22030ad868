"""The fetching shell: one act, one feed or page asked. The only place here that sees httpx.

Redirects are followed by hand, bodies decoded under a bound, connections made by the address guard; cookies, Referer
and proxies of the environment do not exist, since no client stands between the request and the transport.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx
from orjson import Fragment

from tieup.articles.settings import ArticleSettings
from tieup.errors import BadFeed, FetchError, HostBusy, TooManyRedirects
from tieup.feeds.asking import ACCEPT_FEED, REDIRECTS, Answer, Asked, target
from tieup.feeds.hubs.asking import HubShell
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.pages.http import PageReader
from tieup.feeds.pages.wants import PageRequest
from tieup.feeds.politeness import Turns
from tieup.feeds.poll import NOT_MODIFIED, OK, PollRequest
from tieup.feeds.reading.decode import ACCEPTED, Body, decoder_for
from tieup.feeds.reading.document import ParsedBytes, bounded
from tieup.feeds.reading.hublinks import HubLinks, advertised
from tieup.feeds.reading.parsing import ParsingPool, believable_type
from tieup.feeds.reading.wishes import wishes
from tieup.feeds.rests import Rests
from tieup.feeds.schedule import SLOW_DOWN, rest_s
from tieup.feeds.settings import FetchSettings
from tieup.feeds.watch import FetchWatch
from tieup.log.base import Act, Clock
from tieup.model.codec import decode, encode
from tieup.model.feed import FetchOutcome
from tieup.model.hub import HubRequest
from tieup.outside.guard import read_hosts
from tieup.outside.headers import max_age_s, retry_after_s
from tieup.outside.transport import GuardedTransport, new_request
from tieup.outside.wire import Header

MAX_RAW_BYTES: Final = 256_000
MAX_VALIDATOR_CHARS: Final = 4_096
PAGE_PARSERS: Final = 1  # of its own: a site whose pages take seconds each to read must not keep feeds waiting
_PERMANENT: Final = frozenset({301, 308})
_VALIDATORS: Final = frozenset({b"etag", b"last-modified"})
_ABOUT_TIME: Final = frozenset({b"retry-after", b"cache-control", b"expires", b"date"})
Get = Callable[[str, Sequence[Header], Mapping[str, float]], Awaitable[httpx.Response]]

# ValueError too: a stranger's URL must not find a hole in a library that ends the task and stops every other feed.
_FOREIGN: Final = (httpx.HTTPError, httpx.InvalidURL, ValueError)


class FetchShell:
    """Asks for feeds and pages. `clock` gives `observed_at`; `transport` may be another one that measures better."""

    def __init__(
        self,
        settings: FetchSettings,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        watch: FetchWatch | None = None,
        hubs: HubTerms | None = None,
        articles: ArticleSettings | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = _transport(settings) if transport is None else transport
        queue = None if watch is None else watch.parsing_queue
        self._parsing = ParsingPool(settings, queue=queue)
        apart = ParsingPool(replace(settings, parsers=PAGE_PARSERS), queue=queue)
        self._pages = PageReader(self, settings, articles or ArticleSettings(), apart, self._now)
        self._rests = Rests()
        self._all = asyncio.Semaphore(settings.concurrency)
        self._turns = Turns(settings, read_hosts(settings.hosts), None if watch is None else watch.waited)
        self._hubs = None if hubs is None else HubShell(hubs, clock, self._transport, self._turn, self._note_rest)
        self._headers = _common_headers(settings)
        self._timeouts = _timeouts(settings)
        self._get = _getter(self._transport)

    async def perform(self, act: Act) -> bytes:
        """Poll a feed, read a page or ask a hub; returns the encoded outcome, whatever happened outside."""
        request = act.payload
        if isinstance(request, PageRequest):
            return encode(await self._pages.read(request))
        if isinstance(request, HubRequest) and self._hubs is not None:
            return encode(await self._hubs.ask(request))
        if not isinstance(request, PollRequest):
            raise TypeError(f"act {act.id}: the fetching shell knows no {type(request).__name__}")
        return encode(await self._outcome(request))

    async def poll(self, request: PollRequest) -> FetchOutcome:
        """Ask for a feed and read the answer. Never raises for anything that the outside world does."""
        return _whole(await self._outcome(request))

    async def _outcome(self, request: PollRequest) -> FetchOutcome:
        """Ask for a feed and read the answer; entries are the bytes that the parsing process made of them."""
        try:
            answer = await self._ask(request)
        except FetchError as error:
            return _failure(request, self._now(), error)
        return await self._read(request, answer)

    async def visit(self, request: PollRequest) -> tuple[Answer, FetchOutcome]:
        """Poll, and hand the answer out beside what was read in it. Raises FetchError where no answer came."""
        answer = await self._ask(request)
        return answer, _whole(await self._read(request, answer))

    async def close(self) -> None:
        """Close the connections; the parsing processes end with the event loop."""
        await self._transport.aclose()

    def _now(self) -> datetime:
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def _ask(self, request: PollRequest) -> Answer:
        settings = self._settings
        asked = Asked(request.url, settings.max_body_bytes, ACCEPT_FEED, request.etag, request.last_modified)
        return await self.ask(asked, settings.max_redirects)

    async def ask(self, asked: Asked, max_redirects: int) -> Answer:
        """Follow redirects to the answer. Raises FetchError naming the URL."""
        url, moved_to, left_s = asked.url, asked.url, self._settings.total_s
        try:
            for _ in range(max_redirects + 1):
                answer, took_s = await self.once(asked if url == asked.url else replace(asked, url=url), left_s)
                left_s -= took_s
                if answer.status not in REDIRECTS:
                    return replace(answer, moved_to=None if moved_to == asked.url else moved_to)
                url, before = target(answer), url
                if moved_to == before and answer.status in _PERMANENT and not _weaker(before, url):
                    moved_to = url
        except (FetchError, BadFeed) as error:
            if isinstance(error, HostBusy) and url == asked.url:
                raise  # nobody was asked
            raise FetchError(f"{_named(asked.url, url)}: {error}") from error
        raise TooManyRedirects(f"{asked.url}: more than {max_redirects} redirects, the last to {url}")

    async def once(self, asked: Asked, left_s: float) -> tuple[Answer, float]:
        """Ask one URL when its host has a turn; returns the seconds that it took. Waiting for a turn does not count.

        Raises FetchError without the URL, whatever goes wrong; HostBusy where nobody was asked.
        """
        try:
            async with self._turns.turn(asked.url), self._all:
                self._rests.check(asked.url)
                started = time.monotonic()
                async with asyncio.timeout(left_s):
                    answer = await self._hop(asked)
        except TimeoutError as error:
            raise FetchError(f"no whole answer within {self._settings.total_s:g} s") from error
        except _FOREIGN as error:
            raise FetchError(self._said(error)) from error
        self._note_rest(asked.url, answer.status, answer.headers)
        return answer, time.monotonic() - started

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[None]:
        async with self._turns.turn(url), self._all:
            self._rests.check(url)
            yield

    def _note_rest(self, url: str, status: int, headers: httpx.Headers) -> None:
        """Let a host that asks for it be left alone by all that is asked from here: feeds, pages, hubs."""
        if status not in SLOW_DOWN:
            return
        asked = retry_after_s(headers.get("retry-after"), self._now(), headers.get("date"))
        if (rest := rest_s(status, asked, self._settings)) is not None:
            self._rests.note(url, rest)

    async def _hop(self, asked: Asked) -> Answer:
        response = await self._get(asked.url, [*self._headers, *_own_headers(asked)], self._timeouts)
        try:
            if not 200 <= response.status_code <= 599:
                raise FetchError(f"answered {response.status_code}, which is no status of HTTP")
            body, problem = await self._body(response, asked) if response.status_code in OK else (None, None)
        finally:
            await response.aclose()
        return Answer(asked.url, response.status_code, response.headers, body, problem)

    async def _body(self, response: httpx.Response, asked: Asked) -> tuple[bytes | None, str | None]:
        """Return the body, or what is wrong with it; one that is cut short was never received, which is FetchError."""
        limit = asked.max_bytes
        length = response.headers.get("content-length", "")
        if not asked.cut and length.isdecimal() and int(length[:18]) > limit:
            return None, f"the body is larger than {limit} bytes"
        body = Body(limit, cut=asked.cut)
        try:
            decoder = decoder_for(response.headers.get("content-encoding", ""), body)
            async for piece in response.aiter_raw():
                decoder.feed(piece)
        except FetchError as error:
            return (body.content(), None) if body.full else (None, str(error))
        decoder.finish()
        return body.content(), None

    def _said(self, error: Exception) -> str:
        """Say in one line what went wrong; time-outs have no words of their own."""
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {self._settings.connect_s:g} s"
        if isinstance(error, httpx.TimeoutException):
            return f"silent for {self._settings.read_s:g} s"
        return " ".join(str(error).split()) or type(error).__name__

    async def _read(self, request: PollRequest, answer: Answer) -> FetchOutcome:
        now = self._now()
        if answer.problem is not None:
            return _outcome(request, answer, now, error=f"{_named(request.url, answer.url)}: {answer.problem}")
        if answer.body is None:
            unasked = answer.status == NOT_MODIFIED and request.etag is None and request.last_modified is None
            if answer.status == NOT_MODIFIED and not unasked:
                return _outcome(request, answer, now)
            return _outcome(request, answer, now, error=f"{_named(request.url, answer.url)}: answered {answer.status}")
        body_hash = hashlib.sha256(answer.body).hexdigest()
        if body_hash == request.body_hash:
            return _outcome(request, answer, now, body_hash=body_hash, body_bytes=len(answer.body))
        return await self._parsed(request, answer, answer.body, body_hash, now)

    async def _parsed(
        self, request: PollRequest, answer: Answer, body: bytes, body_hash: str, now: datetime
    ) -> FetchOutcome:
        try:
            content_type = believable_type(answer.headers.get("content-type"), body)
            parsed = ParsedBytes.of(await self._parsing.parse_encoded(body, answer.url, content_type))
        except BadFeed as error:
            raw = base64.b64encode(body[:MAX_RAW_BYTES]).decode("ascii")
            return _outcome(
                request, answer, now, error=str(error), body_hash=body_hash, raw_body=raw, body_bytes=len(body)
            )
        except FetchError as error:
            return _outcome(request, answer, now, error=str(error))
        wished = wishes(body)
        return _outcome(
            request,
            answer,
            now,
            body_hash=body_hash,
            body_bytes=len(body),
            wish_s=wished.wait_s,
            skip_hours=wished.skip_hours,
            skip_days=wished.skip_days,
            feed_title=parsed.title,
            feed_language=parsed.language,
            entries=Fragment(bytes(parsed.entries)),
            bad_entries=parsed.bad_entries,
            quick=parsed.quick,
            links=parsed.links,
        )


def _common_headers(settings: FetchSettings) -> list[Header]:
    return [(b"User-Agent", settings.user_agent.encode("ascii")), (b"Accept-Encoding", ACCEPTED.encode("ascii"))]


def _own_headers(asked: Asked) -> list[Header]:
    headers = (("Accept", asked.accept), ("If-None-Match", asked.etag), ("If-Modified-Since", asked.last_modified))
    return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers if value is not None]


def _timeouts(settings: FetchSettings) -> dict[str, float]:
    read_s = settings.read_s
    return {"connect": settings.connect_s, "read": read_s, "write": read_s, "pool": settings.total_s}


def _transport(settings: FetchSettings) -> GuardedTransport:
    return GuardedTransport(
        allow_private=settings.allow_private,
        hosts=settings.hosts,
        connections=settings.concurrency * 2,
        connect_s=settings.connect_s,
    )


def _getter(transport: httpx.AsyncBaseTransport) -> Get:
    """How this transport is asked: in its own short way, or as any transport of httpx's API is."""
    if isinstance(transport, GuardedTransport):
        return transport.get

    async def get(url: str, headers: Sequence[Header], timeouts: Mapping[str, float]) -> httpx.Response:
        return await transport.handle_async_request(new_request("GET", url, headers, timeouts))

    return get


def _whole(outcome: FetchOutcome) -> FetchOutcome:
    """Return an outcome with its entries as records, which the shell itself only passes on."""
    return decode(FetchOutcome, encode(outcome), outcome.url)


def _failure(request: PollRequest, now: datetime, error: FetchError) -> FetchOutcome:
    postponed = isinstance(error, HostBusy)
    return FetchOutcome(
        request.feed_id, request.url, request.url, now, error=_one_line(str(error)), postponed=postponed
    )


def _outcome(
    request: PollRequest,
    answer: Answer,
    now: datetime,
    *,
    error: str | None = None,
    links: HubLinks | None = None,
    **found: object,
) -> FetchOutcome:
    told = _told(answer.headers)
    date = told.get(b"date")
    hub = None if error is not None else advertised(answer.headers.get_list("link"), links, answer.url)
    return FetchOutcome(
        feed_id=request.feed_id,
        url=answer.url,
        requested_url=request.url,
        observed_at=now,
        status=answer.status,
        etag=told.get(b"etag"),
        last_modified=told.get(b"last-modified"),
        retry_after_s=retry_after_s(told.get(b"retry-after"), now, date),
        max_age_s=max_age_s(told.get(b"cache-control"), told.get(b"expires"), date, now),
        error=None if error is None else _one_line(error),
        moved_to=answer.moved_to,
        hub_url=None if hub is None else hub.hub,
        topic_url=None if hub is None else hub.topic,
        **found,  # type: ignore[arg-type]
    )


def _one_line(text: str) -> str:
    return " ".join(bounded(text, 1_000).split())


def _told(headers: httpx.Headers) -> dict[bytes, str]:
    """Return the headers that say something about the next poll, as latin-1, by lower-case name.

    Validators are byte for byte the first that is not empty nor too long to store; others are joined as lists are.
    """
    told: dict[bytes, str] = {}
    for sent, value in headers.raw:
        name = sent.lower()
        if name in _VALIDATORS:
            if 0 < len(value) <= MAX_VALIDATOR_CHARS:
                told.setdefault(name, value.decode("latin-1"))
        elif name in _ABOUT_TIME:
            text = value.decode("latin-1")
            told[name] = f"{told[name]}, {text}" if name in told else text
    return told


def _weaker(before: str, after: str) -> bool:
    """Whether a redirect gives TLS up: followed once, never stored."""
    return before.startswith("https:") and not after.startswith("https:")


def _named(asked: str, at: str) -> str:
    return asked if asked == at else f"{asked} (at {at})"
