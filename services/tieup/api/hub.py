"""The callbacks that hubs reach: an ASGI application for the public, which tells strangers nothing.

Everything but a callback that we gave is answered 404 before its body is read. Bodies are bounded in time here, in size
where they are read; so many are read at once, and a hub that finds no room is asked to come again.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
RETRY_S: Final = 30
_PLAIN: Final = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


class Answered(Protocol):
    """What is to be answered."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The body, plain text."""

    @property
    def retry_after_s(self) -> int | None:
        """When to come again, if told."""


class Door(Protocol):
    """What the application asks of whoever knows the callbacks. Paths are as sent, percent-encoded."""

    async def intent(self, path: str, query: str) -> Answered:
        """Answer a GET."""

    def knows(self, path: str) -> bool:
        """Whether a POST to the path is worth reading."""

    async def pushed(self, path: str, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Answered:
        """Answer a POST, reading its body."""


def hub_app(door: Door, *, concurrency: int, body_s: float) -> Starlette:
    """Return the application: at most `concurrency` pushes are read at once, each for at most `body_s` seconds."""
    room = asyncio.Semaphore(concurrency)

    async def answer(request: Request) -> Response:
        path = str(request.scope["raw_path"], "latin-1")
        if request.method == "GET":
            return _response(await door.intent(path, request.url.query))
        if request.method != "POST" or not door.knows(path):
            return _closing(404)
        if room.locked():
            return _closing(503, RETRY_S)
        async with room:
            return await taken(path, request)

    async def taken(path: str, request: Request) -> Response:
        try:
            async with asyncio.timeout(body_s) as limit:
                return _response(await door.pushed(path, _joined(request), _pieces(request, limit)))
        except TimeoutError:
            return _closing(408)
        except ClientDisconnect:
            return _closing(400)

    return Starlette(routes=[Route("/{path:path}", answer, methods=list(METHODS))])


def _joined(request: Request) -> dict[str, str]:
    """The headers; several of one name are one, with commas (RFC 9110 §5.3)."""
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


async def _pieces(request: Request, limit: asyncio.Timeout) -> AsyncIterator[bytes]:
    """The body; with its end the sender's time is over, and ours begins."""
    async for piece in request.stream():
        yield piece
    limit.reschedule(None)


def _response(answer: Answered) -> Response:
    if not 200 <= answer.status < 300:
        return _closing(answer.status, answer.retry_after_s)
    return Response(answer.body, answer.status, headers=_PLAIN)


def _closing(status: int, retry_after_s: int | None = None) -> Response:
    """Answer without a word and close the connection: its body may be unread."""
    headers = {"Connection": "close"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return Response(status_code=status, headers=headers)
