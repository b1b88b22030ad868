"""Several `tieup run` on one Kafka: feeds are shared by domain, one process comes, one is killed, no entry is lost."""

import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from tests.feed_server import item, rss, served_by_a_thread
from tests.logs import append, on_log, values
from tests.service import Service, environment, running, said_url, until

from tieup.feeds.registry import feed_from_url, feeds_to_records, poll_now_record
from tieup.log.base import Log, partition_for
from tieup.log.topics import ARTICLES
from tieup.model.feed import Feed

PARTITIONS = 4
HOSTS = [f"127.0.0.{n}" for n in (2, 3, 4, 5, 6, 9, 13, 21)]  # two in each partition
EVERY_S = 0.5

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.1 is the only loopback address"),
]


class News:
    """Feeds on many hosts; each has one entry more whenever it is asked, until it is `enough`."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.entries: Counter[str] = Counter()
        self.enough = False
        self.port = 0

    def answer(self, host: str) -> bytes:
        self.asked[host] += 1
        self.entries[host] += not self.enough
        return rss(*(item(n) for n in range(self.entries[host], 0, -1)))

    def links(self) -> Counter[str]:
        """All entries that there are, once each."""
        found = ((host, n) for host, count in self.entries.items() for n in range(1, count + 1))
        return Counter(f"http://{host}:{self.port}/articles/{n}" for host, n in found)


@contextmanager
def asked_for(url: str, feeds: list[Feed]) -> Iterator[None]:
    """Ask for all feeds again and again meanwhile, as an impatient operator does."""
    over = threading.Event()

    async def ask(log: Log) -> None:
        while not over.wait(EVERY_S):
            now = datetime.now(UTC)
            await log.append([poll_now_record(feed, "a test", now) for feed in feeds])

    asking = threading.Thread(target=on_log, args=(url, ask), daemon=True)
    asking.start()
    yield
    over.set()
    asking.join()


def polls(service: Service) -> float:
    """How often the process has polled a feed and found something."""
    told = httpx.get(f"{said_url(service)}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in told if line.startswith('tieup_polls_total{outcome="changed"}'))


def test_feeds_are_shared_by_domain_and_taken_over(own_kafka, tmp_path) -> None:
    url = f"kafka://{own_kafka.bootstrap}"
    settings = {"feeds_allow_private": "true", "articles_full_text": "never", "http": "127.0.0.1:0"}
    env = environment(log=url, partitions=str(PARTITIONS), **settings)
    assert Counter(partition_for(host.encode(), PARTITIONS) for host in HOSTS) == dict.fromkeys(range(PARTITIONS), 2)
    news = News()
    with (
        served_by_a_thread(news.answer, "0.0.0.0") as news.port,  # on all of 127.0.0.0/8
        running(["run", "fetch"], env, tmp_path) as one,
    ):
        feeds = [feed_from_url(f"http://{host}:{news.port}/feed.xml", datetime.now(UTC)) for host in HOSTS]
        append(url, feeds_to_records(feeds), PARTITIONS)
        until(lambda: len(news.asked) == len(HOSTS))
        with asked_for(url, feeds), running(["run", "fetch"], env, tmp_path) as two:
            until(lambda: polls(two) > 2)
            before = polls(one)
            until(lambda: polls(one) > before + 2)
            one.end(signal.SIGKILL)
            then = Counter(news.asked)
            until(lambda: all(news.asked[host] > then[host] + 1 for host in HOSTS))
            news.enough = True
            until(lambda: Counter(article["url"] for article in values(url, ARTICLES)) == news.links())
            two.end()
    assert two.process.returncode == 0, two.said
    assert Counter(article["url"] for article in values(url, ARTICLES)) == news.links()
