"""One shell that fetches, asked without a log around it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

from tests.feed_server import FeedServer, item, rss

from tieup.feeds.http import FetchShell
from tieup.feeds.poll import PollRequest
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import FetchOutcome

NOW = datetime(2026, 2, 3, 8, 0, 0, 123_456, tzinfo=UTC)
LIMIT = 200_000
XML = (("Content-Type", "application/rss+xml"),)
FINE = rss(item(1), item(2))
Shelled = Callable[..., AbstractAsyncContextManager[FetchShell]]


@asynccontextmanager
async def shell(**settings: object) -> AsyncIterator[FetchShell]:
    values = {"allow_private": True, "max_body_bytes": LIMIT, "read_s": 5.0, "total_s": 10.0} | settings
    opened = FetchShell(FetchSettings(**values), clock=lambda: NOW)
    try:
        yield opened
    finally:
        await opened.close()


def request(url: str, **known: str) -> PollRequest:
    return PollRequest("f1", url, "127.0.0.1", **known)


async def poll(served: FeedServer, answer: object, **settings: object) -> FetchOutcome:
    served.pages["/feed.xml"] = answer
    async with shell(**settings) as opened:
        return await opened.poll(request(served.url()))
