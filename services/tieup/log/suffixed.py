"""A log on which some topics go by a suffixed name: a replay reads the live articles, writes beside the live topics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

from tieup.log.base import (
    Assignments,
    Log,
    Member,
    NewRecord,
    Reader,
    Record,
    TaskId,
    TaskLog,
    TopicPartition,
)
from tieup.log.topics import Topic

T = TypeVar("T")


class Names:
    """The outer name of each suffixed topic and back; other topics keep theirs."""

    def __init__(self, topics: Iterable[str], suffix: str) -> None:
        self._outer = {topic: f"{topic}.{suffix}" for topic in topics}
        self._inner = {outer: topic for topic, outer in self._outer.items()}

    def outer(self, topic: str) -> str:
        """The name on the log."""
        return self._outer.get(topic, topic)

    def outer_at(self, at: TopicPartition) -> TopicPartition:
        """The partition on the log."""
        return replace(at, topic=self.outer(at.topic))

    def inner_at(self, at: TopicPartition) -> TopicPartition:
        """The partition as workers know it."""
        return replace(at, topic=self._inner.get(at.topic, at.topic))

    def outer_records(self, records: Sequence[NewRecord]) -> list[NewRecord]:
        """The records under their names on the log."""
        return [replace(record, topic=self.outer(record.topic)) for record in records]

    def inner_record(self, record: Record) -> Record:
        """The record under the name that workers know."""
        return replace(record, topic=self._inner.get(record.topic, record.topic))

    def inner_keys(self, values: Mapping[TopicPartition, T]) -> dict[TopicPartition, T]:
        """A mapping by partition, under the names that workers know."""
        return {self.inner_at(at): value for at, value in values.items()}


class SuffixedLog:
    """Any log, with the given topics suffixed. Passes the same contract suite."""

    def __init__(self, log: Log, topics: Iterable[str], suffix: str) -> None:
        self._log = log
        self._names = Names(topics, suffix)

    async def create(self, topics: Sequence[Topic]) -> list[str]:
        """Create the missing topics under their names on the log; returns those."""
        return await self._log.create([replace(topic, name=self._names.outer(topic.name)) for topic in topics])

    async def check(self, topics: Sequence[Topic]) -> list[str]:
        """Return a line for each topic that is missing or differs."""
        return await self._log.check([replace(topic, name=self._names.outer(topic.name)) for topic in topics])

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        return await self._log.partitions(self._names.outer(topic))

    async def append(self, records: Sequence[NewRecord]) -> list[int]:
        """Append all records or none."""
        return await self._log.append(self._names.outer_records(records))

    async def first_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The first offset still held, per partition."""
        outer = [self._names.outer_at(at) for at in partitions]
        return self._names.inner_keys(await self._log.first_offsets(outer))

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset after the last committed record, per partition."""
        outer = [self._names.outer_at(at) for at in partitions]
        return self._names.inner_keys(await self._log.end_offsets(outer))

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """Open a reader at these positions."""
        outer = {self._names.outer_at(at): position for at, position in positions.items()}
        return _Reader(await self._log.reader(outer), self._names)

    async def open_task(self, task: TaskId) -> TaskLog:
        """Take a task over."""
        return _TaskLog(await self._log.open_task(task), self._names)

    async def join(self, group: str, topics: Sequence[str], assignments: Assignments) -> Member:
        """Join a group over co-partitioned topics."""
        return await self._log.join(group, [self._names.outer(topic) for topic in topics], assignments)

    async def clean(self, now: datetime) -> None:
        """Let retention and compaction run."""
        await self._log.clean(now)

    async def close(self) -> None:
        """Release everything."""
        await self._log.close()

    async def __aenter__(self) -> Self:
        await self._log.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._log.__aexit__(kind, error, trace)


class _Reader:
    def __init__(self, reader: Reader, names: Names) -> None:
        self._reader = reader
        self._names = names

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        return [self._names.inner_record(record) for record in await self._reader.poll(limit, wait_s)]

    def positions(self) -> Mapping[TopicPartition, int]:
        return self._names.inner_keys(self._reader.positions())

    async def close(self) -> None:
        await self._reader.close()


class _TaskLog:
    def __init__(self, hold: TaskLog, names: Names) -> None:
        self._hold = hold
        self._names = names

    async def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        outer = [self._names.outer_at(at) for at in partitions]
        return self._names.inner_keys(await self._hold.committed(outer))

    async def commit(self, records: Sequence[NewRecord], offsets: Mapping[TopicPartition, int]) -> None:
        outer = {self._names.outer_at(at): offset for at, offset in offsets.items()}
        await self._hold.commit(self._names.outer_records(records), outer)

    async def close(self) -> None:
        await self._hold.close()
