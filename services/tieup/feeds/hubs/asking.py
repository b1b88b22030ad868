"""Asking hubs: one act, one form posted to a hub (WebSub §5.1), as politely and as guarded as a feed is asked."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urljoin

import httpx

from tieup.errors import BadFeed, FetchError
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.reading.document import bounded
from tieup.feeds.registry import feed_url
from tieup.log.base import Clock
from tieup.model.hub import SUBSCRIBE, HubOutcome, HubRequest
from tieup.outside.headers import retry_after_s
from tieup.outside.transport import new_request

FORM: Final = b"application/x-www-form-urlencoded"
MAX_WORDS_BYTES: Final = 1_000  # of an error's explanation, which hubs give as plain text
Turn = Callable[[str], AbstractAsyncContextManager[None]]
Answered = Callable[[str, int, httpx.Headers], None]

_MOVED: Final = frozenset({307, 308})  # the only redirects that keep a POST (RFC 9110 §15.4.8)


class HubShell:
    """Asks hubs over the transport that feeds are asked over, in the same turns (`turn` waits for a URL's); `answered`
    is told each answer, which may ask to be left alone."""

    def __init__(
        self, terms: HubTerms, clock: Clock, transport: httpx.AsyncBaseTransport, turn: Turn, answered: Answered
    ) -> None:
        self._callbacks = terms.callbacks
        self._settings, self._websub = terms.fetch, terms.websub
        self._clock = clock
        self._transport = transport
        self._turn = turn
        self._answered = answered

    async def ask(self, request: HubRequest) -> HubOutcome:
        """Post the request and return what came of it. Never raises for anything that the outside world does."""
        asked_at = self._now()
        asked = HubOutcome(request.feed_id, request.mode, request.hub, request.topic, asked_at, asked_at)
        try:
            response, words = await self._follow(request)
        except FetchError as error:
            return replace(asked, observed_at=self._now(), error=_one_line(f"{request.hub}: {error}"))
        now, status = self._now(), response.status_code
        said = f": {words}" if words else ""
        return replace(
            asked,
            observed_at=now,
            status=status,
            error=None if response.is_success else _one_line(f"{request.hub}: answered {status}{said}"),
            retry_after_s=retry_after_s(response.headers.get("retry-after"), now, response.headers.get("date")),
        )

    def _now(self) -> datetime:
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def _follow(self, request: HubRequest) -> tuple[httpx.Response, str]:
        """Follow the redirects that keep the form, to no hub that gives TLS up: the form holds the secret."""
        url, form = request.hub, self._form(request)
        for _ in range(self._settings.max_redirects + 1):
            response, words = await self._post(url, form)
            if response.status_code not in _MOVED:
                return response, words
            before, url = url, _target(url, response.headers.get("location"))
            if before.startswith("https:") and not url.startswith("https:"):
                raise FetchError(f"redirects to {bounded(url, 200)!r}, without TLS")
        raise FetchError(f"more than {self._settings.max_redirects} redirects")

    def _form(self, request: HubRequest) -> bytes:
        callback = self._callbacks.give(request.domain, request.feed_id, request.topic)
        form = {
            "hub.mode": request.mode,
            "hub.topic": request.topic,
            "hub.callback": self._callbacks.url(callback),
        }
        if request.mode == SUBSCRIBE:
            form["hub.lease_seconds"] = str(self._websub.lease_s)
            form["hub.secret"] = self._callbacks.secret(callback).decode("ascii")
        return urlencode(form).encode("ascii")

    async def _post(self, url: str, form: bytes) -> tuple[httpx.Response, str]:
        """Ask one URL when its host has a turn. Raises FetchError."""
        try:
            async with self._turn(url), asyncio.timeout(self._settings.total_s):
                return await self._sent(url, form)
        except TimeoutError as error:
            raise FetchError(f"no whole answer within {self._settings.total_s:g} s") from error
        except httpx.TimeoutException as error:
            raise FetchError("no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise FetchError(" ".join(str(error).split()) or type(error).__name__) from error

    async def _sent(self, url: str, form: bytes) -> tuple[httpx.Response, str]:
        settings = self._settings
        times = {"connect": settings.connect_s, "read": settings.read_s, "write": settings.read_s}
        headers = ((b"User-Agent", settings.user_agent.encode("ascii")), (b"Content-Type", FORM))
        response = await self._transport.handle_async_request(new_request("POST", url, headers, times, form))
        self._answered(url, response.status_code, response.headers)
        try:
            return response, "" if response.is_success else await _words(response)
        finally:
            await response.aclose()


async def _words(response: httpx.Response) -> str:
    """Return the start of an error's explanation in one line."""
    read = b""
    async for piece in response.aiter_raw():
        read += piece
        if len(read) >= MAX_WORDS_BYTES:
            break
    return _one_line(read[:MAX_WORDS_BYTES].decode("utf-8", "replace"), 200)


def _target(url: str, location: str | None) -> str:
    if not location:
        raise FetchError("redirects without a Location")
    try:
        return feed_url(urljoin(url, location.strip()))
    except (BadFeed, ValueError) as error:
        raise FetchError(f"redirects to {bounded(location, 200)!r}, which is no URL") from error


def _one_line(text: str, limit: int = 500) -> str:
    """Return the words of a stranger as one printable line."""
    return "".join(char if char.isprintable() else " " for char in " ".join(bounded(text, limit).split()))
