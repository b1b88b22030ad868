"""What is laid ready for subscribers, by endpoint: an SQLite database of this process alone, built anew from the log.

It has no file that anyone could see or would have to keep: SQLite spills to disk what outgrows its cache and removes it
at the end. So memory stays flat however many feeds there are, and nothing has to be migrated.
"""

import asyncio
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

MAX_HEADLINES: Final = 100_000  # of the newest events, for the pages behind links: 20 MB on disk

_TABLES: Final = """
CREATE TABLE laid (
    number INTEGER PRIMARY KEY,
    endpoint TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (endpoint, place)
);
CREATE TABLE floor (endpoint TEXT PRIMARY KEY, place INTEGER NOT NULL);
CREATE TABLE headline (number INTEGER PRIMARY KEY, event TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
"""
_EMPTY: Final = ("DELETE FROM laid", "DELETE FROM floor", "DELETE FROM headline")
_COLUMNS: Final = "SELECT endpoint, place, at, event, body FROM laid WHERE endpoint = ?"
_OLDEST: Final = (
    "DELETE FROM laid WHERE number IN (SELECT number FROM laid ORDER BY number LIMIT ?) RETURNING endpoint, place"
)
_RAISE: Final = "INSERT INTO floor VALUES (?, ?) ON CONFLICT DO UPDATE SET place = max(place, excluded.place)"


@dataclass(frozen=True, slots=True)
class Laid:
    """A message laid ready. `offset` is its place in the endpoint's partition, `at` its time in ms since 1970 UTC."""

    endpoint_id: str
    offset: int
    at: int
    event_id: str
    body: bytes


class ReadModel:
    """Holds the newest `keep` messages of each endpoint and of all of them the newest `keep_in_all`, packed.

    Every call runs in the one thread that has the database.
    """

    def __init__(self, keep: int, keep_in_all: int) -> None:
        self._keep, self._keep_in_all = keep, keep_in_all
        self._thread = ThreadPoolExecutor(1, "tieup-read-model")
        self._database: sqlite3.Connection | None = None
        self._count = 0

    async def lay(self, laid: Sequence[Laid], headlines: Iterable[tuple[str, str]] = ()) -> None:
        """Take messages and events' headlines in; those known already are no error."""
        told = list(headlines)
        await self._run(lambda database: self._lay(database, laid, told))

    async def newest(self, endpoint_id: str, limit: int) -> list[Laid]:
        """Return an endpoint's newest messages, the newest first."""
        query = f"{_COLUMNS} ORDER BY place DESC LIMIT ?"
        return await self._run(lambda database: _unpacked(database.execute(query, (endpoint_id, limit))))

    async def from_offset(self, endpoint_id: str, offset: int, limit: int) -> list[Laid]:
        """Return an endpoint's messages from an offset on, in their order."""
        query, values = f"{_COLUMNS} AND place >= ? ORDER BY place LIMIT ?", (endpoint_id, offset, limit)
        return await self._run(lambda database: _unpacked(database.execute(query, values)))

    async def floor(self, endpoint_id: str) -> int:
        """Return the highest offset of the messages that are kept no more, -1 if none was let go."""
        query = "SELECT place FROM floor WHERE endpoint = ?"
        found = await self._run(lambda database: database.execute(query, (endpoint_id,)).fetchone())
        return -1 if found is None else int(found[0])

    async def headline(self, event_id: str) -> str | None:
        """Return an event's headline, None for one that is unknown or long ago."""
        query = "SELECT text FROM headline WHERE event = ?"
        found = await self._run(lambda database: database.execute(query, (event_id,)).fetchone())
        return None if found is None else str(found[0])

    async def clear(self) -> None:
        """Forget everything, to be built anew."""
        await self._run(self._clear)

    async def close(self) -> None:
        """Let the database go."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._open()))

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = sqlite3.connect("")
            self._database.executescript(_TABLES)
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _clear(self, database: sqlite3.Connection) -> None:
        with database:
            for statement in _EMPTY:
                database.execute(statement)
        self._count = 0

    def _lay(self, database: sqlite3.Connection, laid: Sequence[Laid], headlines: list[tuple[str, str]]) -> None:
        with database:
            rows = [(one.endpoint_id, one.offset, one.at, one.event_id, zlib.compress(one.body, 1)) for one in laid]
            insert = "INSERT OR IGNORE INTO laid (endpoint, place, at, event, body) VALUES (?, ?, ?, ?, ?)"
            self._count += database.executemany(insert, rows).rowcount if rows else 0
            for endpoint_id in {one.endpoint_id for one in laid}:
                self._let_go(database, endpoint_id)
            if self._count > self._keep_in_all:
                self._let_oldest_go(database)
            if headlines:
                database.executemany("INSERT OR IGNORE INTO headline (event, text) VALUES (?, ?)", headlines)
                newest = database.execute("SELECT max(number) FROM headline").fetchone()[0]
                database.execute("DELETE FROM headline WHERE number <= ?", (newest - MAX_HEADLINES,))

    def _let_go(self, database: sqlite3.Connection, endpoint_id: str) -> None:
        """Remove an endpoint's messages beyond its newest, and remember up to where."""
        query = "SELECT place FROM laid WHERE endpoint = ? ORDER BY place DESC LIMIT 1 OFFSET ?"
        found = database.execute(query, (endpoint_id, self._keep)).fetchone()
        if found is not None:
            deleted = database.execute("DELETE FROM laid WHERE endpoint = ? AND place <= ?", (endpoint_id, found[0]))
            self._count -= deleted.rowcount
            database.execute(_RAISE, (endpoint_id, found[0]))

    def _let_oldest_go(self, database: sqlite3.Connection) -> None:
        """Remove what came first of all, whosoever it is."""
        gone = database.execute(_OLDEST, (self._count - self._keep_in_all,)).fetchall()
        self._count -= len(gone)
        database.executemany(_RAISE, gone)


def _unpacked(rows: Iterable[tuple[str, int, int, str, bytes]]) -> list[Laid]:
    return [Laid(*row[:-1], zlib.decompress(row[-1])) for row in rows]
