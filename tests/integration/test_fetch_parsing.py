"""Parsing in processes of their own: what kills or hangs one costs one body."""

import os
import signal
import time

import pytest
from tests.feed_server import item, rss

from tieup.errors import BadFeed, FetchError
from tieup.feeds.reading.document import ParsedFeed
from tieup.feeds.reading.parsing import ParsingPool, parse_within_limits
from tieup.feeds.settings import FetchSettings

URL = "https://a.example/feed"
FINE = rss(item(1))


def hostile(body: bytes, url: str, content_type: str | None, max_entries: int) -> ParsedFeed:
    """Do what a body could make a parser do."""
    if body == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if body == b"hang":
        time.sleep(600)
    return parse_within_limits(body, url, content_type, max_entries)


async def test_a_killed_process_costs_one_body() -> None:
    pool = ParsingPool(FetchSettings(parsers=1), hostile)
    with pytest.raises(FetchError, match=f"{URL}: the parsing process died"):
        await pool.parse(b"kill", URL, None)
    assert len((await pool.parse(FINE, URL, None)).entries) == 1


async def test_a_hung_process_is_ended_and_replaced() -> None:
    with pytest.raises(FetchError, match=f"{URL}: parsing took longer than 1 s"):
        await ParsingPool(FetchSettings(parsers=1, parse_s=1.0), hostile).parse(b"hang", URL, None)
    assert len((await ParsingPool(FetchSettings(parsers=1), hostile).parse(FINE, URL, None)).entries) == 1


async def test_no_feed_is_the_bodys_fault() -> None:
    pool = ParsingPool(FetchSettings(parsers=1))
    with pytest.raises(BadFeed, match=f"{URL}: the body is empty"):
        await pool.parse(b"", URL, None)
