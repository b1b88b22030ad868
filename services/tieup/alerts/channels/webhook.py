"""Webhooks after Standard Webhooks 1.0.0: a signed POST to an address that the guard has checked.

2xx is success, 410 means no more, everything else is a failure, redirects as well: they are never followed. Of the
answer only the beginning is read.
"""

import asyncio
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpcore
import httpx

from tieup.alerts.attempt import AttemptRequest, Reply
from tieup.alerts.sealing import Sealer
from tieup.alerts.settings import AlertSettings
from tieup.alerts.signing import secrets_of, signed_headers
from tieup.errors import DeliveryError, FetchError, UsageError
from tieup.model.delivery import MAX_EXCERPT_CHARS
from tieup.outside.guard import GuardedNetwork
from tieup.outside.headers import retry_after_s

MAX_ANSWER_BYTES: Final = 4_096
MAX_URL_CHARS: Final = 2_000
GONE: Final = 410

_PORTS: Final = {"http": 80, "https": 443}


class WebhookSender:
    """Posts messages over one pool of connections."""

    def __init__(self, settings: AlertSettings, sealer: Sealer) -> None:
        self._settings = settings
        self._sealer = sealer
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=settings.concurrency,
            max_keepalive_connections=settings.concurrency,
            keepalive_expiry=15.0,
            network_backend=GuardedNetwork(allow_private=settings.allow_private, hosts=settings.hosts),
        )

    async def send(self, request: AttemptRequest, address: str, at: datetime) -> Reply:
        """Post one message. Raises DeliveryError for what gave no answer."""
        secrets = secrets_of(request.endpoint, self._sealer, at)
        headers = [
            ("Host", urlsplit(address).netloc),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(request.body))),
            ("User-Agent", self._settings.user_agent),
            *signed_headers(request.message_id, at, request.body, secrets),
        ]
        try:
            async with asyncio.timeout(self._settings.total_s):
                return await self._post(address, headers, request.body, at)
        except TimeoutError as error:
            raise DeliveryError(f"no whole answer within {self._settings.total_s:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, FetchError) as error:
            raise DeliveryError(self._said(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _post(self, address: str, headers: list[tuple[str, str]], body: bytes, at: datetime) -> Reply:
        answer = await self._pool.handle_async_request(
            httpcore.Request("POST", address, headers=headers, content=body, extensions={"timeout": self._timeouts()})
        )
        try:
            excerpt = await _beginning(answer)
        finally:
            await answer.aclose()
        status = answer.status
        found = {name.lower(): value for name, value in answer.headers}
        return Reply(
            delivered=200 <= status < 300,
            gone=status == GONE,
            status=status if 100 <= status <= 999 else None,
            retry_after_s=retry_after_s(found.get(b"retry-after", b"").decode("latin-1"), at),
            error=None if 200 <= status < 300 else f"answered {status}",
            excerpt=excerpt or None,
        )

    def _timeouts(self) -> dict[str, float]:
        settings = self._settings
        return {
            "connect": settings.connect_s,
            "read": settings.total_s,
            "write": settings.total_s,
            "pool": settings.total_s,
        }

    def _said(self, error: Exception) -> str:
        if isinstance(error, httpcore.ConnectTimeout):
            return f"no connection within {self._settings.connect_s:g} s"
        return " ".join(str(error).split())[:500] or type(error).__name__


def webhook_url(url: str, settings: AlertSettings) -> str:
    """Return a webhook's URL as it is called. Raises UsageError if it is none, or plain http to the outside."""
    shown = repr(url[:200])
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{shown}: not a URL") from error
    if len(url) > MAX_URL_CHARS or not url.isascii() or not url.isprintable() or " " in url.strip():
        raise UsageError(f"{shown}: not a URL of at most {MAX_URL_CHARS} printable ASCII characters")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UsageError(f"{shown}: not an https URL")
    if parts.scheme == "http" and not settings.allow_private:
        raise UsageError(f"{shown}: a webhook must be https; plain http needs alerts.allow_private")
    if "@" in parts.netloc:
        raise UsageError(f"{parts.scheme}://{parts.hostname}: a webhook must not carry a user name or password")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))


async def _beginning(answer: httpcore.Response) -> str:
    """Read at most 4 kB, so that a short answer leaves the connection usable and a long one costs nothing."""
    read = b""
    async for piece in answer.aiter_stream():
        read += piece[: MAX_ANSWER_BYTES - len(read)]
        if len(read) >= MAX_ANSWER_BYTES:
            break
    text = read[: 4 * MAX_EXCERPT_CHARS].decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:MAX_EXCERPT_CHARS]
