"""What an article costs from the topic of articles to its event, in processor time, on both logs.

    python -m tests.benchmarks.end_to_end [--articles 3000] [--rounds 3]

Appends that many articles, each about a tie of its own, and lets `tieup run extract story --once` work them off; what
the command takes without any article is subtracted. One line for each log: seconds of processor time per 1,000
articles of tieup's process, and of the broker's while it worked (the middle of the rounds).
"""

import argparse
import asyncio
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.pairs import articles, gazetteer
from tests.kafka_broker import KafkaCluster
from tests.service import TIEUP, environment

from tieup.bootstrap import open_log
from tieup.config import load_settings
from tieup.log.base import NewRecord, TopicPartition
from tieup.log.topics import ARTICLES, CATALOGUE, EVENTS
from tieup.model.codec import encode, to_millis

TICKS = os.sysconf("SC_CLK_TCK")


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def broker_s(cluster):
    """Processor seconds of the brokers so far."""
    if cluster is None:
        return 0.0
    stats = [
        Path(f"/proc/{broker.process_id}/stat").read_text().rpartition(")")[2].split() for broker in cluster.brokers
    ]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS


async def append(url, count):
    async with await open_log(load_settings({}, {"log": url})) as log:
        await log.create(CATALOGUE)
        made = [NewRecord(ARTICLES, a.id.encode(), encode(a), to_millis(a.observed_at)) for a in articles(count)]
        for begin in range(0, count, 1000):
            await log.append(made[begin : begin + 1000])


async def told(url):
    """How many events there are."""
    async with await open_log(load_settings({}, {"log": url})) as log:
        at = TopicPartition(EVENTS, 0)
        reader, count = await log.reader({at: 0}), 0
        end = (await log.end_offsets([at]))[at]
        while reader.positions()[at] < end:
            count += len(await reader.poll(1000, 1.0))
        await reader.close()
        return count


def run_once(url, folder, count):
    """Processor seconds of one run to the end of all input."""
    (folder / "pairs.toml").write_text(gazetteer(count))
    env = environment(log=url, gazetteer=str(folder / "pairs.toml"), http="off")
    before = children_s()
    subprocess.run([TIEUP, "run", "extract", "story", "--once"], env=env, cwd=folder, check=True, capture_output=True)
    return children_s() - before


def measure(kind, count):
    """Processor seconds of tieup and of the broker, per 1,000 articles."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(KafkaCluster()) if kind == "kafka" else None
        url = f"kafka://{cluster.bootstrap}" if cluster else f"sqlite:///{folder / 'tieup.db'}"
        asyncio.run(append(url, 0))
        idle = run_once(url, folder, count)
        asyncio.run(append(url, count))
        before = broker_s(cluster)
        own = run_once(url, folder, count) - idle
        brokers = broker_s(cluster) - before
        assert asyncio.run(told(url)) == count, "an event for each article"
    return own / count * 1000, brokers / count * 1000


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.end_to_end", description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--log", choices=("both", "embedded", "kafka"), default="both")
    options = parser.parse_args()
    for kind in ("embedded", "kafka") if options.log == "both" else (options.log,):
        rounds = [measure(kind, options.articles) for _ in range(options.rounds)]
        own, brokers = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        print(f"{kind}: {own:.2f} s per 1,000 articles" + (f", brokers {brokers:.2f} s" if kind == "kafka" else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
