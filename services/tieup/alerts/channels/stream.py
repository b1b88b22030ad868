"""Server-sent events (WHATWG HTML §9.2) of one subscription: its messages as they are laid ready.

A connection has no queue of its own: it is a cursor over what is laid ready, read on as its client takes what was sent.
So a slow client costs one batch, and one that comes back says where it was (`Last-Event-ID`) and misses nothing.

An event's id is where its stream goes on after it: `<partition>-<offset>` on the deliveries topic, the same in every
process.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final

import orjson

from tieup.alerts.capabilities import Capabilities
from tieup.alerts.laid import Shelf
from tieup.alerts.message import linked
from tieup.alerts.watch import ApiWatch
from tieup.errors import LogError
from tieup.model.subscription import Endpoint

BATCH: Final = 20
RETRY_MS: Final = 3_000
HELLO_TYPE: Final = "tieup.stream.v1"
GAP_TYPE: Final = "tieup.gap.v1"
HEARTBEAT: Final = b": still here\n\n"

_ID: Final = re.compile(r"(\d{1,9})-(\d{1,18})")
_LINE_ENDS: Final = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
_TYPE: Final = re.compile(rb'\{"type":"([a-z0-9._]{1,60})"')


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream: its bytes, and what to call when it is over, begun or not."""

    events: AsyncGenerator[bytes, None]
    close: Callable[[], None]


class Streams:
    """The streams of this process: so many at once, and so many of one endpoint."""

    def __init__(
        self,
        shelf: Shelf,
        links: Capabilities,
        watch: ApiWatch,
        *,
        most: int,
        most_of_one: int,
        heartbeat_s: float,
    ) -> None:
        self._shelf = shelf
        self._links = links
        self._watch = watch
        self._most, self._most_of_one = most, most_of_one
        self._heartbeat_s = heartbeat_s
        self._open: Counter[str] = Counter()
        self._ending = False

    def open(self, endpoint: Endpoint, last_event_id: str | None, allowed: Callable[[], bool]) -> Opened | None:
        """Open a stream that goes on as long as it is allowed. None: there is no room."""
        if self._ending or self._open.total() >= self._most or self._open[endpoint.id] >= self._most_of_one:
            self._watch.dropped("no room")
            return None
        self._open[endpoint.id] += 1
        self._watch.streams.set(self._open.total())
        return Opened(self._events(endpoint, last_event_id, allowed), lambda: self._closed(endpoint.id))

    def end(self) -> None:
        """End all streams: each says what it has to say and ends."""
        self._ending = True
        self._shelf.wake()

    def _closed(self, endpoint_id: str) -> None:
        self._open[endpoint_id] -= 1
        self._open += Counter()  # without what is zero
        self._watch.streams.set(self._open.total())

    async def _events(
        self, endpoint: Endpoint, last_event_id: str | None, allowed: Callable[[], bool]
    ) -> AsyncGenerator[bytes, None]:
        """Without an id it begins with what comes next, and says so with the id to resume from."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        partition, following = self._shelf.partition(endpoint), self._shelf.end(endpoint)
        if last_event_id is None:
            yield _event(HELLO_TYPE, f"{partition}-{following}", orjson.dumps({"endpoint_id": endpoint.id}))
        else:
            try:
                following, is_gap = await self._resumed(endpoint, last_event_id)
            except LogError:
                return  # the client comes again, as it does when it is cut off
            if is_gap:
                self._watch.dropped("gap")
                yield _event(GAP_TYPE, f"{partition}-{following}", orjson.dumps({"after": last_event_id[:40]}))
        while allowed() and not self._ending:
            news = self._shelf.news(endpoint.id)
            found = await self._shelf.from_offset(endpoint.id, following, BATCH)
            for one in found:
                following = one.offset + 1
                yield _event(_type(one.body), f"{partition}-{following}", linked(one.body, self._links))
                self._watch.sent()
            if not found and not await _happens(news, self._heartbeat_s):
                yield HEARTBEAT

    async def _resumed(self, endpoint: Endpoint, last_event_id: str) -> tuple[int, bool]:
        """Return where to go on, and whether messages may be missing: an id is honoured unless what followed it is
        kept no more, or it is none of this log's. Then all that is kept comes. Raises LogError.

        Another process may have read further than this one, so an id may be ahead of what is read here, but not of the
        log: that is an id of another one, and who waited there would be told nothing for long, unawares.
        """
        kept_from, found = await self._shelf.kept_from(endpoint), _ID.fullmatch(last_event_id.strip())
        if found is None or int(found[1]) != self._shelf.partition(endpoint) or int(found[2]) < kept_from:
            return kept_from, True
        wanted = int(found[2])
        if wanted > self._shelf.end(endpoint) and wanted > await self._shelf.end_of_log(endpoint):
            return kept_from, True
        return wanted, False


async def _happens(news: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await news.wait()
    except TimeoutError:
        return False


def _type(body: bytes) -> str:
    found = _TYPE.match(body)
    return "message" if found is None else found[1].decode()


def _event(name: str, event_id: str, data: bytes) -> bytes:
    """JSON of ours has no line ends, so that the data is one line; nor what some clients take for one."""
    for found, instead in _LINE_ENDS:
        data = data.replace(found, instead)
    return f"event: {name}\nid: {event_id}\ndata: ".encode() + data + b"\n\n"
