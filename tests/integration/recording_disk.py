"""What a power cut leaves: SQLite's writes and syncs recorded one by one, and disks as they may look after any of them.

A disk keeps what was synced. What was written since the last sync of its file may be there, may be missing, or may be
there in part, in any order (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014; SQLite's own tests do
the same, https://www.sqlite.org/testing.html section 3.3). `record` puts itself before SQLite's own file system
interface (https://www.sqlite.org/vfs.html), in this process and for good: use it in one of its own.
"""

import _sqlite3
import ctypes
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SECTOR = 512
FILE, WIDE, CODE = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
# The name's very bytes are passed on: SQLite keeps their address as long as the file is open.
X_OPEN = ctypes.CFUNCTYPE(CODE, FILE, ctypes.c_void_p, FILE, CODE, FILE)
X_DELETE = ctypes.CFUNCTYPE(CODE, FILE, ctypes.c_char_p, CODE)
X_WRITE = ctypes.CFUNCTYPE(CODE, FILE, FILE, CODE, WIDE)
X_TRUNCATE = ctypes.CFUNCTYPE(CODE, FILE, WIDE)
X_SYNC = ctypes.CFUNCTYPE(CODE, FILE, CODE)


@dataclass(frozen=True, slots=True)
class Done:
    """One thing done to a file: write (at `offset`), truncate (to `offset`), sync, delete.

    Or acknowledge: a commit has returned.
    """

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = b""


class Vfs(ctypes.Structure):
    """`sqlite3_vfs`, as far as xDelete; what follows is copied as it is."""

    _fields_ = (
        *(("version", CODE), ("file_size", CODE), ("longest_path", CODE), ("next", ctypes.c_void_p)),
        *(("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("open", X_OPEN)),
        *(("delete", X_DELETE), ("rest", ctypes.c_void_p * 14)),
    )


class Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = (
        *(("version", CODE), ("close", ctypes.c_void_p), ("read", ctypes.c_void_p)),
        *(("write", X_WRITE), ("truncate", X_TRUNCATE), ("sync", X_SYNC), ("rest", ctypes.c_void_p * 13)),
    )


def can_record() -> bool:
    """Whether Python's SQLite shows its interface (one that is built into the interpreter may not)."""
    place = getattr(_sqlite3, "__file__", None)
    return place is not None and hasattr(ctypes.CDLL(place), "sqlite3_vfs_register")


def record(journal: list[Done]) -> object:
    """Add to the journal whatever SQLite does to a disk from now on. Returns what must be kept alive for that."""
    sqlite = ctypes.CDLL(_sqlite3.__file__)
    sqlite.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
    own = sqlite.sqlite3_vfs_find(None)
    kept: list[object] = [own]

    @X_OPEN
    def open_file(_, name, file, flags, told):
        code = own.contents.open(ctypes.addressof(own.contents), name, file, flags, told)
        if code == 0 and name is not None:
            place = ctypes.cast(file, ctypes.POINTER(ctypes.POINTER(Methods)))
            methods = _recorded(place.contents.contents, ctypes.string_at(name).decode(), journal)
            kept.append(methods)
            place[0] = ctypes.pointer(methods)
        return code

    @X_DELETE
    def delete_file(_, name, sync_folder):
        journal.append(Done("delete", name.decode()))
        return own.contents.delete(ctypes.addressof(own.contents), name, sync_folder)

    recorder = Vfs.from_buffer_copy(own.contents)
    recorder.name, recorder.open, recorder.delete = b"recorder", open_file, delete_file
    kept += [recorder, open_file, delete_file]
    assert sqlite.sqlite3_vfs_register(ctypes.byref(recorder), 1) == 0
    return kept


def _recorded(own: Methods, name: str, journal: list[Done]) -> Methods:
    write, truncate, sync = own.write, own.truncate, own.sync

    @X_WRITE
    def recorded_write(file, data, size, offset):
        journal.append(Done("write", name, offset, ctypes.string_at(data, size)))
        return write(file, data, size, offset)

    @X_TRUNCATE
    def recorded_truncate(file, size):
        journal.append(Done("truncate", name, size))
        return truncate(file, size)

    @X_SYNC
    def recorded_sync(file, flags):
        code = sync(file, flags)
        journal.append(Done("sync", name))
        return code

    methods = Methods.from_buffer_copy(own)
    methods.write, methods.truncate, methods.sync = recorded_write, recorded_truncate, recorded_sync
    return methods


def after_a_cut(journal: Sequence[Done], rng: random.Random) -> dict[str, bytes]:
    """The files as they may be found if the power failed after the last of these."""
    unsynced: dict[str, list[Done]] = {}
    files: dict[str, bytearray] = {}
    for done in journal:
        if done.kind == "sync":
            for earlier in unsynced.pop(done.file, ()):
                _do(files.setdefault(done.file, bytearray()), earlier)
        elif done.kind == "delete":  # SQLite syncs the folder with it
            unsynced.pop(done.file, None)
            files.pop(done.file, None)
        elif done.kind != "acknowledge":
            unsynced.setdefault(done.file, []).append(done)
    for file, lost in unsynced.items():
        for done in _survivors(lost, rng):
            _do(files.setdefault(file, bytearray()), done)
    return {file: bytes(content) for file, content in files.items()}


def _survivors(unsynced: Sequence[Done], rng: random.Random) -> Iterator[Done]:
    for done in unsynced:
        fate = rng.random()
        if fate < 0.4:
            yield done
        elif fate < 0.6 and len(done.data) > SECTOR:
            torn = done.data[: rng.randrange(1, len(done.data) // SECTOR + 1) * SECTOR]
            yield Done(done.kind, done.file, done.offset, torn)


def _do(content: bytearray, done: Done) -> None:
    if done.kind == "truncate":
        del content[done.offset :]
        return
    if len(content) < done.offset:
        content.extend(bytes(done.offset - len(content)))
    content[done.offset : done.offset + len(done.data)] = done.data
