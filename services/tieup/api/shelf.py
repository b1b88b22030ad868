"""Follows the log for subscribers: what is laid ready for feeds and streams, the subscriptions, events' headlines.

deliveries, subscriptions, events ─▶ Shelf ─▶ ReadModel
                                       └────▶ who waits for an endpoint's next message
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tieup.api.read_model import MAX_HEADLINES, Laid, ReadModel
from tieup.errors import BadRecord, LogUnavailable
from tieup.log.base import Clock, Log, Record, TopicPartition, partition_for
from tieup.log.last_read import LastRead
from tieup.log.topics import DELIVERIES, EVENTS, SUBSCRIPTIONS
from tieup.model.codec import decode
from tieup.model.delivery import Delivery
from tieup.model.subscription import PULLED, Endpoint, Subscription

BATCH: Final = 500
WAIT_S: Final = 1.0
AGAIN_S: Final = 5.0

# As it stands in a record of ours and, since quotes are escaped there, in no text within one.
_PULLED: Final = tuple(f'"channel":"{one.value}"'.encode() for one in PULLED)

_log: Final = logging.getLogger("tieup.api")


class _Headline(msgspec.Struct):
    en: str


class _Event(msgspec.Struct):
    headline: _Headline


class Shelf:
    """One process's view; on Kafka each process that serves has its own."""

    def __init__(self, log: Log, model: ReadModel, clock: Clock) -> None:
        self._log = log
        self._model = model
        self._last_read = LastRead(clock)
        self._subscriptions: dict[str, Subscription] = {}
        self._users: dict[str, set[str]] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self._first_offsets: dict[int, int] = {}
        self._begun = self._ready = False

    def is_ready(self) -> bool:
        """Whether all that was on the log at the start was read; after too long a pause it is built anew first."""
        return self._ready

    def subscription(self, subscription_id: str) -> Subscription | None:
        """Return a subscription that is wanted."""
        return self._subscriptions.get(subscription_id)

    def users(self, endpoint_id: str) -> list[Subscription]:
        """Return the subscriptions that tell an endpoint, by id."""
        return [self._subscriptions[one] for one in sorted(self._users.get(endpoint_id, ()))]

    def partition(self, endpoint: Endpoint) -> int:
        """Return the partition that an endpoint's messages are placed in, once `ready`."""
        return partition_for(endpoint.id.encode(), len(self._first_offsets))

    def end(self, endpoint: Endpoint) -> int:
        """Return up to which offset of an endpoint's partition everything was read."""
        return self._positions[TopicPartition(DELIVERIES, self.partition(endpoint))]

    async def end_of_log(self, endpoint: Endpoint) -> int:
        """Return where the log ends an endpoint's partition now, read or not. Raises LogError."""
        place = TopicPartition(DELIVERIES, self.partition(endpoint))
        return (await self._log.end_offsets([place]))[place]

    async def newest(self, endpoint_id: str, limit: int) -> list[Laid]:
        """Return an endpoint's newest messages, the newest first."""
        return await self._model.newest(endpoint_id, limit)

    async def from_offset(self, endpoint_id: str, offset: int, limit: int) -> list[Laid]:
        """Return an endpoint's messages from an offset on, in their order."""
        return await self._model.from_offset(endpoint_id, offset, limit)

    async def kept_from(self, endpoint: Endpoint) -> int:
        """Return the offset from which nothing is missing: what is before may be kept no more."""
        floor = await self._model.floor(endpoint.id)
        return max(floor + 1, self._first_offsets[self.partition(endpoint)])

    async def headline(self, event_id: str) -> str | None:
        """Return an event's headline, if it is known."""
        return await self._model.headline(event_id)

    def news(self, endpoint_id: str) -> asyncio.Event:
        """Return what is set when an endpoint's next message is laid ready; take it before looking for messages."""
        return self._waiting.setdefault(endpoint_id, asyncio.Event())

    def wake(self) -> None:
        """Wake all who wait."""
        for event in self._waiting.values():
            event.set()
        self._waiting.clear()

    async def follow(self) -> None:
        """Read until cancelled; a log that is away is tried again from where it was, or anew after too long a pause."""
        while True:
            try:
                await self._read()
            except Exception as error:  # noqa: BLE001 - whatever it is, feeds must not stand still for good, unseen
                _log.warning("feeds and streams stand still: %s", error)
            await asyncio.sleep(AGAIN_S)

    async def _read(self) -> None:
        places = [
            TopicPartition(topic, number)
            for topic in (SUBSCRIPTIONS, EVENTS, DELIVERIES)
            for number in range(await self._log.partitions(topic))
        ]
        first, ends = await self._log.first_offsets(places), await self._log.end_offsets(places)
        if not self._begun:
            await self._model.clear()
            self._first_offsets = {at.partition: offset for at, offset in first.items() if at.topic == DELIVERIES}
            self._positions = dict(first)
            self._positions |= {at: max(first[at], ends[at] - MAX_HEADLINES) for at in places if at.topic == EVENTS}
            self._begun = True
        reader = await self._log.reader(self._positions)
        try:
            while True:
                records = await reader.poll(BATCH, WAIT_S)
                self._have_read()
                await self._take(records)
                self._positions = dict(reader.positions())
                self._ready = self._ready or all(self._positions[at] >= end for at, end in ends.items())
        finally:
            await reader.close()

    def _have_read(self) -> None:
        """Note that the log was read just now. Raises LogUnavailable after too long without; all is read anew then."""
        try:
            self._last_read.note("feeds and streams")
        except LogUnavailable:
            self._begun = self._ready = False
            self._subscriptions.clear()
            self._users.clear()
            self.wake()  # streams end: nobody knows whether they are still wanted
            raise

    async def _take(self, records: list[Record]) -> None:
        for record in records:
            if record.topic == SUBSCRIPTIONS:
                self._subscribe(record)
        laid = list(_laid(records))
        headlines = list(_headlines(records))
        if laid or headlines:
            await self._model.lay(laid, headlines)
        for endpoint_id in {one.endpoint_id for one in laid}:
            if (event := self._waiting.pop(endpoint_id, None)) is not None:
                event.set()

    def _subscribe(self, record: Record) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        former = self._subscriptions.pop(key, None)
        for endpoint in () if former is None else former.endpoints:
            self._users[endpoint.id].discard(key)
            if not self._users[endpoint.id]:
                del self._users[endpoint.id]
        if record.value is None:
            return
        try:
            subscription = decode(Subscription, record.value, record.place)
        except BadRecord as error:
            _log.warning("%s", error)
            return
        self._subscriptions[key] = subscription
        for endpoint in subscription.endpoints:
            self._users.setdefault(endpoint.id, set()).add(key)


def _laid(records: Iterable[Record]) -> Iterator[Laid]:
    for record in records:
        value = record.value
        if record.topic != DELIVERIES or value is None or not any(mark in value for mark in _PULLED):
            continue
        try:
            one = decode(Delivery, value, record.place)
        except BadRecord as error:
            _log.warning("%s", error)
            continue
        yield Laid(one.endpoint_id, record.offset, record.timestamp, one.event_id, one.body.encode())


def _headlines(records: Iterable[Record]) -> Iterator[tuple[str, str]]:
    for record in records:
        if record.topic == EVENTS and record.value is not None:
            ids = [value for name, value in record.headers if name == "ce_id"]
            try:
                yield ids[0].decode(), msgspec.json.decode(record.value, type=_Event).headline.en
            except (msgspec.MsgspecError, UnicodeDecodeError, IndexError) as error:
                _log.warning("%s: no headline: %s", record.place, error)
