"""A burst before a slow consumer or a slow disk: is memory bounded, is the lag to be seen, is the order kept?

    python -m tests.benchmarks.burst [--records 100000] [--log sqlite|kafka] [--slow worker|disk] [--unbounded]

Appends the burst, then runs a worker that takes a while over each batch (or on a disk whose commits do), and prints one
line of JSON: the memory that the run took beyond what the process had before (MiB), the largest lag that the metric
told, and whether every record was passed on, once, in order. `--unbounded` reads all there is at once instead of a
batch: the control.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry
from tests.kafka_broker import KafkaCluster
from tests.tally import AnyValue

from tieup.log.base import NOTHING, NewRecord, Output, TopicPartition, WorkerSpec
from tieup.log.kafka import KafkaLog
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.sqlite import BATCH_BYTES, SqliteLog
from tieup.log.task import TaskBounds
from tieup.log.topics import BY_NAME, DEAD_LETTERS, Topic
from tieup.metrics import Metrics

SOURCE, TARGET = Topic("burst.source.v1", single=True), Topic("burst.target.v1", single=True)
TEXT = "x" * 3_000
PAUSE_S = 0.02
ALL = 10**12


class PassOn:
    """Passes the number of each record on; a slow one takes a while over each batch."""

    def __init__(self, slow):
        self.slow = slow

    def process(self, record):
        if self.slow and record.offset % 500 == 0:
            time.sleep(PAUSE_S)
        number = json.loads(record.value)["n"]
        return Output((NewRecord(TARGET.name, record.key, b"%d" % number, record.timestamp),))

    def apply(self, change):
        pass

    def wake(self, now):
        return NOTHING


class SlowDisk:
    """A log whose commits take a while."""

    def __init__(self, log):
        self._log = log

    def __getattr__(self, name):
        return getattr(self._log, name)

    async def open_task(self, task):
        hold = await self._log.open_task(task)
        commit = hold.commit

        async def late(records, offsets):
            await asyncio.sleep(2 * PAUSE_S)
            await commit(records, offsets)

        hold.commit = late
        return hold


def peak_mib():
    """The most memory that this program has had; `ru_maxrss` is that of whoever started it, where that was more."""
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


async def burst(log, records, slow, batch):
    """Append the burst, work it off, and return what was seen."""
    await log.create([SOURCE, TARGET, BY_NAME[DEAD_LETTERS]])
    for begin in range(0, records, 1000):
        numbers = range(begin, min(records, begin + 1000))
        made = [NewRecord(SOURCE.name, b"k", json.dumps({"n": n, "text": TEXT}).encode(), 1) for n in numbers]
        await log.append(made)
        del made
    before, largest = peak_mib(), 0.0
    metrics = Metrics(CollectorRegistry())
    spec = WorkerSpec("slow", lambda partition: PassOn(slow == "worker"), (SOURCE.name,), (TARGET.name,))
    runner = Runner(
        SlowDisk(log) if slow == "disk" else log,
        [spec],
        app="burst",
        validator=AnyValue(),
        clock=lambda: datetime.now(UTC),
        metrics=metrics,
        bounds=RunnerBounds(watch_s=0.2, task=TaskBounds(batch=batch)),
    )
    started = time.perf_counter()
    running = asyncio.create_task(runner.run(asyncio.Event(), once=True))
    while not running.done():
        largest = max(largest, metrics.lag.labels("slow", "0")._value.get())
        await asyncio.wait({running}, timeout=0.05)
    await running
    seconds = time.perf_counter() - started
    return {
        "records": records,
        "memory_mib": round(peak_mib() - before, 1),
        "burst_mib": round(records * len(TEXT) / 2**20),
        "largest_lag": int(largest),
        "seconds": round(seconds, 1),
        "in_order": await in_order(log, records),
    }


async def in_order(log, records):
    """Whether the target holds all numbers once, in order."""
    at = TopicPartition(TARGET.name, 0)
    end = (await log.end_offsets([at]))[at]
    reader = await log.reader({at: 0})
    wanted = 0
    while reader.positions()[at] < end:
        for record in await reader.poll(1000, 1.0):
            if int(record.value) != wanted:
                return False
            wanted += 1
    await reader.close()
    return wanted == records


async def run(kind, records, slow, folder, *, unbounded):
    with contextlib.ExitStack() as stack:
        if kind == "kafka":
            log = await KafkaLog.open(f"kafka://{stack.enter_context(KafkaCluster()).bootstrap}")
        else:
            log = await SqliteLog.open(
                folder / "burst.db", exclusive=True, batch_bytes=ALL if unbounded else BATCH_BYTES
            )
        async with log:
            return await burst(log, records, slow, ALL if unbounded else TaskBounds().batch)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.burst", description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--log", choices=("sqlite", "kafka"), default="sqlite")
    parser.add_argument("--slow", choices=("worker", "disk"), default="worker")
    parser.add_argument("--unbounded", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(run(options.log, options.records, options.slow, Path(folder), unbounded=options.unbounded))
    print(json.dumps({"log": options.log, "slow": options.slow, **seen}))
    return 0 if seen["in_order"] else 1


if __name__ == "__main__":
    sys.exit(main())
