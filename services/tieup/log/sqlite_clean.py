"""Retention and compaction of the embedded log, by Kafka's rules.

- Retention removes a partition's oldest records as long as each is older than the topic's bound, and raises the first
  offset. A younger record keeps everything after it, as a segment does.
- Compaction keeps each key's newest record. A tombstone stays for a day after the pass that first found it the newest
  of its key (KIP-534's delete horizon), so that a reader that has seen the value sees its end as well. Offsets never
  change: holes appear.

What to remove is found on a connection of its own; removing takes the write lock for a bounded number of rows at a
time, the oldest first, so that a pass cut short never brings an old value back.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tieup.log.sqlite_file import OFFSET_BITS
from tieup.log.topics import TOMBSTONE_MS

CHUNK: Final = 500
"""How many records are removed while the write lock is held."""

Step = Callable[[sqlite3.Connection], int]
"""One short transaction on the writing connection; returns how many records it removed."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A partition to be cleaned, as its row was when the pass began."""

    id: int
    first: int
    next: int
    compacted_to: int
    compact: bool
    retention_ms: int | None

    @property
    def base(self) -> int:
        """The id of offset 0."""
        return self.id << OFFSET_BITS

    @property
    def low(self) -> int:
        """The id of its first record."""
        return self.base + self.first

    @property
    def high(self) -> int:
        """The id after its last record."""
        return self.base + self.next


def grounds(connection: sqlite3.Connection) -> list[Ground]:
    """Every partition of a topic that is compacted or has a retention."""
    rows = connection.execute(
        "SELECT p.id, p.first_offset, p.next_offset, p.compacted_to, t.compact, t.retention_ms"
        " FROM partitions p JOIN topics t ON t.id = p.topic WHERE t.compact OR t.retention_ms IS NOT NULL ORDER BY p.id"
    )
    return [
        Ground(identity, first, following, compacted_to, bool(compact), retention_ms)
        for identity, first, following, compacted_to, compact, retention_ms in rows
    ]


def plan(connection: sqlite3.Connection, ground: Ground, now_ms: int) -> list[Step]:
    """The steps that clean one partition, in the order in which they must run."""
    steps = [] if ground.retention_ms is None else _expire(connection, ground, now_ms - ground.retention_ms)
    return steps + _compact(connection, ground, now_ms) if ground.compact else steps


def _expire(connection: sqlite3.Connection, ground: Ground, bound_ms: int) -> list[Step]:
    (kept,) = connection.execute(
        "SELECT min(id) FROM (SELECT id FROM records WHERE id >= ? AND id < ? AND timestamp >= ? ORDER BY id LIMIT 1)",
        (ground.low, ground.high, bound_ms),
    ).fetchone()
    end = ground.high if kept is None else kept
    # from offset 0, since a pass cut short after the first offset was raised has left rows below it
    rows = connection.execute("SELECT id FROM records WHERE id >= ? AND id < ? ORDER BY id", (ground.base, end))
    old = [identity for (identity,) in rows]
    if not old:
        return []
    return [partial(_raise_first, ground, end - ground.base), *_removals(old)]


def _raise_first(ground: Ground, first: int, connection: sqlite3.Connection) -> int:
    connection.execute("UPDATE partitions SET first_offset = max(first_offset, ?) WHERE id = ?", (first, ground.id))
    return 0


def _compact(connection: sqlite3.Connection, ground: Ground, now_ms: int) -> list[Step]:
    bounds = {"low": ground.low, "high": ground.high}
    due = [
        identity
        for (identity,) in connection.execute(
            "SELECT record FROM tombstones WHERE record >= :low AND record < :high AND drop_at <= :now ORDER BY record",
            {**bounds, "now": now_ms},
        )
    ]
    if ground.compacted_to == ground.next:
        return _removals(due)
    newest = "SELECT max(id) FROM records WHERE id >= :low AND id < :high GROUP BY key"
    old = connection.execute(
        f"SELECT id FROM records WHERE id >= :low AND id < :high AND id NOT IN ({newest}) ORDER BY id",  # noqa: S608
        bounds,
    ).fetchall()
    gone = connection.execute(
        f"SELECT id FROM records WHERE id IN ({newest}) AND value IS NULL ORDER BY id",  # noqa: S608
        bounds,
    ).fetchall()
    marked = partial(_mark, ground, [identity for (identity,) in gone], now_ms + TOMBSTONE_MS)
    return [*_removals([identity for (identity,) in old]), *_removals(due), marked]


def _mark(ground: Ground, tombstones: Sequence[int], drop_at: int, connection: sqlite3.Connection) -> int:
    """Note when the tombstones may go, unless noted before, and up to where the partition is compacted."""
    connection.executemany(
        "INSERT INTO tombstones (record, drop_at) SELECT id, ? FROM records WHERE id = ? ON CONFLICT DO NOTHING",
        [(drop_at, identity) for identity in tombstones],
    )
    connection.execute("UPDATE partitions SET compacted_to = ? WHERE id = ?", (ground.next, ground.id))
    return 0


def _removals(identities: Sequence[int]) -> list[Step]:
    return [partial(_remove, identities[at : at + CHUNK]) for at in range(0, len(identities), CHUNK)]


def _remove(identities: Sequence[int], connection: sqlite3.Connection) -> int:
    rows = [(identity,) for identity in identities]
    removed = connection.executemany("DELETE FROM records WHERE id = ?", rows).rowcount
    connection.executemany("DELETE FROM tombstones WHERE record = ?", rows)
    return removed
