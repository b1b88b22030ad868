"""From a hub's POST to an event that can be read, through the whole service: all workers, one process.

    python -m tests.benchmarks.bench_push [--pushes N] [--feeds N] [--log sqlite|kafka|both]

A hub in a process of its own pushes one signed document after another, each with one new entry that states a tie-up of
two other companies; this process reads the events. Goals on an idle machine: p99 of 250 ms on the embedded log, 1 s on
Kafka.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
from tests.feed_server import rss
from tests.hub_server import hub_process
from tests.kafka_broker import KafkaCluster, KafkaMissing, free_port
from tests.service import environment, running, until

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import load_gazetteer
from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.log.base import Log, Reader, TopicPartition
from tieup.log.kafka import KafkaLog
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE, EVENTS, FEEDS
from tieup.model.article import Article

GOALS_MS = {"sqlite": 250.0, "kafka": 1_000.0}
KEY = "a master key for the benchmark, long enough"
LATE_S = 30.0


def entries() -> Iterator[tuple[str, str]]:
    """Titles and texts, each of another pair of companies, from which a tie-up of the two is read."""
    gazetteer = load_gazetteer()
    extractor = Extractor(gazetteer)
    names = [company.name for company in gazetteer if company.parent is None and company.name.isascii()]
    half = len(names) // 2
    for one, other in zip(names[:half], names[half:], strict=False):
        title = f"{one} and {other} agree on a joint venture"
        text = f"{one} and {other} have agreed on a joint venture for battery cells, the companies said."
        now = datetime.now(UTC)
        found = extractor.extract(Article("0" * 32, 1, title, text, now, "https://news.example/1", language="en"))
        if [len(relation.parties) for relation in found.relations] == [2]:
            yield title, text


def document(number: int, title: str, text: str) -> bytes:
    """A feed whose only entry is this one."""
    return rss(
        f"<item><title>{title}</title><link>https://news.example/{number}</link><guid>{number}</guid>"
        f"<pubDate>{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT</pubDate><description>{text}</description></item>"
    )


async def opened(log: str) -> Log:
    """The log, read as soon as anything stands in it."""
    if log.startswith("kafka"):
        return await KafkaLog.open(log, partitions=4)
    return await SqliteLog.open(Path(log.removeprefix("sqlite:///")), partitions=1, poll_interval_s=0.002)


async def measure(log_url: str, hub: str, feeds: int, pushes: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds from each POST to its event, and to the hub's answer."""
    names = [f"news{number}" for number in range(feeds)]
    told = entries()
    async with httpx.AsyncClient(base_url=hub, timeout=LATE_S) as client, await opened(log_url) as log:
        reader = await log.reader({TopicPartition(EVENTS, 0): 0})
        reading = asyncio.create_task(reader.poll(1, 0.1))  # connected before anything is timed
        await reading
        took, answered = [], []
        for number, (name, (title, text)) in enumerate(zip(itertools.cycle(names), told, strict=False)):
            if len(took) == 1 + pushes:
                break
            answer = await client.post(f"/publish/{name}", content=document(number, title, text))
            found = orjson.loads(answer.content)
            arrived_ns = await event_about(reader, f"https://news.example/{number}")
            took.append((arrived_ns - found["began"]) / 1e6)
            answered.append(found["took"] / 1e6)
            await asyncio.sleep(0.01 * (number % 7))  # so that no rhythm of the service is hit again and again
        await reader.close()
    return took, answered


async def event_about(reader: Reader, url: str) -> int:
    """Read until the event that this page has caused; returns when it was there, in nanoseconds."""
    ends_at = time.monotonic() + LATE_S
    while time.monotonic() < ends_at:
        for record in await reader.poll(100, 1.0):
            if url.encode() in (record.value or b""):
                return time.time_ns()
    raise TimeoutError(f"no event of {url} within {LATE_S:g} s")


async def want(log_url: str, hub: str, feeds: int) -> None:
    async with await opened(log_url) as log, httpx.AsyncClient(base_url=hub) as client:
        await log.create(CATALOGUE)
        for number in range(feeds):
            await client.post(f"/publish/news{number}", content=document(-1 - number, "Weather", "It rains."))
        wanted = [feed_from_url(f"{hub}/feeds/news{number}", datetime.now(UTC)) for number in range(feeds)]
        await log.append(feeds_to_records(wanted))
        assert await log.partitions(FEEDS)


def bench(sort: str, log_url: str, folder: Path, feeds: int, pushes: int) -> bool:
    """Run the service on a log, push, and print what it took; whether the goal is met."""
    door = free_port()
    with hub_process() as hub:
        asyncio.run(want(log_url, hub, feeds))
        env = environment(
            log=log_url,
            http="off",
            master_key=KEY,
            log_level="warning",
            feeds_allow_private="true",
            feeds_host_rate="0",
            websub_listen=f"127.0.0.1:{door}",
            websub_public_url=f"http://127.0.0.1:{door}",
            websub_rate="0",
        )
        with running(["run"], env, folder) as service:
            until(lambda: httpx.get(f"{hub}/state").json()["held"] == feeds, 120.0)
            took, answered = asyncio.run(measure(log_url, hub, feeds, pushes))
            service.end()
            print(service.said, end="", file=sys.stderr)
    return show(sort, took, answered)


def show(sort: str, took: list[float], answered: list[float]) -> bool:
    goal = GOALS_MS[sort]
    first, rest = took[0], took[1:]
    p50, p99, worst = (percentile(rest, share) for share in (0.5, 0.99, 1.0))
    print(f"{sort:7}{len(rest):5} pushes   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   worst {worst:6.1f} ms   ", end="")
    verdict = "met" if p99 <= goal else "MISSED"
    print(f"(the first {first:.1f} ms; hub answered {percentile(answered, 0.5):.1f} ms)   goal {goal:g} ms: {verdict}")
    return p99 <= goal


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed."""
    return sorted(values)[max(0, -(-int(len(values) * share * 1000) // 1000) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description="From a hub's POST to an event that can be read.")
    parser.add_argument("--pushes", type=int, default=300)
    parser.add_argument("--feeds", type=int, default=5)
    parser.add_argument("--log", choices=("sqlite", "kafka", "both"), default="both")
    asked = parser.parse_args()
    if asked.log != "kafka":
        with tempfile.TemporaryDirectory() as folder:
            bench("sqlite", f"sqlite:///{folder}/log.db", Path(folder), asked.feeds, asked.pushes)
    if asked.log != "sqlite":
        try:
            with KafkaCluster(1) as kafka, tempfile.TemporaryDirectory() as folder:
                bench("kafka", f"kafka://{kafka.bootstrap}", Path(folder), asked.feeds, asked.pushes)
        except KafkaMissing as missing:
            print(f"kafka   not measured: {missing}")


if __name__ == "__main__":
    main()
