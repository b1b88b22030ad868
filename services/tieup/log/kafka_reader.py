"""Reading partitions of Kafka from given positions, outside any group, committed records only."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

import aiokafka
import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from tieup.errors import LogError, LogUnavailable
from tieup.log.base import Record, TopicPartition
from tieup.log.kafka_client import FOREIGN, Brokers, millis, stop_consumer, translate

logger = logging.getLogger(__name__)

SLICE_S: Final = 0.1
"""How often a waiting poll looks whether a position has passed a marker, of which aiokafka does not tell."""


class KafkaReader:
    """One consumer with partitions of its own choice."""

    def __init__(self, brokers: Brokers, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
        self._brokers = brokers
        self._consumer = consumer
        self._positions = dict(positions)
        self._named = {at: aiokafka.TopicPartition(at.topic, at.partition) for at in positions}
        self.closed = False
        self._heard: tuple[int | None, ...] = ()
        self._heard_at = asyncio.get_running_loop().time()

    @classmethod
    async def open(cls, brokers: Brokers, positions: Mapping[TopicPartition, int]) -> "KafkaReader":
        """Start reading. Raises LogUnavailable."""
        consumer = brokers.consumer()
        reader = cls(brokers, consumer, positions)
        try:
            async with asyncio.timeout(brokers.bounds.connect_s):
                await consumer.start()
        except FOREIGN as error:
            await reader.close()
            raise translate(error, f"{brokers.address}: cannot be read") from error
        except BaseException:
            await reader.close()
            raise
        return reader

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        """Return up to `limit` records, waiting at most `wait_s` seconds for the first or for a position to move.

        Raises LogUnavailable, also when no broker was heard of for longer than the bound; LogError if a position lies
        beyond the end of its partition, as when the topic was made anew.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + wait_s
        self._begin()
        while self._positions:
            before = dict(self._positions)
            records = await self._get(limit, min(SLICE_S, max(0.0, deadline - clock())))
            if records or self._positions != before:
                return records
            self._listen(clock())
            if clock() >= deadline:
                return []
        await asyncio.sleep(wait_s)
        return []

    def _begin(self) -> None:
        """Nothing is fetched before the first poll, so that what retention removes until then is not read."""
        if not self._consumer.assignment():
            self._consumer.assign(list(self._named.values()))
            for at, position in self._positions.items():
                self._consumer.seek(self._named[at], position)

    async def _get(self, limit: int, wait_s: float) -> list[Record]:
        try:
            found = await self._consumer.getmany(timeout_ms=millis(wait_s), max_records=limit)
            self._positions = {at: await self._consumer.position(named) for at, named in self._named.items()}
        except kafka_errors.OffsetOutOfRangeError as error:
            await self._move_up(error.args[0])
            return []
        except FOREIGN as error:
            raise translate(error, f"{self._brokers.address}: cannot be read") from error
        return [_record(one) for records in found.values() for one in records]

    async def _move_up(self, refused: Iterable[aiokafka.TopicPartition]) -> None:
        try:
            first = await self._consumer.beginning_offsets(list(refused))
            for named, offset in first.items():
                at = TopicPartition(named.topic, named.partition)
                position = await self._consumer.position(named)
                if position < offset:
                    logger.error("%s[%d]: records %d to %d are gone unread", *named, position, offset - 1)
                    self._consumer.seek(named, offset)
                    self._positions[at] = offset
                elif position == self._positions[at] > (await self._consumer.end_offsets([named]))[named]:
                    raise LogError(f"{at.topic}[{at.partition}]: position {position} is beyond the end")
        except FOREIGN as error:
            raise translate(error, f"{self._brokers.address}: cannot be read") from error

    def _listen(self, now: float) -> None:
        heard = tuple(self._consumer.last_poll_timestamp(named) for named in self._named.values())
        if heard != self._heard:
            self._heard, self._heard_at = heard, now
        elif now - self._heard_at > self._brokers.bounds.silence_s:
            raise LogUnavailable(f"{self._brokers.address}: no word for {now - self._heard_at:.0f} s")

    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset to read per partition; it passes compacted holes and transaction markers."""
        return dict(self._positions)

    async def close(self) -> None:
        """Close the connection, within the bound of a stop. A second time does nothing."""
        if self.closed:
            return
        self.closed = True
        await stop_consumer(self._consumer, self._brokers.bounds.stop_s)


def _record(one: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(one.topic, one.partition, one.offset, one.key, one.value, one.timestamp, tuple(one.headers))
