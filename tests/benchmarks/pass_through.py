"""What the runner costs: a worker that passes records on, against a bare transactional aiokafka loop.

    python -m tests.benchmarks.pass_through [--records 30000] [--rounds 5] [--kafka HOST:PORT]

Both read the same topic in batches of the same size on the same broker, one right after the other, the one first in
one round and the other in the next; the middle of the rounds' ratios counts, since other work on the machine slows
both of a round. Processor time is this process's own, brokers not counted. Exit code 1 if the runner manages less than
70 % of the loop's records a second.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import aiokafka
from prometheus_client import CollectorRegistry
from tests.kafka_broker import KafkaCluster
from tests.tally import AnyValue

from tieup.log.base import NOTHING, NewRecord, Output, WorkerSpec
from tieup.log.kafka import KafkaLog
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.task import TaskBounds
from tieup.log.topics import BY_NAME, DEAD_LETTERS, Topic
from tieup.metrics import Metrics

LEAST_SHARE = 0.7
VALUE = b'{"text":"' + b"x" * 980 + b'"}'


class PassOn:
    """Appends every record that it reads to another topic."""

    def __init__(self, target):
        self.target = target

    def process(self, record):
        return Output((NewRecord(self.target, record.key, record.value, record.timestamp, record.headers),))

    def apply(self, change):
        pass

    def wake(self, now):
        return NOTHING


async def bare(servers, source, target, records, batch):
    """The loop that anybody would write who knows that sends must be awaited; returns records a second."""
    name = uuid.uuid4().hex
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=servers, transactional_id=name, max_batch_size=256 * 1024)
    await consumer.start()
    await producer.start()
    at = aiokafka.TopicPartition(source, 0)
    consumer.assign([at])
    started, done = time.perf_counter(), 0
    while done < records:
        found = (await consumer.getmany(timeout_ms=1000, max_records=batch)).get(at, [])
        if not found:
            continue
        async with producer.transaction():
            sends = [
                await producer.send(target, one.value, one.key, partition=0, timestamp_ms=one.timestamp)
                for one in found
            ]
            await asyncio.gather(*sends)
            await producer.send_offsets_to_transaction({at: found[-1].offset + 1}, name)
        done += len(found)
    took = time.perf_counter() - started
    await producer.stop()
    await consumer.stop()
    return records / took


async def through_the_runner(log, source, target, records, batch):
    """The same by a worker on the runner, from the first turn to the last commit; returns records a second."""
    spec = WorkerSpec("pass", lambda partition: PassOn(target), (source,), (target,))
    metrics = Metrics(CollectorRegistry())
    bounds = RunnerBounds(task=TaskBounds(batch=batch))
    clock = lambda: datetime.now(UTC)  # noqa: E731
    runner = Runner(
        log, [spec], app=uuid.uuid4().hex, validator=AnyValue(), clock=clock, metrics=metrics, bounds=bounds
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(runner.run(stopping))
    done = metrics.records_in.labels("pass", source)
    while not runner.ready():  # noqa: ASYNC110 - a counter has no event
        await asyncio.sleep(0.001)
    started = time.perf_counter()
    while done._value.get() < records:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    took = time.perf_counter() - started
    stopping.set()
    await running
    return records / took


@dataclass(frozen=True, slots=True)
class Pace:
    """Records a second, and microseconds of processor time a record."""

    rate: float
    micros: float


async def timed(work, records):
    """The pace of a loop that returns its records a second."""
    before = time.process_time()
    rate = await work
    return Pace(rate, (time.process_time() - before) / records * 1e6)


async def measure(servers, records, rounds, batch):
    """The rounds: the bare loop's pace and the runner's, in turns."""
    mark = uuid.uuid4().hex
    source, target = (Topic(f"bench.{mark}.{name}.v1", single=True) for name in ("source", "target"))
    found = []
    async with await KafkaLog.open(f"kafka://{servers}") as log:
        await log.create([source, target, BY_NAME[DEAD_LETTERS]])
        for begin in range(0, records, 2000):
            await log.append(
                [NewRecord(source.name, b"%d" % n, VALUE, 1) for n in range(begin, min(records, begin + 2000))]
            )
        for number in range(rounds):
            loops = {
                "bare": lambda: bare(servers, source.name, target.name, records, batch),
                "runner": lambda: through_the_runner(log, source.name, target.name, records, batch),
            }
            order = list(loops)[:: -1 if number % 2 else 1]
            paces = {name: await timed(loops[name](), records) for name in order}
            found.append((paces["bare"], paces["runner"]))
            print(
                f"round {number + 1}: " + ", ".join(f"{name} {said(pace)}" for name, pace in paces.items()), flush=True
            )
    return found


def said(pace):
    return f"{pace.rate:,.0f}/s ({pace.micros:.0f} µs)"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pass_through", description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--kafka", help="a running broker; else one is started")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        servers = options.kafka or stack.enter_context(KafkaCluster()).bootstrap
        rounds = asyncio.run(measure(servers, options.records, options.rounds, options.batch))
    share = statistics.median(runner.rate / loop.rate for loop, runner in rounds)
    cost = statistics.median(loop.micros / runner.micros for loop, runner in rounds)
    print(f"the runner manages {share:.0%} of the bare loop's records a second, {cost:.0%} of them a processor second")
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
