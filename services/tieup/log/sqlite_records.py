"""What the embedded log does to its tables: topics, records, positions and epochs, each inside a transaction of the
caller.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from tieup.errors import Fenced, InvalidOutput, TopicError
from tieup.log.base import Headers, NewRecord, Record, TaskId, TopicPartition, place
from tieup.log.sqlite_file import OFFSET_BITS
from tieup.log.topics import Topic, partitions_of

ROWS_AT_ONCE: Final = 100  # of 5 columns; SQLite takes 999 parameters at least

Row = tuple[int, int, bytes, bytes | None, bytes | None]

_OFFSET_MASK: Final = (1 << OFFSET_BITS) - 1
_encode_headers = msgspec.msgpack.Encoder().encode
_decode_headers = msgspec.msgpack.Decoder(Headers).decode


@dataclass(frozen=True, slots=True)
class Slot:
    """A partition's row: its records have the ids from `base + first` (still held) to `base + next`, exclusive."""

    id: int
    first: int
    next: int

    @property
    def base(self) -> int:
        """The record id of offset 0."""
        return self.id << OFFSET_BITS


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read found, and the positions after it."""

    records: list[Record]
    positions: dict[TopicPartition, int]


def create(connection: sqlite3.Connection, topics: Sequence[Topic], count: int) -> list[str]:
    """Create the missing topics, `count` partitions each unless single, and return their names."""
    made = []
    for topic in topics:
        row = connection.execute(
            "INSERT INTO topics (name, partitions, compact, retention_ms) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO NOTHING RETURNING id, partitions",
            (topic.name, partitions_of(topic, count), topic.compact, topic.retention_ms),
        ).fetchone()
        if row is not None:
            made.append(topic.name)
            slots = [(row[0], partition) for partition in range(row[1])]
            connection.executemany("INSERT INTO partitions (topic, partition) VALUES (?, ?)", slots)
    return made


def check(connection: sqlite3.Connection, topics: Sequence[Topic], count: int) -> list[str]:
    """Return one line for each topic that is missing or differs."""
    return [line for topic in topics if (line := _differences(connection, topic, count))]


def _differences(connection: sqlite3.Connection, topic: Topic, count: int) -> str:
    row = connection.execute(
        "SELECT partitions, compact, retention_ms FROM topics WHERE name = ?", (topic.name,)
    ).fetchone()
    if row is None:
        return f"{topic.name}: missing"
    wanted = {
        "partitions": partitions_of(topic, count),
        "compact": topic.compact,
        "retention_ms": topic.retention_ms,
    }
    found = {"partitions": row[0], "compact": bool(row[1]), "retention_ms": row[2]}
    parts = [f"{name} is {found[name]}, wanted {wanted[name]}" for name in wanted if found[name] != wanted[name]]
    return f"{topic.name}: {'; '.join(parts)}" if parts else ""


def partitions(connection: sqlite3.Connection, topic: str) -> int:
    """How many partitions the topic has. Raises TopicError."""
    row = connection.execute("SELECT partitions FROM topics WHERE name = ?", (topic,)).fetchone()
    if row is None:
        raise TopicError(f"{topic}: there is no such topic")
    return int(row[0])


def slot(connection: sqlite3.Connection, at: TopicPartition) -> Slot:
    """The row of a partition. Raises TopicError."""
    row = connection.execute(
        "SELECT p.id, p.first_offset, p.next_offset FROM partitions p JOIN topics t ON t.id = p.topic"
        " WHERE t.name = ? AND p.partition = ?",
        (at.topic, at.partition),
    ).fetchone()
    if row is None:
        count = partitions(connection, at.topic)
        raise TopicError(f"{at.topic}[{at.partition}]: there is no such partition, the topic has {count}")
    return Slot(*row)


def append(connection: sqlite3.Connection, records: Sequence[NewRecord]) -> list[int]:
    """Append the records and return their offsets. Raises TopicError, InvalidOutput."""
    counts = {topic: partitions(connection, topic) for topic in dict.fromkeys(r.topic for r in records)}
    begins: dict[tuple[str, int], Slot] = {}  # by tuples: a dataclass is hashed and compared by Python
    ends: dict[tuple[str, int], int] = {}
    rows: list[Row] = []
    offsets: list[int] = []
    for record in records:
        topic, number = at = record.topic, place(record, counts[record.topic])
        if at not in ends:
            begins[at] = slot(connection, TopicPartition(topic, number))
            ends[at] = begins[at].next
        offset = ends[at]
        rows.append((begins[at].base + offset, record.timestamp, record.key, _pack(record), record.value))
        offsets.append(offset)
        ends[at] = offset + 1
    _insert(connection, rows)
    connection.executemany(
        "UPDATE partitions SET next_offset = ? WHERE id = ?", [(end, begins[at].id) for at, end in ends.items()]
    )
    return offsets


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert many rows by one statement: sqlite3 gives the interpreter's lock away for each execution, and takes up to
    5 ms to have it back from a busy thread.
    """
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[begin : begin + ROWS_AT_ONCE]
        values = ", ".join(("(?, ?, ?, ?, ?)",) * len(some))
        connection.execute(
            f"INSERT INTO records (id, timestamp, key, headers, value) VALUES {values}",  # noqa: S608 - question marks
            [column for row in some for column in row],
        )


def _pack(record: NewRecord) -> bytes | None:
    try:
        return _encode_headers(record.headers) if record.headers else None
    except UnicodeEncodeError as error:
        raise InvalidOutput(f"{record.topic}: a header's name is not Unicode text: {error.reason}") from error


def read(connection: sqlite3.Connection, positions: Mapping[TopicPartition, int], limit: int, max_bytes: int) -> Batch:
    """Read up to `limit` records, or the record that reaches `max_bytes`, in the order of the partitions given.

    A position below the first offset is moved up to it; one that has seen all passes the holes before the end.
    """
    batch = Batch([], dict(positions))
    for at, position in positions.items():
        if len(batch.records) >= limit or max_bytes <= 0:
            break
        here = slot(connection, at)
        begin = max(position, here.first)
        if begin < here.next:
            max_bytes = _read_partition(connection, at, here, begin, limit, max_bytes, batch)
        else:
            batch.positions[at] = begin
    return batch


def _read_partition(
    connection: sqlite3.Connection,
    at: TopicPartition,
    here: Slot,
    begin: int,
    limit: int,
    max_bytes: int,
    batch: Batch,
) -> int:
    """Add a partition's records to the batch and return how many bytes are left."""
    rows = connection.execute(
        "SELECT id, timestamp, key, headers, value FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (here.base + begin, here.base + here.next, limit - len(batch.records)),
    )
    for identity, timestamp, key, headers, value in rows:
        offset = identity & _OFFSET_MASK
        names = _decode_headers(headers) if headers else ()
        batch.records.append(Record(at.topic, at.partition, offset, key, value, timestamp, names))
        batch.positions[at] = offset + 1
        max_bytes -= len(key) + len(value or b"") + len(headers or b"")
        if max_bytes <= 0:
            rows.close()
            return max_bytes
    if len(batch.records) < limit:
        batch.positions[at] = here.next
    return max_bytes


def open_task(connection: sqlite3.Connection, task: TaskId) -> int:
    """Raise the task's epoch and return it: a commit under an older one is fenced."""
    (epoch,) = connection.execute(
        "INSERT INTO tasks (transactional_id, epoch) VALUES (?, 1)"
        " ON CONFLICT (transactional_id) DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
        (task.transactional_id,),
    ).fetchone()
    return int(epoch)


def committed(
    connection: sqlite3.Connection, group: str, wanted: Sequence[TopicPartition]
) -> dict[TopicPartition, int | None]:
    """The group's position per partition, None where it has none. Raises TopicError."""
    found: dict[TopicPartition, int | None] = {}
    for at in wanted:
        row = connection.execute(
            "SELECT position FROM positions WHERE consumer_group = ? AND partition = ?",
            (group, slot(connection, at).id),
        ).fetchone()
        found[at] = None if row is None else int(row[0])
    return found


def commit(
    connection: sqlite3.Connection,
    task: TaskId,
    epoch: int,
    records: Sequence[NewRecord],
    offsets: Mapping[TopicPartition, int],
) -> None:
    """Append the records and set the group's positions. Raises Fenced, TopicError, InvalidOutput."""
    (newest,) = connection.execute(
        "SELECT epoch FROM tasks WHERE transactional_id = ?", (task.transactional_id,)
    ).fetchone()
    if newest != epoch:
        raise Fenced(f"{task.transactional_id}: another owner has taken the task over (epoch {newest}, ours {epoch})")
    append(connection, records)
    rows = [(task.group, slot(connection, at).id, position) for at, position in offsets.items()]
    connection.executemany(
        "INSERT INTO positions (consumer_group, partition, position) VALUES (?, ?, ?)"
        " ON CONFLICT (consumer_group, partition) DO UPDATE SET position = excluded.position",
        rows,
    )
