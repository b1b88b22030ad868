"""Parsing in processes of their own: what kills or hangs one costs one body."""

import asyncio
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


def who(body: bytes) -> bytes:
    """Say which process this is; an empty body is refused."""
    if not body:
        raise BadFeed("nothing to say")
    return body + str(os.getpid()).encode()


async def test_a_killed_process_costs_one_body() -> None:
    pool = ParsingPool(FetchSettings(parsers=1), hostile)
    with pytest.raises(FetchError, match=f"{URL}: the parsing process died"):
        await pool.parse(b"kill", URL, None)
    assert len((await pool.parse(FINE, URL, None)).entries) == 1


async def test_a_process_that_was_killed_for_anothers_sake_costs_none() -> None:
    pool = ParsingPool(FetchSettings(parsers=1))
    first = int(await pool.run(URL, who, b"0"))
    os.kill(first, signal.SIGKILL)
    assert int(await pool.run(URL, who, b"0")) != first


async def test_a_hung_process_is_ended_and_replaced() -> None:
    with pytest.raises(FetchError, match=f"{URL}: parsing took longer than 1 s"):
        await ParsingPool(FetchSettings(parsers=1, parse_s=1.0), hostile).parse(b"hang", URL, None)
    assert len((await ParsingPool(FetchSettings(parsers=1), hostile).parse(FINE, URL, None)).entries) == 1


async def test_no_feed_is_the_bodys_fault() -> None:
    pool = ParsingPool(FetchSettings(parsers=1))
    with pytest.raises(BadFeed, match=f"{URL}: the body is empty"):
        await pool.parse(b"", URL, None)


async def test_a_process_goes_on_after_a_bad_body_and_takes_large_ones() -> None:
    pool, large = ParsingPool(FetchSettings(parsers=1)), b"x" * 3_000_000
    before = await pool.run(URL, who, b"x")
    with pytest.raises(BadFeed, match="nothing to say"):
        await pool.run(URL, who, b"")
    assert await pool.run(URL, who, large) == large + before[1:]


def test_the_processes_end_with_the_event_loop() -> None:
    pid = int(asyncio.run(ParsingPool(FetchSettings(parsers=1)).run(URL, who, b"0")))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
