"""What an article costs on its way, in processor time, on both logs.

    python -m tests.benchmarks.end_to_end [--articles 3000] [--rounds 3] [--part]

Serves that many entries, each about a tie of its own, a hundred to a feed, and lets `tieup run --once` take them from
the feeds to webhooks; with `--part` they are appended as articles, and `tieup run extract story --once` takes them to
events. What the command takes without any article is subtracted. One line for each log: seconds of processor time per
1,000 articles of tieup's processes, and of the broker's while they worked (the middle of the rounds).
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
from tests.chaos.world import ENTRIES, Outside, outside, subscribe, wanted
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


async def append(url, made):
    async with await open_log(load_settings({}, {"log": url})) as log:
        await log.create(CATALOGUE)
        for begin in range(0, len(made), 1000):
            await log.append(made[begin : begin + 1000])


def as_articles(count):
    return [NewRecord(ARTICLES, a.id.encode(), encode(a), to_millis(a.observed_at)) for a in articles(count)]


def as_feeds(count):
    return [wanted(number) for number in range(-(-count // ENTRIES))]


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


def run_once(url, folder, workers):
    """Processor seconds of one run to the end of all input."""
    env = environment(log=url, gazetteer=str(folder / "pairs.toml"), http="off")
    before = children_s()
    subprocess.run([TIEUP, "run", *workers, "--once"], env=env, cwd=folder, check=True, capture_output=True)
    return children_s() - before


def measure(kind, count, *, part):
    """Processor seconds of tieup and of the broker, per 1,000 articles."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(KafkaCluster()) if kind == "kafka" else None
        url = f"kafka://{cluster.bootstrap}" if cluster else f"sqlite:///{folder / 'tieup.db'}"
        (folder / "pairs.toml").write_text(gazetteer(count))
        asyncio.run(append(url, []))
        world = None if part else subscribed(stack.enter_context(outside(count)), url, folder)
        workers = ("extract", "story") if part else ()
        idle = run_once(url, folder, workers)
        asyncio.run(append(url, as_articles(count) if part else as_feeds(count)))
        before = broker_s(cluster)
        own = run_once(url, folder, workers) - idle
        brokers = broker_s(cluster) - before
        assert asyncio.run(told(url)) == count, "an event for each article"
        assert world is None or len(world.end()) == count, "a webhook for each article"
    return own / count * 1000, brokers / count * 1000


def subscribed(world: Outside, url, folder):
    """The world, known to the service in that folder and subscribed to it."""
    (folder / "tieup.toml").write_text(world.settings)
    subscribe(world.hooks, url, folder)
    return world


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.end_to_end", description=__doc__.split("\n")[0])
    parser.add_argument("--articles", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--log", choices=("both", "embedded", "kafka"), default="both")
    parser.add_argument("--part", action="store_true", help="from the topic of articles to events only")
    options = parser.parse_args()
    for kind in ("embedded", "kafka") if options.log == "both" else (options.log,):
        rounds = [measure(kind, options.articles, part=options.part) for _ in range(options.rounds)]
        own, brokers = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        print(f"{kind}: {own:.2f} s per 1,000 articles" + (f", brokers {brokers:.2f} s" if kind == "kafka" else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
