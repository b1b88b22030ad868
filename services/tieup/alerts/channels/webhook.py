"""Webhooks after Standard Webhooks 1.0.0: a signed POST to an address that the guard has checked.

2xx is success, 410 means no more, everything else is a failure, redirects as well: they are never followed. Of the
answer only the beginning is read.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from tieup.alerts.attempt import AttemptRequest, Reply
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.message import linked
from tieup.alerts.sealing import Sealer
from tieup.alerts.settings import AlertSettings
from tieup.alerts.signing import secrets_of, signed_headers
from tieup.errors import DeliveryError, FetchError, UsageError
from tieup.model.delivery import MAX_EXCERPT_CHARS
from tieup.outside.headers import retry_after_s
from tieup.outside.transport import GuardedTransport, PostBounds, Posted
from tieup.outside.wire import Header

KEEP_ALIVE_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 4_096
EXCERPT_S: Final = 2.0
MAX_URL_CHARS: Final = 2_000
GONE: Final = 410

_PORTS: Final = {"http": 80, "https": 443}
_USER: Final = re.compile(r"^(\w+://)?.*@", re.DOTALL)


class WebhookSender:
    """Posts messages over one pool of connections."""

    def __init__(self, settings: AlertSettings, sealer: Sealer, links: Capabilities | None = None) -> None:
        self._links = links
        self._settings = settings
        self._sealer = sealer
        self._headers = (
            (b"Content-Type", b"application/json"),
            (b"User-Agent", settings.user_agent.encode("ascii")),
        )
        self._bounds = PostBounds(settings.connect_s, settings.total_s, EXCERPT_S, MAX_ANSWER_BYTES)
        self._transport = GuardedTransport(
            allow_private=settings.allow_private,
            hosts=settings.hosts,
            connections=settings.concurrency,
            connect_s=settings.connect_s,
            keep_alive_s=KEEP_ALIVE_S,
        )

    async def send(self, request: AttemptRequest, address: str, at: datetime) -> Reply:
        """Post one message. Raises DeliveryError for what gave no answer."""
        body = linked(request.body, self._links)
        secrets = secrets_of(request.endpoint, self._sealer, at)
        headers = [*self._headers, *signed_headers(request.message_id, at, body, secrets)]
        try:
            return _reply(await self._transport.post(address, headers, body, self._bounds), at)
        except (TimeoutError, httpx.ReadTimeout) as error:
            raise DeliveryError(f"no whole answer within {self._settings.total_s:g} s") from error
        except (httpx.TransportError, httpx.InvalidURL, FetchError) as error:
            raise DeliveryError(self._said(error)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _said(self, error: Exception) -> str:
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {self._settings.connect_s:g} s"
        return " ".join(str(error).split())[:500] or type(error).__name__


def _reply(answer: Posted, at: datetime) -> Reply:
    status = answer.status
    return Reply(
        delivered=200 <= status < 300,
        gone=status == GONE,
        status=status if 100 <= status <= 999 else None,
        retry_after_s=_retry_after_s(answer.headers, at),
        error=None if 200 <= status < 300 else f"answered {status}",
        excerpt=_excerpt(answer.beginning) or None,
    )


def webhook_url(url: str, settings: AlertSettings) -> str:
    """Return a webhook's URL as it is called. Raises UsageError if it is none, or plain http to the outside."""
    shown = repr(_USER.sub(r"\1…@", url)[:200])
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


def _retry_after_s(headers: Sequence[Header], at: datetime) -> int | None:
    """Return what the answer's `Retry-After` asks for, by its own `Date` where it names a date."""
    named = {name.lower(): value for name, value in headers}
    asked = named.get(b"retry-after")
    if asked is None:
        return None
    return retry_after_s(asked.decode("latin-1"), at, named.get(b"date", b"").decode("latin-1"))


def _excerpt(beginning: bytes) -> str:
    """Return the answer's first words on one line, without what a terminal could make of them."""
    text = beginning[: 4 * MAX_EXCERPT_CHARS].decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(text.split())[:MAX_EXCERPT_CHARS]
