"""The worker contract and the log contract: what a worker is, and what a log must be able to do to run one.

A worker decides; it never touches the outside world. For every input record the runner calls `process`, checks the
output, hands each change to
`apply`, and commits records, changes and input offsets in one transaction. What a worker wants done outside (a
request, a delivery) it returns from
`wake` as acts; a shell performs them and the outcome comes back as a record, so that what a response means is decided
in the core as well.

    streams ─┐                       ┌─▶ records ─┐
    outcomes ┼─▶ process(record) ────┼─▶ changes ─┼─▶ one transaction with the input offsets
    time ────┴─▶ wake(now) ──────────┴─▶ acts ────┴─▶ shell ─▶ outcome
    tables, own state ─▶ apply(change)
"""

import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from tieup.log.topics import Topic

Headers = tuple[tuple[str, bytes], ...]

OUTCOME_OFFSET = -1


@dataclass(frozen=True, slots=True, order=True)
class TopicPartition:
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read.

    `timestamp` is milliseconds since 1970 UTC. An outcome of an act has offset -1 and its worker's name as topic.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers = ()

    @property
    def place(self) -> str:
        """Where the record stands, for messages."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append. Its partition is murmur2 of `place_by` (None: of the key), as Java clients place keys,
    unless `partition` names it.

    `value` None is a tombstone. `timestamp` comes from the input (promise 2), in milliseconds since 1970 UTC.
    """

    topic: str
    key: bytes
    value: bytes | None
    timestamp: int
    headers: Headers = ()
    place_by: bytes | None = None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a worker's state: the new value of a key of a state table (None: removed).

    Written to the task's own partition of that topic. `state` is the record that `value` holds, if whoever made the
    change has it at hand: `apply` need not read it again. A change that was restored has none.
    """

    topic: str
    key: bytes
    value: bytes | None
    state: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do outside.

    `id` is the same when the same act is wanted again, so that one in flight is not started twice.
    """

    id: str
    payload: object


@dataclass(frozen=True, slots=True)
class Output:
    """What a worker decided: records to append, changes of its state, acts for its shell."""

    records: tuple[NewRecord, ...] = ()
    changes: tuple[Change, ...] = ()
    acts: tuple[Act, ...] = ()


NOTHING = Output()


class Worker(Protocol):
    """A worker's task over one partition. Pure but for its own memory; called from one thread at a time."""

    def process(self, record: Record) -> Output:
        """Decide on one record of a stream, or on the outcome of an act.

        Mutates nothing. Raises BadInput for a record that cannot be used.
        """

    def apply(self, change: Change) -> None:
        """Take a change into memory: the only way state changes, live and on restore. Raises only StateVersionError."""

    def wake(self, now: datetime) -> Output:
        """Decide what is due.

        Mutates nothing: the same acts are returned until a change says otherwise. Workers without due work return
        NOTHING.
        """


class Shell(Protocol):
    """Performs acts in the outside world."""

    async def perform(self, act: Act) -> bytes:
        """Perform the act and return its outcome as the value of a record.

        Failures of the outside world are outcomes, not exceptions.
        """

    async def close(self) -> None:
        """Release connections and processes."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """A worker as the runner needs it.

    `streams` are read with committed offsets; `tables` are co-partitioned and followed; `global_tables` are followed
    in all partitions by every task; `out` are the topics it appends to, `state` its own changelogs. `build` makes the
    empty worker of one task. `concurrency` bounds the acts in flight per task.
    """

    name: str
    build: Callable[[int], Worker]
    streams: tuple[str, ...]
    out: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    global_tables: tuple[str, ...] = ()
    shell: Shell | None = None
    concurrency: int = 16
    wakes: bool = False


@dataclass(frozen=True, slots=True)
class TaskId:
    """One task: partition `partition` of the co-partitioned inputs of a worker.

    `group` is the consumer group, `<app>-<worker>`.
    """

    group: str
    worker: str
    partition: int

    @property
    def transactional_id(self) -> str:
        """`<app>-<worker>-<partition>`: one producer per task, whose opening fences the former owner (EOS v1)."""
        return f"{self.group}-{self.partition}"


class Reader(Protocol):
    """Reads partitions from given positions, committed records only, in order within a partition."""

    async def poll(self, limit: int, wait_s: float) -> list[Record]:
        """Return up to `limit` records, waiting at most `wait_s` for the first.

        Raises LogUnavailable; a position below the first offset is moved up to it.
        """

    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset to read per partition; it passes compacted holes and transaction markers."""

    async def close(self) -> None:
        """Release the connection."""


class TaskLog(Protocol):
    """One task's hold on the log. Opening it fences the former owner; any failure of `commit` ends it."""

    async def committed(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """The committed position (next offset to process) per input partition, None where there is none."""

    async def commit(self, records: Sequence[NewRecord], offsets: Mapping[TopicPartition, int]) -> None:
        """Append the records and commit the offsets (next offset to process) in one transaction.

        Raises Fenced if another owner opened the task, LogFull, LogUnavailable. After any error nothing of it is
        visible or all of it is, and the
        task must be rebuilt from the log.
        """

    async def close(self) -> None:
        """Let go. Never raises, never commits."""


class Assignments(Protocol):
    """What a member of a group is told: start and stop tasks, nothing else."""

    async def start(self, partitions: frozenset[int]) -> None:
        """These partitions are now this member's; none at all means that it stands by. Must not raise."""

    async def stop(self, partitions: frozenset[int]) -> None:
        """These partitions are no longer this member's; returns when their tasks have ended. Must not raise."""


class Member(Protocol):
    """A membership in a group."""

    async def leave(self) -> None:
        """Stop the tasks and leave the group."""

    @property
    def failed(self) -> Exception | None:
        """Why the membership ended by itself, if it did."""


class Log(Protocol):
    """A partitioned, append-only log with groups and transactions.

    Both implementations pass the same contract suite.
    """

    async def create(self, topics: Sequence[Topic]) -> list[str]:
        """Create the missing topics and return their names. Existing topics are left as they are."""

    async def check(self, topics: Sequence[Topic]) -> list[str]:
        """Return one line for each topic that is missing or differs in partitions, cleanup or retention."""

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Raises TopicError if there is none such."""

    async def append(self, records: Sequence[NewRecord]) -> list[int]:
        """Append all records or none, outside any task, and return their offsets."""

    async def first_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The first offset still held, per partition."""

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset after the last committed record, per partition (Kafka: the last stable offset)."""

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """Open a reader at these positions."""

    async def open_task(self, task: TaskId) -> TaskLog:
        """Take a task over: the former owner's open transaction is aborted and its next commit raises Fenced."""

    async def join(self, group: str, topics: Sequence[str], assignments: Assignments) -> Member:
        """Join a group over co-partitioned topics: partition p of every topic goes to the same member."""

    async def clean(self, now: datetime) -> None:
        """Let retention and compaction run, where nobody else does it (on Kafka the brokers do)."""

    async def close(self) -> None:
        """Release everything. Members leave first."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Validator(Protocol):
    """Checks a record against its topic's schema and bound."""

    def check(self, topic: str, value: bytes | None) -> None:
        """Return if the value may stand on the topic. Raises InvalidOutput, naming the topic and the field."""


Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TaskHealth:
    """How a task fares: `phase` is restoring, running or ended.

    `lag` is the records still to read; `progressed_at` when it last got on, by the wall clock, for people to read.
    `idle_s`, by a clock that does not jump, is how long it has not got on although there was something to do.
    """

    task: TaskId
    phase: str
    lag: int
    progressed_at: datetime
    error: str | None = None
    details: Mapping[str, int] = field(default_factory=dict)
    idle_s: float = 0.0


_MURMUR_SEED = 0x9747B28C
_MURMUR_M = 0x5BD1E995
_MASK = 0xFFFFFFFF
_WORD = struct.Struct("<I")


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bits, as `org.apache.kafka.common.utils.Utils.murmur2` computes it."""
    length = len(data)
    h = (_MURMUR_SEED ^ length) & _MASK
    whole = length - length % 4
    for (word,) in _WORD.iter_unpack(data[:whole]):
        k = word * _MURMUR_M & _MASK
        h = (h * _MURMUR_M ^ (k ^ k >> 24) * _MURMUR_M) & _MASK
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _MURMUR_M & _MASK
    h ^= h >> 13
    h = h * _MURMUR_M & _MASK
    return h ^ (h >> 15)


def partition_for(key: bytes, partitions: int) -> int:
    """The partition that Java's default partitioner gives a key: positive murmur2 modulo the count."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def place(record: NewRecord, partitions: int) -> int:
    """The partition that a new record goes to."""
    if record.partition is not None:
        return record.partition
    return partition_for(record.key if record.place_by is None else record.place_by, partitions)
