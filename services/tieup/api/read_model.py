"""What is laid ready for subscribers, by endpoint: an SQLite database of this process alone, built anew from the log.

It has no file that anyone could see or would have to keep: SQLite spills to disk what outgrows its cache and removes it
at the end. So memory stays flat however many feeds there are, and nothing has to be migrated.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

MAX_HEADLINES: Final = 100_000  # of the newest events, for the pages behind links: 20 MB on disk

_TABLES: Final = """
CREATE TABLE laid (
    endpoint TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (endpoint, place)
);
CREATE TABLE floor (endpoint TEXT PRIMARY KEY, place INTEGER NOT NULL);
CREATE TABLE headline (number INTEGER PRIMARY KEY, event TEXT NOT NULL UNIQUE, text TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Laid:
    """A message laid ready. `offset` is its place in the endpoint's partition, `at` its time in ms since 1970 UTC."""

    endpoint_id: str
    offset: int
    at: int
    event_id: str
    body: bytes


class ReadModel:
    """Holds the newest `keep` messages of each endpoint. Every call runs in the one thread that has the database."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._thread = ThreadPoolExecutor(1, "tieup-read-model")
        self._database: sqlite3.Connection | None = None

    async def lay(self, laid: Sequence[Laid], headlines: Iterable[tuple[str, str]] = ()) -> None:
        """Take messages and events' headlines in; those known already are no error."""
        await self._run(lambda database: _lay(database, laid, list(headlines), self._keep))

    async def newest(self, endpoint_id: str, limit: int) -> list[Laid]:
        """Return an endpoint's newest messages, the newest first."""
        query = "SELECT * FROM laid WHERE endpoint = ? ORDER BY place DESC LIMIT ?"
        return await self._run(lambda database: [Laid(*row) for row in database.execute(query, (endpoint_id, limit))])

    async def from_offset(self, endpoint_id: str, offset: int, limit: int) -> list[Laid]:
        """Return an endpoint's messages from an offset on, in their order."""
        query = "SELECT * FROM laid WHERE endpoint = ? AND place >= ? ORDER BY place LIMIT ?"
        values = (endpoint_id, offset, limit)
        return await self._run(lambda database: [Laid(*row) for row in database.execute(query, values)])

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


def _lay(database: sqlite3.Connection, laid: Sequence[Laid], headlines: list[tuple[str, str]], keep: int) -> None:
    with database:
        rows = [(one.endpoint_id, one.offset, one.at, one.event_id, one.body) for one in laid]
        database.executemany("INSERT OR IGNORE INTO laid VALUES (?, ?, ?, ?, ?)", rows)
        for endpoint_id in {one.endpoint_id for one in laid}:
            _let_go(database, endpoint_id, keep)
        if headlines:
            database.executemany("INSERT OR IGNORE INTO headline (event, text) VALUES (?, ?)", headlines)
            newest = database.execute("SELECT max(number) FROM headline").fetchone()[0]
            database.execute("DELETE FROM headline WHERE number <= ?", (newest - MAX_HEADLINES,))


def _let_go(database: sqlite3.Connection, endpoint_id: str, keep: int) -> None:
    """Remove what is beyond the newest `keep`, and remember up to where."""
    query = "SELECT place FROM laid WHERE endpoint = ? ORDER BY place DESC LIMIT 1 OFFSET ?"
    found = database.execute(query, (endpoint_id, keep)).fetchone()
    if found is None:
        return
    database.execute("DELETE FROM laid WHERE endpoint = ? AND place <= ?", (endpoint_id, found[0]))
    raise_it = "INSERT INTO floor VALUES (?, ?) ON CONFLICT DO UPDATE SET place = max(place, excluded.place)"
    database.execute(raise_it, (endpoint_id, found[0]))
