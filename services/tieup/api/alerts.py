"""What subscribers reach by HTTP: an ASGI application for the public, which tells strangers nothing.

`/alerts/…` as `alerts/capabilities.py` has it. Everything else, and every wrong token, is answered 404.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
MAX_FORM_BYTES: Final = 8_192
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_STREAM: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Answered(Protocol):
    """What is to be answered."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The body."""

    @property
    def media_type(self) -> str:
        """Its media type."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """More headers."""

    @property
    def opened(self) -> "Opened | None":
        """A stream, instead of the body."""


class Opened(Protocol):
    """A stream that is open."""

    @property
    def events(self) -> AsyncGenerator[bytes, None]:
        """Its bytes, piece by piece."""

    @property
    def close(self) -> Callable[[], None]:
        """What is called when it is over, begun or not."""


class Door(Protocol):
    """What the application asks of whoever knows the capabilities. Paths are as sent, percent-encoded."""

    async def get(self, path: str, if_none_match: str | None) -> Answered:
        """Answer a GET of anything but a stream."""

    async def post(self, path: str, body: bytes) -> Answered:
        """Answer a POST."""

    def stream(self, path: str, last_event_id: str | None) -> Answered | None:
        """Return a stream, the refusal of one, or None where the path is none's."""


def alerts_app(door: Door, *, form_s: float) -> Starlette:
    """Return the application; a form may take `form_s` seconds to come."""

    async def answer(request: Request) -> Response:
        path = str(request.scope["raw_path"], "latin-1")
        if request.method == "GET":
            found = door.stream(path, _last_event_id(request))
            if found is not None:
                return _Stream(found.opened) if found.opened is not None else _response(found)
        if request.method in ("GET", "HEAD"):
            return _response(await door.get(path, request.headers.get("if-none-match")))
        if request.method != "POST":
            return Response(status_code=405, headers={**_SAFE, "Allow": "GET, HEAD, POST", "Connection": "close"})
        try:
            async with asyncio.timeout(form_s):
                body = await _form(request)
        except TimeoutError:
            return _closing(408)
        except ClientDisconnect:
            return _closing(400)
        return _closing(413) if body is None else _response(await door.post(path, body))

    return Starlette(routes=[Route("/{path:path}", answer, methods=list(METHODS))])


class _Stream(StreamingResponse):
    """Sends a stream until it or its client ends, and then lets it go."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened.events, media_type="text/event-stream", headers={**_SAFE, **_STREAM})
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._opened.close()
            await self._opened.events.aclose()


def _last_event_id(request: Request) -> str | None:
    """The header; or the parameter, for clients that can set none."""
    found = request.headers.get("last-event-id") or request.query_params.get("last-event-id")
    return found or None


async def _form(request: Request) -> bytes | None:
    """The body, None if it is too large for a form of ours."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            return None
    return body


def _response(answer: Answered) -> Response:
    return Response(answer.body, answer.status, {**_SAFE, **dict(answer.headers)}, media_type=answer.media_type)


def _closing(status: int) -> Response:
    """Answer without a word and close the connection: its body may be unread."""
    return Response(status_code=status, headers={**_SAFE, "Connection": "close"})
