"""Asks public registers, one request after the other, each followed by a rest."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from tieup.errors import FetchError
from tieup.outside.transport import GuardedTransport

REST_S: Final = 1.1
"""Between two requests: GLEIF allows sixty a minute, and Wikidata asks for one at a time."""

TOTAL_S: Final = 75.0
"""For one answer; the Wikidata query service gives itself 60 s."""

MAX_BYTES: Final = 16_000_000
"""Of one answer: 50 items with all their listings take a hundredth of it."""


class Registers:
    """Asks by GET. `user_agent` says who asks, as both services want to know; `rest` waits between requests."""

    def __init__(
        self,
        user_agent: str,
        *,
        allow_private: bool = False,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._transport = GuardedTransport(allow_private=allow_private, hosts={}, connections=1)
        self._rest = rest
        self._asked = False

    async def get(self, url: str) -> bytes:
        """Return the body of the answer. Raises FetchError, naming the host, for any answer but 200."""
        if self._asked:
            await self._rest(REST_S)
        self._asked = True
        host = httpx.URL(url).host
        try:
            async with asyncio.timeout(TOTAL_S):
                return await self._body(httpx.Request("GET", url, headers=self._headers), host)
        except TimeoutError as error:
            raise FetchError(f"{host}: no whole answer within {TOTAL_S:g} s") from error
        except httpx.HTTPError as error:
            raise FetchError(f"{host}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _body(self, request: httpx.Request, host: str) -> bytes:
        answer = await self._transport.handle_async_request(request)
        try:
            if answer.status_code != httpx.codes.OK:
                raise FetchError(f"{host}: answered {answer.status_code}{_wanted_rest(answer)}")
            return await _bounded(answer, host)
        finally:
            await answer.aclose()


def _wanted_rest(answer: httpx.Response) -> str:
    wanted = answer.headers.get("retry-after", "")
    return f"; it wants to be asked again in {wanted} s" if wanted.isascii() and wanted.isdigit() else ""


async def _bounded(answer: httpx.Response, host: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > MAX_BYTES:
            raise FetchError(f"{host}: an answer of more than {MAX_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)
