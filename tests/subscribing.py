"""The fetch worker with its door for hubs, on the embedded log: run for a while, as often as a test wants."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from prometheus_client import CollectorRegistry

from tests.fetching import Fetching
from tieup.api.hub import hub_app
from tieup.api.server import listen, serving
from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.hubs.callbacks import Callbacks
from tieup.feeds.hubs.push import HubDoor
from tieup.feeds.hubs.wanted import WantedFeeds
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.feeds.watch import FetchWatch, HubWatch
from tieup.feeds.worker import fetch_spec
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.sqlite import SqliteLog
from tieup.log.task import TaskBounds
from tieup.log.topics import CATALOGUE
from tieup.metrics import Metrics

T = TypeVar("T")

KEY = "a master key for tests that is long enough"


@dataclass
class Subscribing(Fetching):
    """As Fetching, but for a while and with a door. `later` shifts the clock, which otherwise goes as it does."""

    settings: FetchSettings = field(
        default_factory=lambda: FetchSettings(allow_private=True, host_rate=0.0, jitter=0.0)
    )
    websub: WebSubSettings = field(default_factory=lambda: WebSubSettings(renewal_s=1))
    key: str = KEY
    later: timedelta = timedelta()
    port: int = 0
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.later

    def terms(self) -> HubTerms:
        return HubTerms(Callbacks(self.key, f"http://127.0.0.1:{self.port}/own"), self.websub, self.settings)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Subscribing"]:
        """Run until the block ends; the port stays the same over restarts."""
        door_at = listen(f"127.0.0.1:{self.port}")
        self.port = door_at.getsockname()[1]
        terms = self.terms()
        self.registry = CollectorRegistry()
        async with await SqliteLog.open(self.path, exclusive=True, partitions=1) as log:
            await log.create(CATALOGUE)
            watch = FetchWatch(self.registry)
            shell = FetchShell(self.settings, self.clock, watch=watch, hubs=terms)
            runner = Runner(
                log,
                [fetch_spec(self.settings, shell, watch, terms)],
                app="test",
                validator=SchemaValidator(),
                clock=self.clock,
                metrics=Metrics(CollectorRegistry()),
                bounds=RunnerBounds(task=TaskBounds(tick_s=0.05)),
            )
            wanted = WantedFeeds(log, self.clock)
            door = HubDoor(
                terms,
                log.append,
                SchemaValidator(),
                self.clock,
                time.monotonic,
                HubWatch(self.registry),
                wanted.lacks,
            )
            app = hub_app(door, concurrency=self.websub.concurrency, body_s=self.websub.body_s)
            stopping = asyncio.Event()
            async with serving(app, door_at, head_s=self.websub.body_s):
                run = asyncio.create_task(runner.run(stopping))
                following = asyncio.create_task(wanted.follow())
                try:
                    yield self
                finally:
                    stopping.set()
                    await run
                    following.cancel()
                    await asyncio.wait([following])
                    await shell.close()

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def state(self):
        (state,) = (await self.states()).values()
        return state

    async def until(self, found: Callable[..., object], within_s: float = 20.0):
        """Wait until the newest state of the only feed is as wanted, and return it."""
        states = await eventually(self.states, lambda states: states and found(*states.values()), within_s)
        return next(iter(states.values()))


async def eventually(ask: Callable[[], Awaitable[T]], found: Callable[[T], object], within_s: float = 20.0) -> T:
    """Ask again and again until the answer is as wanted, and return it."""
    async with asyncio.timeout(within_s):
        while True:
            answer = await ask()
            if found(answer):
                return answer
            await asyncio.sleep(0.02)


async def true(found: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait until it is."""

    async def ask() -> object:
        return found()

    await eventually(ask, bool, within_s)
