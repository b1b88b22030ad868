"""Transactions on Kafka: one producer, one transaction at a time, and every error ends the producer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

import aiokafka
import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaProducer
from aiokafka.protocol.transaction import EndTxnRequest

from tieup.errors import LogError, LogUnavailable
from tieup.log.base import NewRecord, TaskId, TopicPartition
from tieup.log.kafka_client import FOREIGN, Brokers, drop_producer, one_line, translate, within
from tieup.log.kafka_topics import Cluster, Placed


class Transactor:
    """A started transactional producer. After an error it must be dropped."""

    def __init__(self, brokers: Brokers, transactional_id: str, producer: AIOKafkaProducer) -> None:
        self._brokers = brokers
        self._id = transactional_id
        self._producer = producer
        self._work: asyncio.Task[list[int]] | None = None
        self._dropped = False

    @classmethod
    async def open(cls, brokers: Brokers, transactional_id: str) -> Self:
        """Start the producer: the former one of that id is fenced and its transaction ended, before this returns.

        That takes until the transaction's markers are written, so the offsets read afterwards are settled. Raises
        LogUnavailable, LogError.
        """
        producer = brokers.producer(transactional_id)
        end_once(producer)
        try:
            async with asyncio.timeout(brokers.bounds.transaction_s + brokers.bounds.request_s):
                await producer.start()
        except FOREIGN as error:
            await drop_producer(producer, brokers.bounds.stop_s)
            raise translate(error, f"{brokers.address}: {transactional_id}") from error
        except BaseException:
            await drop_producer(producer, brokers.bounds.stop_s)
            raise
        return cls(brokers, transactional_id, producer)

    async def run(self, placed: Sequence[Placed], group: str, offsets: Mapping[TopicPartition, int]) -> list[int]:
        """Append and commit in one transaction; return the records' offsets.

        Every send is awaited before the commit: aiokafka commits happily over a send that failed. Raises Fenced,
        InvalidOutput, LogFull, LogUnavailable, LogError; nothing is visible then, unless the answer to the commit
        itself was lost.
        """
        if self._dropped:
            raise LogUnavailable(f"{self._id}: dropped before the commit")
        self._work = asyncio.create_task(self._transaction(placed, group, offsets))
        try:
            await asyncio.wait({self._work})
            return self._work.result()
        except FOREIGN as error:
            raise translate(error, f"{self._brokers.address}: {self._id}", fencing=True) from error
        except asyncio.CancelledError:
            if self._work.cancelled():
                raise LogUnavailable(f"{self._id}: dropped in the middle of a commit") from None
            self._work.cancel()
            raise

    async def _transaction(
        self, placed: Sequence[Placed], group: str, offsets: Mapping[TopicPartition, int]
    ) -> list[int]:
        async with asyncio.timeout(self._brokers.bounds.commit_s):
            await self._producer.begin_transaction()
            found = await asyncio.gather(*[await self._send(one) for one in placed])
            if offsets:
                named = {aiokafka.TopicPartition(at.topic, at.partition): offset for at, offset in offsets.items()}
                await self._producer.send_offsets_to_transaction(named, group)
            await self._producer.commit_transaction()
        return [metadata.offset for metadata in found]

    async def _send(self, placed: Placed) -> "asyncio.Future[aiokafka.structs.RecordMetadata]":
        record = placed.record
        future: asyncio.Future[aiokafka.structs.RecordMetadata] = await self._producer.send(
            record.topic,
            value=record.value,
            key=record.key,
            partition=placed.partition,
            timestamp_ms=record.timestamp,
            headers=list(record.headers),
        )
        future.add_done_callback(_looked_at)
        return future

    async def abort(self) -> None:
        """Abort what is open, if the brokers answer soon; else they do so by themselves."""
        await within(self._producer.abort_transaction(), self._brokers.bounds.stop_s)

    async def drop(self) -> None:
        """End the producer unflushed, and with it a transaction under way. Never raises."""
        self._dropped = True
        if self._work is not None:
            self._work.cancel()
        await drop_producer(self._producer, self._brokers.bounds.stop_s)


def _looked_at(sent: "asyncio.Future[aiokafka.structs.RecordMetadata]") -> None:
    """Take note of an error, so that asyncio does not log it as forgotten.

    Of a commit the first error is told. Sends that fail after it, or while another is still handed over, have nobody
    who waits for them.
    """
    if not sent.cancelled():
        sent.exception()


class Unanswered(Exception):
    """The end of a transaction was sent and its answer never came."""


def end_once(producer: AIOKafkaProducer) -> None:
    """Keep the producer from sending the end of a transaction a second time.

    aiokafka repeats an EndTxn whose connection broke. The first may still be on its way: it would then end the next
    transaction in the middle, as both carry the same epoch (the torn transactions that Jepsen found in the protocol).
    A producer that does not know how its transaction ended is past use; what it left is settled when the task is
    opened anew. No KafkaError is raised, for those are what aiokafka tries again.
    """
    send = producer.client.send

    async def guarded(node_id: int, request: object, **more: object) -> object:
        try:
            return await send(node_id, request, **more)
        except kafka_errors.NodeNotReadyError:  # it was not sent
            raise
        except kafka_errors.KafkaError as error:
            if isinstance(request, EndTxnRequest):
                raise Unanswered(f"the end of a transaction has no answer: {one_line(error)}") from error
            raise

    producer.client.send = guarded


class KafkaTaskLog:
    """One task's hold: its producer, and the offsets of its group."""

    def __init__(self, cluster: Cluster, transactor: Transactor, task: TaskId) -> None:
        self._cluster = cluster
        self._transactor = transactor
        self._task = task
        self._ended = False
        self.closed = False
        self._own: dict[TopicPartition, int] = {}

    async def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """The group's committed position per partition. Raises LogUnavailable, TopicError.

        What this hold committed is known without asking: the broker may still tell the position before, for a commit
        is answered before its markers are written.
        """
        asked = [at for at in partitions if at not in self._own]
        told = await self._cluster.committed(self._task.group, asked) if asked else {}
        return {at: self._own[at] if at in self._own else told[at] for at in partitions}

    async def commit(self, records: Sequence[NewRecord], offsets: Mapping[TopicPartition, int]) -> None:
        """Append the records and commit the offsets in one transaction; any failure ends the hold.

        Raises Fenced, TopicError, InvalidOutput, LogFull, LogUnavailable; LogError after an end.
        """
        if self._ended:
            raise LogError(f"{self._task.transactional_id}: this hold on the task has ended; open the task anew")
        self._ended = True
        try:
            placed = await self._cluster.placed(records)
            await self._transactor.run(placed, self._task.group, offsets)
        except BaseException:
            await self._transactor.drop()
            raise
        self._ended = False
        self._own.update(offsets)

    async def close(self) -> None:
        """Let go. Never raises, never commits."""
        if self.closed:
            return
        self.closed = True
        self._ended = True
        await self._transactor.drop()


class Appender:
    """Appends from outside any task, all or none: one producer with an id of its own, opened when first needed."""

    def __init__(self, brokers: Brokers, cluster: Cluster, transactional_id: str) -> None:
        self._brokers = brokers
        self._cluster = cluster
        self._id = transactional_id
        self._lock = asyncio.Lock()
        self._transactor: Transactor | None = None

    async def append(self, records: Sequence[NewRecord]) -> list[int]:
        """Append in one transaction and return the offsets."""
        placed = await self._cluster.placed(records)
        if not placed:
            return []
        async with self._lock:
            if self._transactor is None:
                self._transactor = await Transactor.open(self._brokers, self._id)
            try:
                return await self._transactor.run(placed, "", {})
            except BaseException:
                # nobody may ever open this id again, so the open transaction would hold readers back
                await self._transactor.abort()
                await self.close()
                raise

    async def close(self) -> None:
        """Drop the producer."""
        transactor, self._transactor = self._transactor, None
        if transactor is not None:
            await transactor.drop()
