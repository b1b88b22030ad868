"""Copies of the embedded log: taken while it runs, and put back in its place.

SQLite's backup reads one consistent state and lets the runner commit meanwhile. A copy is made under another name,
checked page by page, brought to the disk and only then given its name, so that a copy that is there is whole.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tieup.errors import BadFile, LogCorrupt, LogError, LogFull, UsageError
from tieup.log.sqlite_file import APPLICATION_ID, SCHEMA_VERSION, RunnerLock, translated

PARTS: Final = ("", "-wal", "-shm")
"""A log is its file and what SQLite keeps beside it while it is open or after a crash."""


def back_up(source: Path, target: Path) -> int:
    """Copy the log at `source` to a new file and return its size in bytes.

    Raises UsageError if the target is there, LogFull, LogUnavailable, LogCorrupt if the source is damaged.
    """
    if target.exists():
        raise UsageError(f"{target}: is there already; a backup overwrites nothing")
    with _written(target) as part:
        with translated(source), closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as log:
            _copy(log, part)
        _check(part, LogCorrupt)
    return target.stat().st_size


def _copy(log: sqlite3.Connection, part: Path) -> None:
    """All pages in one step: a backup in several starts over whenever another process has committed meanwhile."""
    with translated(part), closing(sqlite3.connect(part)) as copy:
        log.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it


def put_back(source: Path, target: Path, *, replace: bool) -> Path | None:
    """Put a copy of the backup at `source` in the place of the log at `target`.

    A log that is there is kept under another name, which is returned. Raises UsageError if one is there and
    `replace` is off, LogBusy if a tieup runs on it, BadFile if the source is no whole backup, LogFull.
    """
    if not source.is_file():
        raise BadFile(f"{source}: there is no such backup")
    _check(source, BadFile)
    if target.exists() and not replace:
        raise UsageError(f"{target}: a log is there; --force puts the backup in its place and keeps it beside")
    lock = RunnerLock(target)
    try:
        with _written(target, between := _SetAside(target)) as part:
            shutil.copyfile(source, part)
        return between.kept
    finally:
        lock.release()


class _SetAside:
    """Moves a log out of the way, with what SQLite keeps beside it: a foreign -wal would be read into the new file."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.kept: Path | None = None

    def __call__(self) -> None:
        if not self._target.exists():
            return
        number = 1
        while (kept := Path(f"{self._target}.before-{number}")).exists():
            number += 1
        for part in PARTS:
            if Path(f"{self._target}{part}").exists():
                Path(f"{self._target}{part}").rename(f"{kept}{part}")
        self.kept = kept


@contextlib.contextmanager
def _written(target: Path, before_naming: "_SetAside | None" = None) -> Iterator[Path]:
    """Hand out a name to write under; afterwards bring it to the disk and give it the target's name."""
    part = Path(f"{target}.part-{os.getpid()}")
    try:
        yield part
        _to_disk(part)
        if before_naming is not None:
            before_naming()
        part.rename(target)
        _to_disk(target.absolute().parent)
    except OSError as error:
        raise LogFull(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check(path: Path, damaged: type[LogCorrupt] | type[BadFile]) -> None:
    """Raise `damaged` unless the file is a whole tieup log of this version."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            owner, version, faults = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version", "integrity_check")
            )
    except sqlite3.Error as error:
        raise damaged(f"{path}: damaged, or no tieup log: {error}") from error
    if owner != APPLICATION_ID:
        raise damaged(f"{path}: no tieup log")
    if version != SCHEMA_VERSION:
        raise LogError(f"{path}: of version {version}, this tieup reads version {SCHEMA_VERSION}")
    if faults != "ok":
        raise damaged(f"{path}: damaged: {' '.join(str(faults).split())[:200]}")
