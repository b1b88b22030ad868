"""Another process on an embedded log, for test_sqlite_log.py: python -m tests.integration.sqlite_writer MODE FILE ...

It prints a line when a step is done, so that the test waits for what happened and not for time.
"""

import asyncio
import os
import pickle
import resource
import signal
import sys
from pathlib import Path

from tests.integration.recording_disk import Done, record

from tieup.errors import LogError
from tieup.log.base import NewRecord, TaskId, TopicPartition
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import Topic

IN, OUT, STATE = Topic("in", single=True), Topic("out"), Topic("state", single=True, compact=True)
TASK = TaskId("test-w", "w", 0)
NOBODY = 65534


def say(line):
    print(line, flush=True)


def outputs(n):
    """What input n gives: ten records over all partitions, and one of state."""
    made = [NewRecord(OUT.name, b"%d-%d" % (n, i), b"%d" % n, n) for i in range(10)]
    return [*made, NewRecord(STATE.name, b"count", b"%d" % n, n)]


async def commit_for_ever(path):
    """Take the task over and commit input after input until killed."""
    async with await SqliteLog.open(path, exclusive=True) as log:
        await log.create([IN, OUT, STATE])
        task = await log.open_task(TASK)
        at = TopicPartition(IN.name, 0)
        position = (await task.committed([at]))[at] or 0
        while True:
            await task.commit(outputs(position), {at: position + 1})
            position += 1
            say(position)


async def commit_recorded(path):
    """Commit some hundred inputs, with checkpoints between them, and leave a record of all that reached the disk.

    The pragmas given after the path are set first.
    """
    journal = []
    kept = record(journal)
    async with await SqliteLog.open(path, exclusive=True) as log:
        for pragma in ("wal_autocheckpoint = 60", *sys.argv[3:]):
            await log._writing.ask(lambda connection, pragma=pragma: connection.execute(f"PRAGMA {pragma}").fetchall())
        await log.create([IN, OUT, STATE])
        task = await log.open_task(TASK)
        for n in range(120):
            await task.commit(outputs(n), {TopicPartition(IN.name, 0): n + 1})
            journal.append(Done("acknowledge"))
    path.with_suffix(".journal").write_bytes(pickle.dumps(journal))
    del kept


def die_at_every_statement(path):
    """Have child after child die before the next SQL statement of one commit, until one gets through."""
    asyncio.run(create(path))
    for statement in range(1, 200):
        child = os.fork()
        if child == 0:
            asyncio.run(die_in_commit(path, statement))
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return


async def create(path):
    async with await SqliteLog.open(path) as log:
        await log.create([IN, OUT, STATE])


async def die_in_commit(path, statement):
    """Say the committed position and the number of records there are; then commit, and die before that statement."""

    def count(_):
        nonlocal statement
        statement -= 1
        if statement == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    at = TopicPartition(IN.name, 0)
    async with await SqliteLog.open(path, exclusive=True) as log:
        task = await log.open_task(TASK)
        made = [TopicPartition(t.name, p) for t in (OUT, STATE) for p in range(await log.partitions(t.name))]
        say(f"{(await task.committed([at]))[at]} {sum((await log.end_offsets(made)).values())}")
        await log._writing.ask(lambda connection: connection.set_trace_callback(count))
        await task.commit(outputs(0), {at: 1})


async def hold(path):
    """Hold the runner's lock until standard input ends."""
    async with await SqliteLog.open(path, exclusive=True):
        say("held")
        await asyncio.to_thread(sys.stdin.read)


async def echo(path):
    """Read `in` and append to it what was read, in capitals, until `stop`."""
    async with await SqliteLog.open(path) as log:
        reader = await log.reader({TopicPartition(IN.name, 0): 0})
        say("reading")
        while True:
            for record in await reader.poll(10, 60.0):
                if record.value == b"stop":
                    return
                if record.key == b"ask":
                    await log.append([NewRecord(IN.name, b"answer", record.value.upper(), 1)])


async def fill(path):
    """Append until the file may grow no more; print the error, then what is there."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
    await append_until_refused(path)


async def write_read_only(path):
    """Append to a file that this user may only read."""
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
    await append_until_refused(path)


async def append_until_refused(path):
    async with await SqliteLog.open(path) as log:
        n = 0
        try:
            while n < 1000:
                await log.append([NewRecord(IN.name, b"k", b"%d" % n + b"x" * 20_000, 1)])
                n += 1
        except LogError as error:
            say(f"{type(error).__name__}: {error}")
        say(n)
        say((await log.end_offsets([TopicPartition(IN.name, 0)]))[TopicPartition(IN.name, 0)])


MODES = {mode.__name__: mode for mode in (commit_for_ever, commit_recorded, hold, echo, fill, write_read_only)}

if __name__ == "__main__":
    if sys.argv[1] == die_at_every_statement.__name__:
        die_at_every_statement(Path(sys.argv[2]))
    else:
        asyncio.run(MODES[sys.argv[1]](Path(sys.argv[2])))
