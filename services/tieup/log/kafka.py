"""The log on Apache Kafka: the same contract as the embedded log, for many processes and machines.

aiokafka sends a transaction's offsets without the group's generation, so a member that has lost its partition could
still commit. What fences is the producer, as in the first exactly-once of Kafka Streams: one per task, with the task's
transactional id; opening it ends whatever the former owner had open and turns its next commit into Fenced. The group
only says who should open which task; it never decides what counts.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from tieup.errors import TopicError
from tieup.log.base import Assignments, NewRecord, TaskId, TopicPartition
from tieup.log.kafka_client import Brokers, KafkaBounds, KafkaSecurity, servers_of
from tieup.log.kafka_member import KafkaMember
from tieup.log.kafka_reader import KafkaReader
from tieup.log.kafka_topics import Cluster
from tieup.log.kafka_transactions import Appender, KafkaTaskLog, Transactor
from tieup.log.topics import Topic

PARTITIONS: Final = 4

__all__ = ["KafkaBounds", "KafkaLog", "KafkaSecurity"]


class KafkaLog:
    """A log on a Kafka cluster. Open it with `open`; close it, or use it as a context manager."""

    def __init__(self, brokers: Brokers, cluster: Cluster, partitions: int, replicas: int | None) -> None:
        self._brokers = brokers
        self._cluster = cluster
        self._partitions = partitions
        self._replicas = replicas
        self._appender = Appender(brokers, cluster, f"tieup-append-{uuid.uuid4().hex}")
        self._members: list[KafkaMember] = []
        self._readers: list[KafkaReader] = []
        self._holds: list[KafkaTaskLog] = []
        self._closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        security: KafkaSecurity | None = None,
        partitions: int = PARTITIONS,
        replicas: int | None = None,
        bounds: KafkaBounds | None = None,
    ) -> Self:
        """Reach the cluster at `kafka://host:port,host:port`.

        `partitions` is the count for topics created from now on that are not single, `replicas` their replication
        factor (None: three, or as many as there are brokers). With three or more, `min.insync.replicas` is two.

        Raises SettingsError for a wrong address or security, LogUnavailable, naming the address, if no broker answers,
        LogError if they refuse.
        """
        brokers = Brokers(servers_of(url), security or KafkaSecurity(), bounds or KafkaBounds())
        return cls(brokers, await Cluster.connect(brokers), partitions, replicas)

    async def create(self, topics: Sequence[Topic]) -> list[str]:
        """Create the missing topics and return their names. Raises TopicError, LogUnavailable."""
        return await self._cluster.create(topics, self._partitions, self._replicas)

    async def check(self, topics: Sequence[Topic]) -> list[str]:
        """Return one line for each topic that is missing or differs. Raises LogUnavailable."""
        return await self._cluster.check(topics, self._partitions)

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Raises TopicError, LogUnavailable."""
        return await self._cluster.partitions(topic)

    async def append(self, records: Sequence[NewRecord]) -> list[int]:
        """Append all records or none, in one transaction, and return their offsets.

        Appends of one log follow each other. Raises TopicError, InvalidOutput, LogUnavailable.
        """
        return await self._appender.append(records)

    async def first_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The first offset still held, per partition. Raises TopicError, LogUnavailable."""
        return await self._cluster.first_offsets(partitions)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The last stable offset, per partition. Raises TopicError, LogUnavailable."""
        return await self._cluster.end_offsets(partitions)

    async def reader(self, positions: Mapping[TopicPartition, int]) -> KafkaReader:
        """Open a reader at these positions, with a connection of its own. Raises TopicError, LogUnavailable."""
        await self._cluster.require(list(positions))
        reader = await KafkaReader.open(self._brokers, positions)
        self._readers = [*(one for one in self._readers if not one.closed), reader]
        return reader

    async def open_task(self, task: TaskId) -> KafkaTaskLog:
        """Take a task over: returns when the former owner is fenced and its last transaction settled.

        Raises LogUnavailable, LogError.
        """
        transactor = await Transactor.open(self._brokers, task.transactional_id)
        try:
            await self._cluster.look_anew()
        except BaseException:
            await transactor.drop()
            raise
        hold = KafkaTaskLog(self._cluster, transactor, task)
        self._holds = [*(one for one in self._holds if not one.closed), hold]
        return hold

    async def join(self, group: str, topics: Sequence[str], assignments: Assignments) -> KafkaMember:
        """Join a group over co-partitioned topics. Raises TopicError if they are missing or differ in partitions,
        LogUnavailable, LogError.
        """
        counts = {topic: await self.partitions(topic) for topic in topics}
        if len(set(counts.values())) != 1:
            raise TopicError(f"{group}: the topics differ in partitions or there are none: {counts}")
        member = KafkaMember(self._brokers, group, topics, assignments)
        await member.join()
        self._members = [*(one for one in self._members if not one.closed), member]
        return member

    async def clean(self, now: datetime) -> None:
        """Do nothing: the brokers run retention and compaction."""

    async def close(self) -> None:
        """Leave the groups, drop what is open, close the connections; bounded even with all brokers away."""
        if self._closed:
            return
        self._closed = True
        await asyncio.gather(*(member.leave() for member in self._members))
        await asyncio.gather(
            *(reader.close() for reader in self._readers),
            *(hold.close() for hold in self._holds),
            self._appender.close(),
            self._cluster.close(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
