"""The world around a run from feeds to webhooks: a site whose feeds hold the numbered articles, and a subscriber.

`python -m tests.chaos.world COUNT` is a world in a process of its own, all entries at once: it prints its settings and
hooks, and when its input ends what arrived.

Each feed is wanted at a moment of its own, shows the first half of its entries at once and the second half later, as a
feed fills. So fetching has something new at first polls and at later ones, and answers 304 to the rest.
"""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path

import orjson

from tests.chaos.appender import Appender
from tests.chaos.pairs import article_id, articles
from tests.feed_server import ENTRY, Answer, FeedServer, Page, feed_server, rss
from tests.receiver import Answer as Thanks
from tests.receiver import Received, Receiver, receiving
from tests.service import environment, tieup
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.log.base import NewRecord, partition_for
from tieup.log.topics import FEEDS
from tieup.model.article import Article

ROOT = Path(__file__).parent.parent.parent
ENTRIES = 100
"""Of one feed."""
SITES = 20
LATER_S = 30.0
"""After it was first asked a feed has its second half; the next poll finds it."""
POLL_S = 60
"""How often a feed is asked: the least that the settings allow."""

HOOKS = {"joint_venture": "/ventures", "supply": "/supplies"}
"""The kinds of tests.chaos.pairs, and where their alerts go."""

SETTINGS = f"""
master_key = "a key that is for tests and nothing else"
[feeds]
interval_s = {POLL_S}
retry_s = {POLL_S}
quiet_interval_s = {POLL_S}
min_interval_s = {POLL_S}
parsers = 1
[articles]
full_text = "never"
[alerts]
allow_private = true
max_pending = 100000
max_waiting = 1000000
[feeds.hosts]
"""


@dataclass(slots=True)
class Feed:
    """A feed of the site: its entries' numbers, its two documents, and since when the second one stands there."""

    numbers: range
    half: bytes
    whole: bytes
    whole_at: float = float("inf")


class World(threading.Thread):
    """Serves feeds and takes webhooks on loopback, in one thread, until it is closed.

    `sent` says since when an article could be had: from when its feed was wanted, or was first asked after its second
    half had come. `hooked` lists what arrived: the article, the webhook-id, and when. With `at_once` a feed has all its
    entries from the start.
    """

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic, *, at_once: bool = False) -> None:
        super().__init__(name="world", daemon=True)
        self.sent: dict[int, float] = {}
        self.hooked: list[tuple[int, str, float]] = []
        self.alerted: set[int] = set()
        self.asked = 0
        self.at_once = at_once
        self._clock = clock
        self._numbers = {article_id(n): n for n in range(count)}
        made = list(articles(count))
        self.feeds = [_feed(made, range(at, min(at + ENTRIES, count))) for at in range(0, count, ENTRIES)]
        self._up, self._closing = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._site, self._receiver = FeedServer(), Receiver()

    def __enter__(self) -> "World":
        self.start()
        assert self._up.wait(10.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self.join()

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            pages = {f"/{n}.xml": self._page(feed) for n, feed in enumerate(self.feeds)}
            self._site = await stack.enter_async_context(feed_server(pages))
            self._receiver = await stack.enter_async_context(receiving())
            self._receiver.script = self._take
            self._up.set()
            await self._closing.wait()

    def _page(self, feed: Feed) -> Callable[[object], Answer]:
        half, whole = Page(feed.half, etag='"half"'), Page(feed.whole, etag='"whole"')

        def page(seen: object) -> Answer:
            self.asked += 1
            now = self._clock()
            feed.whole_at = min(feed.whole_at, now + (0.0 if self.at_once else LATER_S))
            if now < feed.whole_at:
                return half(seen)
            for number in feed.numbers:
                self.sent.setdefault(number, now)
            return whole(seen)

        return page

    def _take(self, received: Received) -> Thanks:
        number = self._numbers[about(received.body)]
        self.hooked.append((number, received.id, self._clock()))
        self.alerted.add(number)
        return Thanks()

    @property
    def settings(self) -> str:
        """The settings of a process that shall read the site and may tell the subscriber (tieup.toml)."""
        place = f"127.0.0.1:{self._site.port}"
        return SETTINGS + "".join(f'"{_host(n)}" = "{place}"\n' for n in range(SITES))

    @property
    def hooks(self) -> dict[str, str]:
        """Where the alerts of each kind go."""
        return {kind: f"http://127.0.0.1:{self._receiver.port}{path}" for kind, path in HOOKS.items()}


class Publisher(Appender):
    """Wants one feed after the other, so that `rate` articles a second come in the long run."""

    def __init__(self, servers: str, world: World, rate: float, partitions: int) -> None:
        super().__init__(servers)
        self._world, self._rate, self._partitions = world, rate, partitions
        self.sent = world.sent

    def append_all(self) -> None:
        started = time.monotonic()
        for n, feed in enumerate(self._world.feeds):
            time.sleep(max(0.0, started + n * ENTRIES / self._rate - time.monotonic()))
            record = wanted(n)
            for number in feed.numbers if self._world.at_once else _first(feed.numbers):
                self.sent[number] = time.monotonic()
            self.producer.produce(
                FEEDS,
                record.value,
                record.key,
                partition=partition_for(record.place_by, self._partitions),
                timestamp=record.timestamp,
                on_delivery=self.delivered,
            )
            self.producer.poll(0)


class Outside:
    """A world in a process of its own, so that whoever asks for it has no thread of it when it forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        told = orjson.loads(process.stdout.readline())
        self.settings: str = told["settings"]
        self.hooks: dict[str, str] = told["hooks"]

    def end(self) -> list[tuple[int, str, float]]:
        """End it; returns what arrived, as `World.hooked`."""
        said, _ = self._process.communicate()
        return [(number, one, at) for number, one, at in orjson.loads(said)]


@contextmanager
def outside(count: int) -> Iterator[Outside]:
    """A world of so many articles, all of a feed at once, until the block ends."""
    command = [sys.executable, "-m", "tests.chaos.world", str(count)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Outside(process)
        finally:
            process.kill()


def subscribe(hooks: Mapping[str, str], log: str, folder: Path) -> None:
    """Make a subscription for each kind, as a user does; the settings stand in the folder."""
    env = environment(log=log, gazetteer=str(folder / "pairs.toml"))
    for kind, url in hooks.items():
        options = ("--webhook", url, "--name", kind, "--backfill", "--max-age-h", "36500")
        done = tieup(["alerts", "add", f"kind:{kind}", *options], env, folder)
        assert done.returncode == 0, done.stderr


def wanted(number: int) -> NewRecord:
    """The record that wants a feed of the site."""
    return feed_record(feed_from_url(f"http://{_host(number % SITES)}/{number}.xml", datetime.now(UTC)))


def about(body: bytes) -> str:
    """The article that a webhook's message is about."""
    found: str = orjson.loads(body)["data"]["event"]["cause"]["article_id"]
    return found


def _first(numbers: range) -> range:
    return numbers[: (len(numbers) + 1) // 2]


def _feed(made: list[Article], numbers: range) -> Feed:
    entries = [_entry(made[n]) for n in numbers]
    return Feed(numbers, rss(*entries[: len(_first(numbers))]), rss(*entries))


def _entry(article: Article) -> str:
    date = f"<pubDate>{format_datetime(article.published)}</pubDate>"
    title, text = escape(article.title), escape(article.text)
    return ENTRY.format(title=title, link=article.url, guid=article.id, date=date, text=text)


def _host(number: int) -> str:
    return f"news{number}.example"


def main() -> None:
    with World(int(sys.argv[1]), at_once=True) as world:
        print(orjson.dumps({"settings": world.settings, "hooks": world.hooks}).decode(), flush=True)
        sys.stdin.read()
        print(orjson.dumps(world.hooked).decode(), flush=True)


if __name__ == "__main__":
    main()
