"""Parsing apart: each body in a worker process with a time and a memory limit, so that a hostile one costs one feed."""

import asyncio
import re
import resource
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVarTuple

from prometheus_client import Gauge

from tieup.articles.normalize import read_entry
from tieup.errors import BadFeed, FetchError, ProcessEnded
from tieup.feeds.reading.document import ParsedFeed
from tieup.feeds.reading.hublinks import document_links
from tieup.feeds.reading.parse import parse_feed
from tieup.feeds.reading.process import Process
from tieup.feeds.settings import FetchSettings
from tieup.model.codec import decode, encode

MEMORY_BYTES: Final = 2_000_000_000
START_S: Final = 20.0  # of an interpreter without modules, on a busy machine
_WIDE: Final = re.compile(r"charset\s*=\s*[\"']?(?:utf-?(?:16|32)|ucs-?[24])", re.IGNORECASE)

Given = TypeVarTuple("Given")
Job = Callable[[bytes, str, str | None, int], ParsedFeed]


class ParsingPool:
    """Worker processes, started when first needed; a hung or dead one is replaced. They end with the event loop."""

    def __init__(self, settings: FetchSettings, job: Job | None = None, queue: Gauge | None = None) -> None:
        """`job` is what the processes run, importable by name there; parsing unless given. `queue` is told how many
        bodies are here."""
        self._queue = Gauge("parsing_queue", "Untold", registry=None) if queue is None else queue
        self._settings = settings
        self._job = parse_within_limits if job is None else job
        self._slots = asyncio.Semaphore(settings.parsers)
        self._idle: list[Process] = []

    async def parse(self, body: bytes, url: str, content_type: str | None) -> ParsedFeed:
        """Parse a body. Raises as `parse_encoded` does."""
        return decode(ParsedFeed, await self.parse_encoded(body, url, content_type), url)

    async def parse_encoded(self, body: bytes, url: str, content_type: str | None) -> bytes:
        """Parse a body and return the ParsedFeed as the JSON that the process answered.

        Raises BadFeed if it is no feed. Raises FetchError if the process died or took longer than the limit, which may
        be the machine's fault.
        """
        return await self.run(url, _encoded, self._job, body, url, content_type, self._settings.max_entries)

    async def run(self, url: str, job: Callable[[*Given], bytes], *given: *Given) -> bytes:
        """Run a job, importable by name there, in a worker process; it bounds its memory itself (`bound_memory`).

        Raises what the job raises, and FetchError as `parse` does. Where a process dies another one tries, once: it may
        have been killed for want of memory, which need not be this body's fault, and a body whose validators are kept
        does not come again before it changes.
        """
        with self._queue.track_inprogress():
            async with self._slots:
                try:
                    return await self._run(url, job, *given)
                except ProcessEnded:
                    return await self._again(url, job, *given)

    async def _run(self, url: str, job: Callable[[*Given], bytes], *given: *Given) -> bytes:
        process = await self._ready(url)
        try:
            async with asyncio.timeout(self._settings.parse_s):
                return await process.run(job, *given)
        except TimeoutError as error:
            raise FetchError(f"{url}: parsing took longer than {self._settings.parse_s:g} s") from error
        finally:
            if process.usable:
                self._idle.append(process)

    async def _again(self, url: str, job: Callable[[*Given], bytes], *given: *Given) -> bytes:
        try:
            return await self._run(url, job, *given)
        except ProcessEnded as error:
            raise FetchError(f"{url}: the parsing process died") from error

    async def _ready(self, url: str) -> Process:
        """Return the process that was used last, or a new one where there is none that waits."""
        while self._idle:
            if (process := self._idle.pop()).usable:
                return process
        try:
            async with asyncio.timeout(START_S):
                return await Process.start()
        except OSError as error:  # and TimeoutError, which is one
            raise FetchError(f"{url}: no parsing process could be started: {error or 'it took too long'}") from error


def believable_type(content_type: str | None, body: bytes) -> str | None:
    """Return the type without a charset that cannot be true: UTF-16 and UTF-32 write every `<` with a NUL beside it."""
    if content_type is None or b"\0" in body[:64] or not _WIDE.search(content_type):
        return content_type
    return content_type.partition(";")[0]


def _encoded(job: Job, body: bytes, url: str, content_type: str | None, max_entries: int) -> bytes:
    """Run the job and return its result as JSON, which crosses processes several times sooner than pickled records."""
    return encode(job(body, url, content_type, max_entries))


def parse_within_limits(body: bytes, url: str, content_type: str | None, max_entries: int) -> ParsedFeed:
    """Parse in this process after bounding its memory; what runs in the worker process.

    The entries' plain text is worked out here too: it costs more than the parsing, and every entry needs it.
    """
    bound_memory()
    try:
        parsed = parse_feed(body, url, content_type, max_entries)
        links = document_links(body) if parsed.links is None else parsed.links
        return replace(parsed, entries=tuple(map(read_entry, parsed.entries)), links=links)
    except (MemoryError, RecursionError) as error:
        raise BadFeed(f"{url}: parsing needs too much ({type(error).__name__})") from None


def bound_memory() -> None:
    """Bound the memory of this process, which is one of the workers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY or soft > MEMORY_BYTES:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
