"""The embedded log: topics, groups and transactions as on Kafka, in one SQLite file, with nothing to set up.

WAL with `synchronous = FULL`: a commit that returned is on the disk. One process, the runner, owns the file through a
lock; any other may read meanwhile, or append in a short transaction. A log has two connections, each with a thread of
its own: one writes, one serves all readers.
"""

import asyncio
import contextlib
import functools
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tieup.errors import LogError, TopicError
from tieup.log import sqlite_clean, sqlite_records
from tieup.log.base import Assignments, NewRecord, Record, TaskId, TopicPartition
from tieup.log.sqlite_file import Connection, RunnerLock, data_version
from tieup.log.topics import Topic
from tieup.model.codec import to_millis

logger = logging.getLogger(__name__)

PARTITIONS: Final = 4
BUSY_TIMEOUT_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.05
BATCH_BYTES: Final = 8 * 1024 * 1024


class SqliteLog:
    """A log in one file. Open it with `open`; close it, or use it as a context manager."""

    def __init__(
        self,
        path: Path,
        connections: tuple[Connection, Connection],
        lock: RunnerLock | None,
        *,
        partitions: int,
        busy_timeout_s: float,
        poll_interval_s: float,
        batch_bytes: int,
    ) -> None:
        self._path = path
        self._writing, self._reading = connections
        self._lock = lock
        self._partitions = partitions
        self._busy_timeout_s = busy_timeout_s
        self._batch_bytes = batch_bytes
        self._arrivals = _Arrivals(self._reading, poll_interval_s)

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        exclusive: bool = False,
        partitions: int = PARTITIONS,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        poll_interval_s: float = POLL_INTERVAL_S,
        batch_bytes: int = BATCH_BYTES,
        max_bytes: int | None = None,
    ) -> Self:
        """Open the log, making the file if it is not there.

        `exclusive` takes the runner's lock. `partitions` is the count for topics created from now on that are not
        single; `busy_timeout_s` how long a write waits for another process's; `poll_interval_s` how often a waiting
        reader looks for other processes' appends (those of this process wake it at once); `batch_bytes` bounds what
        one poll reads; `max_bytes` bounds the file (None: the disk does).

        Raises LogBusy, naming the file and the holder's process, if another runner has it; LogCorrupt, LogFull,
        LogUnavailable, or LogError if another program or version wrote the file.
        """
        lock = RunnerLock(path) if exclusive else None
        try:
            connections = await _connect(path, busy_timeout_s, max_bytes)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return cls(
            path,
            connections,
            lock,
            partitions=partitions,
            busy_timeout_s=busy_timeout_s,
            poll_interval_s=poll_interval_s,
            batch_bytes=batch_bytes,
        )

    async def create(self, topics: Sequence[Topic]) -> list[str]:
        """Create the missing topics and return their names."""
        return await self._writing.write(lambda c: sqlite_records.create(c, topics, self._partitions))

    async def check(self, topics: Sequence[Topic]) -> list[str]:
        """Return one line for each topic that is missing or differs."""
        return await self._reading.read(lambda c: sqlite_records.check(c, topics, self._partitions))

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Raises TopicError."""
        return await self._reading.read(lambda c: sqlite_records.partitions(c, topic))

    async def append(self, records: Sequence[NewRecord]) -> list[int]:
        """Append all records or none and return their offsets.

        Raises TopicError, InvalidOutput, LogFull, LogUnavailable.
        """
        offsets = await self._writing.write(lambda c: sqlite_records.append(c, records))
        self._arrivals.announce(record.topic for record in records)
        return offsets

    async def first_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The first offset still held, per partition. Raises TopicError."""
        return await self._reading.read(lambda c: {at: sqlite_records.slot(c, at).first for at in partitions})

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset after the last record, per partition. Raises TopicError."""
        return await self._reading.read(lambda c: {at: sqlite_records.slot(c, at).next for at in partitions})

    async def reader(self, positions: Mapping[TopicPartition, int]) -> "SqliteReader":
        """Open a reader at these positions. Raises TopicError."""
        await self.end_offsets(list(positions))
        return SqliteReader(self._reading, self._arrivals, positions, self._batch_bytes)

    async def open_task(self, task: TaskId) -> "SqliteTaskLog":
        """Take a task over by raising its epoch: the former owner's next commit raises Fenced."""
        epoch = await self._writing.write(lambda c: sqlite_records.open_task(c, task))
        return SqliteTaskLog(self._writing, self._reading, self._arrivals, task, epoch)

    async def join(self, group: str, topics: Sequence[str], assignments: Assignments) -> "SqliteMember":
        """Join a group: the one runner of the file is given every partition at once.

        Raises LogError if the log was opened without the runner's lock, TopicError if the topics are missing or
        differ in partitions.
        """
        if self._lock is None:
            raise LogError(f"{self._path}: only the runner, which holds the file's lock, can join {group}")
        counts = {topic: await self.partitions(topic) for topic in topics}
        if len(set(counts.values())) != 1:
            raise TopicError(f"{group}: the topics differ in partitions or there are none: {counts}")
        member = SqliteMember(assignments, frozenset(range(counts[topics[0]])))
        await assignments.start(member.partitions)
        return member

    async def clean(self, now: datetime) -> None:
        """Compact and apply retention as of `now`.

        The search runs on a connection of its own, the removal in short transactions between the tasks' commits.
        Raises LogFull, LogUnavailable; what was removed until then stays removed.
        """
        millis, removed = to_millis(now), 0
        searching = await Connection.open(self._path, self._busy_timeout_s)
        try:
            for ground in await searching.read(sqlite_clean.grounds):
                find = functools.partial(sqlite_clean.plan, ground=ground, now_ms=millis)
                for step in await searching.read(find):
                    removed += await self._writing.write(step)
        finally:
            await searching.close()
        logger.info("%s: cleaned, %d records removed", self._path, removed)

    async def close(self) -> None:
        """Close the connections and let go of the lock. A second time does nothing."""
        await self._arrivals.close()
        await self._reading.close()
        await self._writing.close()
        if self._lock is not None:
            self._lock.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _connect(path: Path, busy_timeout_s: float, max_bytes: int | None) -> tuple[Connection, Connection]:
    writing = await Connection.open(path, busy_timeout_s, max_bytes)
    try:
        return writing, await Connection.open(path, busy_timeout_s)
    except BaseException:
        await writing.close()
        raise


class _Arrivals:
    """Wakes waiting readers of a topic: at once for this process's commits, within the poll interval for others'."""

    def __init__(self, reading: Connection, poll_interval_s: float) -> None:
        self._reading = reading
        self._poll_interval_s = poll_interval_s
        self._waiting: dict[asyncio.Event, frozenset[str]] = {}
        self._watching: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def expected(self, topics: frozenset[str]) -> Iterator[asyncio.Event]:
        """Give the event of the next arrival on these topics; one that comes during the reader's read counts."""
        arrival = asyncio.Event()
        self._waiting[arrival] = topics
        try:
            yield arrival
        finally:
            del self._waiting[arrival]

    def announce(self, topics: Iterable[str] | None = None) -> None:
        """Wake all that wait for these topics (None: for any)."""
        arrived = None if topics is None else frozenset(topics)
        for arrival, wanted in self._waiting.items():
            if arrived is None or not wanted.isdisjoint(arrived):
                arrival.set()

    async def wait(self, arrival: asyncio.Event, wait_s: float) -> bool:
        """Wait for the arrival, at most `wait_s` seconds; return whether it came."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="tieup-arrivals")
        try:
            async with asyncio.timeout(wait_s):
                await arrival.wait()
        except TimeoutError:
            return False
        else:
            return True

    async def close(self) -> None:
        """Stop watching and wake all that wait, so that they find the log closed."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        self.announce()

    async def _watch(self) -> None:
        seen = None
        while True:
            await asyncio.sleep(self._poll_interval_s)
            if self._waiting:
                version = await self._version()
                if version is None or version != seen:
                    self.announce()
                seen = version

    async def _version(self) -> int | None:
        try:
            return await self._reading.ask(data_version)
        except LogError as error:  # the readers, once awake, meet the same and raise it
            logger.debug("cannot watch for appends: %s", error)
            return None


class SqliteReader:
    """Reads partitions from given positions. Partitions take turns at being first."""

    def __init__(
        self, reading: Connection, arrivals: _Arrivals, positions: Mapping[TopicPartition, int], batch_bytes: int
    ) -> None:
        self._reading = reading
        self._arrivals = arrivals
        self._positions = dict(positions)
        self._topics = frozenset(at.topic for at in positions)
        self._batch_bytes = batch_bytes

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        """Return up to `limit` records, waiting at most `wait_s` for the first. Raises LogUnavailable, LogCorrupt."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + wait_s
        while True:
            with self._arrivals.expected(self._topics) as arrival:
                records = await self._read(limit)
                left = deadline - clock()
                if records or left <= 0 or not await self._arrivals.wait(arrival, left):
                    return records

    async def _read(self, limit: int) -> list[Record]:
        def work(connection: sqlite3.Connection) -> sqlite_records.Batch:
            return sqlite_records.read(connection, self._positions, limit, self._batch_bytes)

        batch = await self._reading.read(work)
        self._positions = batch.positions
        if batch.records:
            first = next(iter(self._positions))
            self._positions[first] = self._positions.pop(first)  # to the end of the queue
        return batch.records

    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset to read per partition."""
        return dict(self._positions)

    async def close(self) -> None:
        """Nothing to release: the log's connection serves all readers."""


class SqliteTaskLog:
    """One task's hold on the log, at the epoch that its opening gave it."""

    def __init__(self, writing: Connection, reading: Connection, arrivals: _Arrivals, task: TaskId, epoch: int) -> None:
        self._writing = writing
        self._reading = reading
        self._arrivals = arrivals
        self._task = task
        self._epoch = epoch
        self._ended = False

    async def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """The group's committed position per partition, None where there is none. Raises TopicError."""
        return await self._reading.read(lambda c: sqlite_records.committed(c, self._task.group, partitions))

    async def commit(self, records: Sequence[NewRecord], offsets: Mapping[TopicPartition, int]) -> None:
        """Append the records and commit the offsets in one transaction; any failure ends the hold.

        Raises Fenced, TopicError, InvalidOutput, LogFull, LogUnavailable, LogCorrupt; LogError after an end.
        """
        if self._ended:
            raise LogError(f"{self._task.transactional_id}: this hold on the task has ended; open the task anew")
        self._ended = True
        await self._writing.write(lambda c: sqlite_records.commit(c, self._task, self._epoch, records, offsets))
        self._ended = False
        self._arrivals.announce(record.topic for record in records)

    async def close(self) -> None:
        """End the hold. Between commits there is nothing open."""
        self._ended = True


class SqliteMember:
    """The membership of the one runner."""

    def __init__(self, assignments: Assignments, partitions: frozenset[int]) -> None:
        self._assignments = assignments
        self.partitions = partitions

    @property
    def failed(self) -> Exception | None:
        """Never: nothing can take a partition away from the runner."""
        return None

    async def leave(self) -> None:
        """Stop the tasks. A second time does nothing."""
        held, self.partitions = self.partitions, frozenset()
        if held:
            await self._assignments.stop(held)
