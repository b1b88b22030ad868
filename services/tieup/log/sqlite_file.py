"""The embedded log's file: its schema, its lock, its connections, and what SQLite's errors mean.

Every connection belongs to one thread of its own, so that SQLite never blocks the event loop and never meets two
threads.
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

from tieup.errors import InvalidOutput, LogBusy, LogCorrupt, LogError, LogFull, LogUnavailable

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x54494555
"""`PRAGMA application_id` of the file: "TIEU"; another program's database is refused."""
OLDEST_SQLITE: Final = (3, 37, 0)
"""The first version with STRICT tables."""

OFFSET_BITS: Final = 40
"""A record's row id is its partition's id, then its offset in 40 bits: one B-tree holds each partition in order, and
an append goes to the end of its partition. Room for 10¹² records in each of eight million partitions."""

PAGE_BYTES: Final = 8192
"""Three articles of a usual feed fit a page of this size, where one fits SQLite's 4,096: two thirds of the file and of
what a commit writes. Files made before keep theirs."""

WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
_SWITCH_PAUSE_S: Final = 0.02

_SCHEMA: Final = """
CREATE TABLE topics (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  partitions INTEGER NOT NULL,
  compact INTEGER NOT NULL,
  retention_ms INTEGER
) STRICT;
CREATE TABLE partitions (
  id INTEGER PRIMARY KEY,
  topic INTEGER NOT NULL REFERENCES topics (id),
  partition INTEGER NOT NULL,
  first_offset INTEGER NOT NULL DEFAULT 0,
  next_offset INTEGER NOT NULL DEFAULT 0,
  compacted_to INTEGER NOT NULL DEFAULT 0,
  UNIQUE (topic, partition)
) STRICT;
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  timestamp INTEGER NOT NULL,
  key BLOB NOT NULL,
  headers BLOB,
  value BLOB
) STRICT;
CREATE TABLE tombstones (
  record INTEGER PRIMARY KEY,
  drop_at INTEGER NOT NULL
) STRICT;
CREATE TABLE positions (
  consumer_group TEXT NOT NULL,
  partition INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, partition)
) STRICT, WITHOUT ROWID;
CREATE TABLE tasks (
  transactional_id TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

_FULL: Final = {
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
"""What a quota or a file size limit comes out as, where a full disk comes out as SQLITE_FULL."""

_AWAY: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_IOERR,
}


def translate(path: Path, error: sqlite3.Error) -> LogError | InvalidOutput:
    """Return the error of the tree that SQLite's error is, naming the file."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or code in _FULL:
        return LogFull(f"{path}: no space is left, or a quota is reached: {error}")
    if primary == sqlite3.SQLITE_READONLY:
        return LogFull(f"{path}: cannot be written: {error}")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LogCorrupt(f"{path}: the file is damaged or is no tieup log: {error}")
    if primary in _AWAY:
        return LogUnavailable(f"{path}: {error}")
    if primary == sqlite3.SQLITE_TOOBIG or isinstance(error, sqlite3.DataError):
        return InvalidOutput(f"{path}: a record is larger than SQLite can hold: {error}")
    return LogError(f"{path}: {error}")


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as those of the tree."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(path, error) from error


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Commit what is done inside, or nothing of it."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back itself after some errors
            connection.execute("ROLLBACK")
        raise


def connect(path: Path, busy_timeout_s: float, max_bytes: int | None) -> sqlite3.Connection:
    """Open the file, creating it if it is not there.

    Raises LogError if it was written by another version or program, LogCorrupt, LogFull, LogUnavailable.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LogError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    with translated(path):
        connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
        try:
            _prepare(connection, path, busy_timeout_s, max_bytes)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, path: Path, busy_timeout_s: float, max_bytes: int | None) -> None:
    _check_owner(connection, path)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file
    _switch_to_wal(connection, busy_timeout_s)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    if _pragma(connection, "user_version") == 0:
        _create(connection)
    version = _pragma(connection, "user_version")
    if version != SCHEMA_VERSION:
        raise LogError(f"{path}: the file has schema version {version}, this tieup reads version {SCHEMA_VERSION}")
    if max_bytes is not None:
        connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // _pragma(connection, 'page_size'))}")


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection, "BEGIN"):  # one state: another process may be creating the tables
        owner = _pragma(connection, "application_id")
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or tables):
        raise LogError(f"{path}: the file is another program's SQLite database, not a tieup log")


def _switch_to_wal(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Set WAL mode; SQLite does not wait for others here, so this does."""
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SWITCH_PAUSE_S)
        else:
            return


def _create(connection: sqlite3.Connection) -> None:
    with transaction(connection, "BEGIN IMMEDIATE"):
        if _pragma(connection, "user_version") == 0:  # another process may have been first
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def data_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes when another connection, of any process, has committed."""
    return _pragma(connection, "data_version")


class Connection:
    """A connection to the file and the one thread that uses it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"tieup-{path.name}")
        self._connection: sqlite3.Connection | None = None

    @classmethod
    async def open(cls, path: Path, busy_timeout_s: float, max_bytes: int | None = None) -> Self:
        """Open the file in a new thread. Raises what `connect` raises."""
        self = cls(path)
        try:
            self._connection = await self._call(partial(connect, path, busy_timeout_s, max_bytes))
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    async def ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` makes of the connection, outside any transaction."""
        return await self._run(None, work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` makes of one consistent state of the file."""
        return await self._run("BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` does in one transaction; all of it stands on the disk, or after an error nothing.

        A caller that is cancelled does not stop the thread: then it is all or nothing.
        """
        return await self._run("BEGIN IMMEDIATE", work)

    async def close(self) -> None:
        """Close the connection after what is under way, and end the thread."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # all that matters was committed
                await self._call(connection.close)
            self._thread.shutdown()

    async def _run(self, begin: str | None, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise LogError(f"{self._path}: the log is closed")
        return await self._call(partial(self._perform, self._connection, begin, work))

    def _perform(self, connection: sqlite3.Connection, begin: str | None, work: Callable[[sqlite3.Connection], T]) -> T:
        with translated(self._path), transaction(connection, begin) if begin else contextlib.nullcontext():
            return work(connection)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class RunnerLock:
    """The lock of the one process that runs workers on the file: `flock` on `<file>.lock`, which holds its pid.

    The system lets go of it when the process ends, however it ends. The lock file stays, since removing it would let
    two processes lock two files of that name.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises LogBusy, naming the file and the holder's pid; LogFull where it cannot be written."""
        place = Path(f"{path}.lock")
        try:
            self._file: int | None = os.open(place, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise LogFull(f"{place}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise LogBusy(f"{path}: another tieup runs on this file (process {holder})") from error
        self._sign(place)

    def _sign(self, place: Path) -> None:
        try:
            os.ftruncate(self._file or 0, 0)
            os.pwrite(self._file or 0, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            self.release()
            raise LogFull(f"{place}: cannot be written: {error.strerror}") from error

    def release(self) -> None:
        """Let go."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
