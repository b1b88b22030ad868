"""One request to the web, and its answer, as whoever asks for feeds or pages knows them."""

from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urljoin

import httpx

from tieup.errors import FetchError
from tieup.feeds.reading.document import bounded
from tieup.feeds.registry import feed_url

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
ACCEPT_FEED: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks for. `max_bytes` bounds the decoded body; with `cut` what is longer is cut, not refused."""

    url: str
    max_bytes: int
    accept: str
    etag: str | None = None
    last_modified: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer of a chain of redirects; `body` is decoded, None unless there is one to read.

    `problem` says why a body that came could not be kept; `moved_to` is where permanent redirects alone led.
    """

    url: str
    status: int
    headers: httpx.Headers
    body: bytes | None = None
    problem: str | None = None
    moved_to: str | None = None


class Asks(Protocol):
    """Who sends requests: politely, to checked addresses, within the bounds of time and size."""

    async def ask(self, asked: Asked, max_redirects: int) -> Answer:
        """Follow redirects to the answer. Raises FetchError naming the URL."""

    async def once(self, asked: Asked, left_s: float) -> tuple[Answer, float]:
        """Ask one URL; returns the seconds that it took. Raises FetchError."""


def target(answer: Answer) -> str:
    """Return where a redirect leads. Raises FetchError or BadFeed if that is no http(s) URL."""
    location = answer.headers.get("location")
    if not location:
        raise FetchError(f"answered {answer.status} without a Location")
    try:
        return feed_url(urljoin(answer.url, location.strip().replace(" ", "%20")))
    except ValueError as error:
        raise FetchError(f"redirects to {bounded(location, 200)!r}, which is no URL") from error
