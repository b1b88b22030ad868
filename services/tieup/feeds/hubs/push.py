"""What hubs send to our callbacks: the edge where their words enter, checked, parsed and handed to the feed's owner.

Any process can answer, since all that it needs follows from the master key. A stranger is told nothing; a hub is told
only whether to come again. What is signed wrongly is thanked for and thrown away, as WebSub §8 asks, so that nobody
learns by trying.
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, ParamSpec, TypeVar
from urllib.parse import parse_qsl

from tieup.errors import BadFeed, FetchError, InvalidOutput, LogError
from tieup.feeds.hubs.callbacks import Callback
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.politeness import Pace
from tieup.feeds.reading.decode import Body, decoder_for
from tieup.feeds.reading.hublinks import header_links
from tieup.feeds.reading.parsing import ParsingPool, believable_type
from tieup.feeds.watch import HubWatch
from tieup.log.base import Clock, NewRecord, Validator
from tieup.log.topics import BY_NAME, FETCH_REQUESTS
from tieup.model.codec import encode, to_millis
from tieup.model.feed import FetchRequest, HubNotice
from tieup.model.hub import DENIED, PING, PUSH, SUBSCRIBE, UNSUBSCRIBE

MAX_QUERY_BYTES: Final = 16_384
MAX_CHALLENGE_CHARS: Final = 4_096
MAX_REASON_CHARS: Final = 300
MAX_PACES: Final = 100_000
MAX_AT_ONCE_BYTES: Final = 262_144  # about a millisecond of HMAC
ALGORITHMS: Final = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}

_SIGNATURE: Final = re.compile(r"\s*(sha1|sha256|sha384|sha512)\s*=\s*([0-9a-f]{40,128})\s*", re.IGNORECASE)
_LEASE: Final = re.compile(r"[0-9]{1,12}")
_WARM: Final = b'<rss version="2.0"><channel><title>warm</title></channel></rss>'

_log: Final = logging.getLogger("tieup.feeds")

P = ParamSpec("P")
T = TypeVar("T")
Append = Callable[[Sequence[NewRecord]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a hub is answered. `retry_after_s` goes with 429 and 503."""

    status: int
    body: bytes = b""
    retry_after_s: int | None = None


UNKNOWN: Final = Reply(404)
GONE: Final = Reply(410)  # a hub may then end the subscription (WebSub §7)
THANKS: Final = Reply(202)
TOO_LARGE: Final = Reply(413)
LATER: Final = Reply(503, retry_after_s=60)


@dataclass(frozen=True, slots=True)
class Intent:
    """A hub's GET: `mode` subscribe, unsubscribe or denied (WebSub §5.2, §5.3)."""

    mode: str
    topic: str
    challenge: bytes = b""
    lease_s: int | None = None
    reason: str | None = None


@dataclass(slots=True)
class HubDoor:
    """Answers hubs. `append` puts records on the log, `validator` checks them before; `seconds` is a steady clock.

    `unwanted` tells whether a feed is surely not wanted.
    """

    terms: HubTerms
    append: Append
    validator: Validator
    clock: Clock
    seconds: Callable[[], float]
    watch: HubWatch
    unwanted: Callable[[str], Awaitable[bool]]
    _parsing: ParsingPool = field(init=False)
    _paces: dict[str, Pace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Parse apart from the polls, which may keep their own processes busy."""
        self._parsing = ParsingPool(self.terms.fetch)

    async def warm(self) -> None:
        """Start a parsing process, so that the first push need not wait for it."""
        try:
            await self._parsing.parse(_WARM, "https://warm.invalid/", None)
        except FetchError as error:
            _log.warning("no parsing process is ready for pushes: %s", error)

    async def intent(self, path: str, query: str) -> Reply:
        """Answer a GET: echo the challenge if it is about a callback that we gave for this very topic."""
        callback, intent = self.terms.callbacks.read(path), read_intent(query)
        if callback is None or intent is None or not self.terms.callbacks.is_for(callback, intent.topic):
            self.watch.heard("unknown")
            return UNKNOWN
        wait_s = self._too_soon_by(f"intents {callback.feed_id}")
        if wait_s:
            self.watch.heard("too many")
            return Reply(429, retry_after_s=int(wait_s) + 1)
        if intent.mode == SUBSCRIBE and await self.unwanted(callback.feed_id):
            self.watch.heard("unwanted")
            return UNKNOWN
        notice = HubNotice(intent.mode, callback.topic_tag, lease_s=intent.lease_s, reason=intent.reason)
        if not await self._told(self._request(callback, notice, self._now(), intent.topic)):
            return LATER
        self.watch.heard(intent.mode)
        return Reply(200, intent.challenge)

    def knows(self, path: str) -> bool:
        """Whether a POST to the path is worth reading."""
        return self.terms.callbacks.read(path) is not None

    async def pushed(self, path: str, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Reply:
        """Answer a POST: take what the topic's hub has signed, thank for anything else."""
        callback = self.terms.callbacks.read(path)
        if callback is None:
            return self._counted("unknown", UNKNOWN)
        wait_s = self._too_soon_by(callback.feed_id)
        if wait_s:
            return self._counted("too many", Reply(429, retry_after_s=int(wait_s) + 1))
        if await self.unwanted(callback.feed_id):
            return self._counted("unwanted", GONE)
        raw = await _read(body, headers.get("content-length", ""), self.terms.fetch.max_body_bytes)
        return self._counted("too large", TOO_LARGE) if raw is None else await self._taken(callback, headers, raw)

    async def _taken(self, callback: Callback, headers: Mapping[str, str], raw: bytes) -> Reply:
        secret = self.terms.callbacks.secret(callback)
        if not await _aside(raw, is_signed, headers.get("x-hub-signature"), raw, secret):
            return self._counted("unsigned", THANKS)
        request = await self._request_of(callback, headers, raw)
        if not await self._told(request):
            return self._counted("not kept", LATER)
        return self._counted("document" if request.hub and request.hub.mode == PUSH else "ping", THANKS)

    def _counted(self, word: str, reply: Reply) -> Reply:
        self.watch.pushed(word)
        return reply

    def _now(self) -> datetime:
        now = self.clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _too_soon_by(self, what: str) -> float:
        """The seconds by which a hub's words on something come too soon; what is turned away uses no token up."""
        if len(self._paces) >= MAX_PACES:
            self._paces.clear()
        pace = self._paces.setdefault(what, Pace(self.terms.websub.rate, self.terms.websub.burst))
        wait_s = pace.take(self.seconds())
        if wait_s:
            pace.give_back()
        return wait_s

    async def _request_of(self, callback: Callback, headers: Mapping[str, str], raw: bytes) -> FetchRequest:
        """Return the document for the feed's owner, or a ping where there is none to be had, or none that fits."""
        now, topic = self._now(), self._topic(callback, headers)
        ping = self._request(callback, HubNotice(PING, callback.topic_tag), now, topic)
        try:
            coding, limit = headers.get("content-encoding", ""), self.terms.fetch.max_body_bytes
            body = await _aside(raw, _decoded, raw, coding, limit)
            parsed = await self._parsing.parse(body, topic, believable_type(headers.get("content-type"), body))
        except (BadFeed, FetchError) as error:
            _log.info("a push is taken for a ping: %s", error)
            return ping
        notice = HubNotice(
            PUSH,
            callback.topic_tag,
            feed_title=parsed.title,
            feed_language=parsed.language,
            entries=parsed.entries,
            bad_entries=parsed.bad_entries,
        )
        request = replace(ping, hub=notice, reason=f"hub: {PUSH}")
        fits = parsed.entries and len(encode(request)) <= BY_NAME[FETCH_REQUESTS].max_bytes
        return request if fits else ping

    def _topic(self, callback: Callback, headers: Mapping[str, str]) -> str:
        """The topic, which a hub names in the `Link` header (WebSub §7); where it does not, the feed's site."""
        named = header_links([headers.get("link", "")]).topic
        if named is not None and self.terms.callbacks.is_for(callback, named):
            return named
        return f"https://{callback.domain}/"

    def _request(self, callback: Callback, notice: HubNotice, at: datetime, url: str) -> FetchRequest:
        return FetchRequest(url, callback.domain, f"hub: {notice.mode}", at, feed_id=callback.feed_id, hub=notice)

    async def _told(self, request: FetchRequest) -> bool:
        """Put the request on the log, in the partition of the feed's owner; whether that was done."""
        key = (request.feed_id or "").encode()
        at, place_by = to_millis(request.requested_at), request.domain.encode()
        record = NewRecord(FETCH_REQUESTS, key, encode(request), at, place_by=place_by)
        try:
            self.validator.check(record.topic, record.value)
            await self.append([record])
        except (LogError, InvalidOutput) as error:
            _log.error("what a hub said of feed %s is not kept: %s", request.feed_id, error)
            return False
        return True


def read_intent(query: str) -> Intent | None:
    """Return what a GET's query says, or None for anything but one proper intent.

    `hub.challenge` is given back byte for byte, so bytes that are no UTF-8 are kept.
    """
    if len(query) > MAX_QUERY_BYTES:
        return None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape", max_num_fields=32)
    except ValueError:
        return None
    found = dict(pairs)
    mode, topic, challenge = (found.get(f"hub.{name}", "") for name in ("mode", "topic", "challenge"))
    if len(found) < len(pairs) or not topic:
        return None
    if mode == DENIED:
        return Intent(mode, topic, reason=_one_line(found.get("hub.reason", "")) or None)
    lease = found.get("hub.lease_seconds", "")
    if mode not in (SUBSCRIBE, UNSUBSCRIBE) or not 0 < len(challenge) <= MAX_CHALLENGE_CHARS:
        return None
    lease_s = int(lease) if _LEASE.fullmatch(lease) else None
    return Intent(mode, topic, challenge.encode("utf-8", "surrogateescape"), lease_s)


def is_signed(header: str | None, body: bytes, secret: bytes) -> bool:
    """Whether `X-Hub-Signature` is the body's HMAC with the secret (WebSub §7.1), compared in constant time."""
    found = _SIGNATURE.fullmatch(header or "")
    if found is None:
        return False
    due = hmac.new(secret, body, ALGORITHMS[found[1].lower()]).hexdigest()
    return hmac.compare_digest(due, found[2].lower())


async def _read(body: AsyncIterator[bytes], length: str, limit: int) -> bytes | None:
    """Return the body, or None as soon as it is larger than the limit."""
    if length.isdecimal() and int(length[:18]) > limit:
        return None
    read = bytearray()
    async for piece in body:
        read += piece
        if len(read) > limit:
            return None
    return bytes(read)


async def _aside(raw: bytes, work: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    """Return what the work on a body gives: done at once for a small one, in a thread for one that takes long."""
    if len(raw) <= MAX_AT_ONCE_BYTES:
        return work(*arguments, **more)
    return await asyncio.to_thread(work, *arguments, **more)


def _decoded(raw: bytes, coding: str, limit: int) -> bytes:
    """Undo the content coding: the signature is over what was sent. Raises FetchError."""
    body = Body(limit)
    decoder = decoder_for(coding, body)
    decoder.feed(raw)
    decoder.finish()
    return body.content()


def _one_line(text: str) -> str:
    words = " ".join(text.encode("utf-8", "replace").decode("utf-8", "replace").split())
    return "".join(char for char in words[:MAX_REASON_CHARS] if char.isprintable())
