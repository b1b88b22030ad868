"""What subscribers may ask by capability URLs, decided: feeds, streams, marking as wrong, being told no more.

GET changes nothing. Whoever has no capability is told nothing, not even whether a subscription exists.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs

from tieup import __version__
from tieup.alerts.capabilities import Capabilities, Form, Pull, Stop, Wrong
from tieup.alerts.channels.feed import ATOM_TYPE, JSON_TYPE, Item, atom, items, json_feed
from tieup.alerts.channels.stream import Opened, Streams
from tieup.alerts.laid import Message, Shelf
from tieup.alerts.pages import marked_page, stop_page, stopped_page, wrong_page
from tieup.alerts.subscribe import subscription_record
from tieup.alerts.telling import telling
from tieup.alerts.watch import ApiWatch
from tieup.errors import BadRecord, LogError
from tieup.ids import derive_id
from tieup.log.base import Clock, NewRecord, Validator
from tieup.log.topics import MARKS
from tieup.model.codec import encode, from_millis, to_millis
from tieup.model.mark import MAX_NOTE_CHARS, Fault, Mark
from tieup.model.subscription import Endpoint, Subscription

FEED_AHEAD: Final = 4  # of a feed's items: what was told again shows once
MARK_GAP: Final = timedelta(seconds=5)  # between two words of one reader on one event: each is a record
MAX_REMEMBERED: Final = 10_000
STREAM_TYPE: Final = "text/event-stream"
HTML_TYPE: Final = "text/html; charset=utf-8"

# Pages load nothing, run nothing and tell nobody where they were (the address is the capability).
_PAGE_HEADERS: Final = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-store"),
)
_FEED_HEADERS: Final = (("Cache-Control", "private, max-age=0, must-revalidate"),)

Append = Callable[[Sequence[NewRecord]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer over HTTP."""

    status: int
    body: bytes = b""
    media_type: str = HTML_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    opened: Opened | None = None


NOT_FOUND: Final = Answer(404)
TOO_SOON: Final = Answer(429, headers=(("Retry-After", str(MARK_GAP.seconds)),))
BUSY: Final = Answer(503, headers=(("Retry-After", "5"),))


class AlertDoor:
    """Answers; the log is only appended to, by whoever proves a capability."""

    def __init__(
        self,
        links: Capabilities,
        shelf: Shelf,
        streams: Streams,
        append: Append,
        validator: Validator,
        clock: Clock,
        watch: ApiWatch,
        feed_items: int,
    ) -> None:
        self._links = links
        self._shelf = shelf
        self._streams = streams
        self._append = append
        self._validator = validator
        self._clock = clock
        self._watch = watch
        self._feed_items = feed_items
        self._marked: dict[str, datetime] = {}  # the newest marks' times, the oldest first

    def stream(self, path: str, last_event_id: str | None) -> Answer | None:
        """Return a stream, the refusal of one, or None where the path is none's."""
        pull = self._links.read(path)
        if not (isinstance(pull, Pull) and pull.form is Form.STREAM):
            return None
        if not self._shelf.is_ready():
            return self._counted("stream", BUSY)
        endpoint = self._endpoint(pull)
        if endpoint is None:
            return self._counted("stream", NOT_FOUND)
        opened = self._streams.open(endpoint, last_event_id, lambda: self._endpoint(pull) is not None)
        return self._counted("stream", BUSY if opened is None else Answer(200, opened=opened))

    def _endpoint(self, pull: Pull) -> Endpoint | None:
        """Return the endpoint that a wish opens, None if it opens none (any more)."""
        subscription = self._shelf.subscription(pull.subscription_id)
        endpoints = () if subscription is None else subscription.endpoints
        endpoint = next((one for one in endpoints if one.channel is pull.form.channel), None)
        return endpoint if self._links.opens(pull, endpoint, self._clock()) else None

    async def get(self, path: str, if_none_match: str | None) -> Answer:
        """Answer a GET of anything but a stream."""
        if not self._shelf.is_ready():
            return self._counted("early", BUSY)
        match self._links.read(path):
            case Pull(form=Form.STREAM) as pull:  # a HEAD: a GET opens the stream
                found = Answer(200, media_type=STREAM_TYPE) if self._endpoint(pull) else NOT_FOUND
                return self._counted("stream", found)
            case Pull() as pull:
                return self._counted("feed", await self._feed(pull, if_none_match))
            case Wrong() as wrong:
                page = wrong_page(await self._shelf.headline(wrong.event_id))
                return self._counted("wrong", Answer(200, page, headers=_PAGE_HEADERS))
            case Stop() as stop:
                names = [one.name for one in self._shelf.users(stop.endpoint_id)]
                return self._counted("stop", Answer(200, stop_page(names), headers=_PAGE_HEADERS))
            case _:
                return self._counted("unknown", NOT_FOUND)

    async def post(self, path: str, body: bytes) -> Answer:
        """Answer a POST: a mark, or the wish to be told no more (also by one click, RFC 8058)."""
        if not self._shelf.is_ready():
            return self._counted("early", BUSY)
        match self._links.read(path):
            case Wrong() as wrong:
                return self._counted("wrong", await self._kept(self._mark(wrong, body)))
            case Stop() as stop:
                return self._counted("stop", await self._kept(self._stop(stop)))
            case _:
                return self._counted("unknown", NOT_FOUND)

    async def _feed(self, pull: Pull, if_none_match: str | None) -> Answer:
        subscription, endpoint = self._shelf.subscription(pull.subscription_id), self._endpoint(pull)
        if subscription is None or endpoint is None:
            return NOT_FOUND
        found = await self._shelf.newest(endpoint.id, FEED_AHEAD * self._feed_items)
        etag = _etag(pull.form, subscription, found)
        headers = (*_FEED_HEADERS, ("ETag", etag))
        if _matches(if_none_match, etag):
            return Answer(304, headers=headers)
        url = self._links.pull_url(subscription.id, pull.form, endpoint.secret_version)
        shown = items(list(self._items(found)), self._feed_items)
        if pull.form is Form.ATOM:
            return Answer(200, atom(subscription, shown, url), ATOM_TYPE, headers)
        return Answer(200, json_feed(subscription, shown, url), JSON_TYPE, headers)

    def _items(self, found: Sequence[Message]) -> Iterator[Item]:
        """What this code cannot read, another's version wrote: it is passed over, the feed goes on."""
        for one in found:
            with suppress(BadRecord):
                yield Item(from_millis(one.at), telling(one.body, self._links))

    async def _mark(self, wrong: Wrong, body: bytes) -> Answer:
        fields = _fields(body)
        fault = next((one for one in Fault if one.value == fields.get("fault")), None)
        if fault is None:
            page = wrong_page(await self._shelf.headline(wrong.event_id))
            return Answer(422, page, headers=_PAGE_HEADERS)
        at = self._clock()
        note = " ".join("".join(one if one.isprintable() else " " for one in fields.get("note", "")).split())
        mark = Mark(
            id=derive_id("mark", wrong.subscription_id, wrong.event_id),
            subscription_id=wrong.subscription_id,
            event_id=wrong.event_id,
            story_id=wrong.story_id,
            fault=fault,
            note=note[:MAX_NOTE_CHARS],
            at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        )
        if at - self._marked.get(mark.id, datetime.min.replace(tzinfo=UTC)) < MARK_GAP:
            return TOO_SOON
        await self._write([NewRecord(MARKS, mark.id.encode(), encode(mark), to_millis(at))])
        self._marked.pop(mark.id, None)
        self._marked[mark.id] = at
        if len(self._marked) > MAX_REMEMBERED:
            del self._marked[next(iter(self._marked))]
        self._watch.marked(fault.value)
        return Answer(200, marked_page(), headers=_PAGE_HEADERS)

    async def _stop(self, stop: Stop) -> Answer:
        at = self._clock()
        records = [
            subscription_record(without_endpoint(one, stop.endpoint_id, at))
            for one in self._shelf.users(stop.endpoint_id)
        ]
        await self._write(records)
        return Answer(200, stopped_page(), headers=_PAGE_HEADERS)

    async def _write(self, records: Sequence[NewRecord]) -> None:
        for record in records:
            self._validator.check(record.topic, record.value)
        if records:
            await self._append(records)

    async def _kept(self, work: Awaitable[Answer]) -> Answer:
        """What the log does not take is to be asked again."""
        try:
            return await work
        except LogError:
            return BUSY

    def _counted(self, page: str, answer: Answer) -> Answer:
        self._watch.answered(page, answer.status)
        return answer


def without_endpoint(subscription: Subscription, endpoint_id: str, at: datetime) -> Subscription:
    """Return the subscription without an endpoint; one that has no other is paused, so that its owner sees it."""
    others = tuple(one for one in subscription.endpoints if one.id != endpoint_id)
    if others:
        return replace(subscription, endpoints=others, updated_at=at)
    return replace(subscription, paused=True, updated_at=at)


def _etag(form: Form, subscription: Subscription, found: Sequence[Message]) -> str:
    """A feed's bytes follow from these: what is told, by which subscription, in which form, by which code."""
    text = f"{__version__} {form.value} {subscription.updated_at.isoformat()} {[one.offset for one in found]}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match names the tag, weakly compared (RFC 9110 §13.1.2)."""
    if header is None:
        return False
    return header.strip() == "*" or etag in re.findall(r'"[^"]*"', header)


def _fields(body: bytes) -> Mapping[str, str]:
    """The first value of each field of a form; none where it is no form."""
    with suppress(ValueError, UnicodeDecodeError):
        found = parse_qs(body.decode("utf-8"), max_num_fields=20, encoding="utf-8", errors="replace")
        return {name: values[0] for name, values in found.items()}
    return {}
