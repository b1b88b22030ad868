"""The one place that builds real objects: logs, workers, shells, the runner. The rest is handed what it needs."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from prometheus_client import CollectorRegistry

from tieup import __version__
from tieup.alerting import alert_shell, subscribers_served
from tieup.alerts.deliver import deliver_spec
from tieup.alerts.match import match_spec
from tieup.alerts.watch import ApiWatch, DeliveryWatch
from tieup.api.hub import hub_app
from tieup.api.loop_lag import loop_lag_watched
from tieup.api.operations import operations_app
from tieup.api.server import listen, serving
from tieup.articles.settings import ArticleSettings, FullText
from tieup.claims.extract import Extractor
from tieup.claims.worker import extract_spec
from tieup.companies.company import Company
from tieup.companies.gazetteer import load_gazetteer
from tieup.companies.registers import Addresses, ask
from tieup.config import KafkaSettings, Settings
from tieup.demo.sample import SampleFeed, load_sample
from tieup.demo.server import DemoServer, Served
from tieup.errors import LogUnavailable, UsageError
from tieup.events.envelope import DEFAULTS, EnvelopeSettings
from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.hubs.callbacks import Callbacks
from tieup.feeds.hubs.push import HubDoor
from tieup.feeds.hubs.wanted import WantedFeeds
from tieup.feeds.hubs.websub import HubTerms
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.feeds.settings import WebSubSettings
from tieup.feeds.watch import FetchWatch, HubWatch
from tieup.feeds.worker import fetch_spec
from tieup.log.base import Clock, Log, NewRecord, WorkerSpec
from tieup.log.kafka import KafkaBounds, KafkaLog, KafkaSecurity
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.sqlite import SqliteLog
from tieup.log.suffixed import SuffixedLog
from tieup.log.task import TaskBounds
from tieup.log.topics import CATALOGUE, DEAD_LETTERS
from tieup.metrics import Metrics
from tieup.outside.registers import Registers
from tieup.replay import begin_at
from tieup.stories.worker import story_spec

LOOKUPS: Final = 64  # names looked up at once: one that nobody answers for keeps a thread for half a minute
logger = logging.getLogger("tieup")

WORKERS: Final = ("fetch", "extract", "story", "match", "deliver")
OUTWARD: Final = frozenset({"fetch", "match", "deliver"})  # who asks or tells the world outside


def utc_now() -> datetime:
    """The process's clock, handed to whatever needs one."""
    return datetime.now(UTC)


async def open_log(settings: Settings, *, exclusive: bool = False) -> Log:
    """Open the log that the settings name: the embedded one, or Kafka.

    `exclusive` takes the embedded log's lock, as a runner must. Raises LogBusy, LogUnavailable, LogFull, LogCorrupt,
    SettingsError.
    """
    if settings.sqlite_path is not None:
        return await SqliteLog.open(settings.sqlite_path, exclusive=exclusive, partitions=settings.partitions)
    return await KafkaLog.open(
        settings.log,
        security=_security(settings.kafka),
        partitions=settings.partitions,
        replicas=settings.kafka.replication_factor,
        bounds=KafkaBounds(commit_s=settings.commit_deadline_s),
    )


def _security(kafka: KafkaSettings) -> KafkaSecurity:
    sasl = kafka.security_protocol.startswith("SASL")
    return KafkaSecurity(
        tls=kafka.security_protocol.endswith("SSL"),
        mechanism=kafka.sasl_mechanism if sasl else None,
        username=kafka.sasl_username if sasl else None,
        password=kafka.sasl_password if sasl else None,
        ca_file=kafka.ssl_cafile,
        cert_file=kafka.ssl_certfile,
        key_file=kafka.ssl_keyfile,
    )


def hub_terms(settings: Settings, *, asks: bool = True) -> HubTerms | None:
    """Return on what terms hubs are asked, None unless all that WebSub needs is set; a replay asks none."""
    websub, key = settings.websub, settings.master_key
    if websub.public_url is None or websub.listen is None or key is None or settings.suffix:
        return None
    return HubTerms(Callbacks(key, websub.public_url), websub, settings.feeds, asks)


def worker_specs(
    settings: Settings,
    workers: Sequence[str],
    clock: Clock,
    registry: CollectorRegistry | None = None,
    *,
    once: bool = False,
) -> list[WorkerSpec]:
    """Return the wanted workers (all if none is named) in the order of the flow; their own numbers go to `registry`.

    In a run that is to end (`once`) no hub is asked: it would call at a door that is shut.
    With a suffix those that ask or tell the world outside are left out. Raises UsageError for a wrong name, DataError
    or BadFile for a gazetteer that cannot be used.
    """
    unknown = [name for name in workers if name not in WORKERS]
    if unknown:
        raise UsageError(f"no worker {unknown[0]!r}: there are {', '.join(WORKERS)}")
    wanted = [name for name in WORKERS if not workers or name in workers]
    if settings.suffix:
        wanted = [name for name in wanted if name not in OUTWARD]
        if not wanted:
            raise UsageError("a replay asks and alerts nobody: fetch, match and deliver do not run with a suffix")
    return [_spec(name, settings, clock, registry, once=once) for name in wanted]


@asynccontextmanager
async def asking(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[FetchShell]:
    """A fetching shell for the command's own requests: the same bounds and the same politeness as the service's."""
    shell = FetchShell(settings.feeds, clock)
    try:
        yield shell
    finally:
        await shell.close()


def _spec(name: str, settings: Settings, clock: Clock, registry: CollectorRegistry | None, *, once: bool) -> WorkerSpec:
    if name == "fetch":
        watch, hubs, articles = FetchWatch(registry), hub_terms(settings, asks=not once), _articles(settings)
        shell = FetchShell(settings.feeds, clock, watch=watch, hubs=hubs, articles=articles)
        return fetch_spec(settings.feeds, shell, watch, hubs, articles)
    if name == "deliver":
        return deliver_spec(settings.alerts, alert_shell(settings, clock, DeliveryWatch(registry)))
    gazetteer = load_gazetteer(settings.gazetteer)
    if name == "match":
        return match_spec(gazetteer)
    if name == "extract":
        extractor = Extractor(gazetteer)
        return extract_spec(lambda: extractor, _articles(settings))
    return story_spec(gazetteer, code_version=__version__, settings=_envelope(settings))


def _articles(settings: Settings) -> ArticleSettings:
    """A replay asks nobody for a page: it reads the articles that were made of pages then."""
    return replace(settings.articles, full_text=FullText.NEVER) if settings.suffix else settings.articles


def _envelope(settings: Settings) -> EnvelopeSettings:
    return EnvelopeSettings(source=f"{DEFAULTS.source}/{settings.suffix}") if settings.suffix else DEFAULTS


def _suffixed(log: Log, specs: Sequence[WorkerSpec], suffix: str | None) -> Log:
    """With a suffix, what these workers write goes beside the live topics; what they only read is read live."""
    if not suffix:
        return log
    written = {topic for spec in specs for topic in (*spec.out, *spec.state)} | {DEAD_LETTERS}
    return SuffixedLog(log, written, suffix)


async def run(settings: Settings, workers: Sequence[str] = (), *, once: bool = False, clock: Clock = utc_now) -> None:
    """Run workers until SIGTERM or SIGINT; with `once`, until all input is read and nothing is due.

    Raises LogBusy if another runner has the embedded log, and what the runner raises.
    """
    registry = CollectorRegistry()
    stopping = asyncio.Event()
    with _signals(stopping):  # first: what is loaded next takes a second, in which a process may be told to end
        specs = worker_specs(settings, workers, clock, registry, once=once)
        async with AsyncExitStack() as stack:
            log = await stack.enter_async_context(await _patient_log(settings, stopping))
            log = _suffixed(log, specs, settings.suffix)
            await _run_on(log, settings, specs, stopping, once=once, clock=clock, registry=registry)


async def replay(settings: Settings, workers: Sequence[str], begin: datetime | None) -> bool:
    """Run workers once over the live input into topics with the settings' suffix, from `begin` on (None: all of it).

    A replay of that suffix that has begun already goes on where it ended; returns False then. Raises UsageError without
    a suffix, and what `run` raises.
    """
    if not settings.suffix:
        raise UsageError("a replay needs a suffix")
    registry = CollectorRegistry()
    specs = worker_specs(settings, workers, utc_now, registry)
    stopping = asyncio.Event()
    fresh = True
    with _signals(stopping):
        async with await _patient_log(settings, stopping) as live:
            log = _suffixed(live, specs, settings.suffix)
            if begin is not None:
                await log.create(CATALOGUE)
                app = f"{settings.group}-{settings.suffix}"
                fresh = await begin_at(log, app, specs[:1], specs[0].streams[:1], begin)
            await _run_on(log, settings, specs, stopping, once=True, clock=utc_now, registry=registry)
    return fresh


async def _run_on(
    log: Log,
    settings: Settings,
    specs: Sequence[WorkerSpec],
    stopping: asyncio.Event,
    *,
    once: bool,
    clock: Clock,
    registry: CollectorRegistry | None = None,
) -> None:
    for name in await log.create(CATALOGUE):
        logger.info("created topic %s", name)
    registry = CollectorRegistry() if registry is None else registry
    metrics = Metrics(registry)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOKUPS, "tieup-lookup"))
    runner = Runner(
        log,
        specs,
        app="-".join(filter(None, (settings.group, settings.suffix))),
        validator=SchemaValidator(),
        clock=clock,
        metrics=metrics,
        bounds=RunnerBounds(leave_s=0.8 * settings.shutdown_s, task=TaskBounds(batch=settings.batch_records)),
    )
    fetching, delivering = (any(spec.name == name for spec in specs) for name in ("fetch", "deliver"))
    async with AsyncExitStack() as beside:
        await beside.enter_async_context(loop_lag_watched(metrics.loop_lag.observe))
        await beside.enter_async_context(_operations(settings, runner, registry, serve=not once))
        if fetching and not once:
            await beside.enter_async_context(_hubs(settings, log, HubWatch(registry), clock))
        if delivering and not once:
            await beside.enter_async_context(subscribers_served(settings, log, ApiWatch(registry), clock))
        await runner.run(stopping, once=once)


@asynccontextmanager
async def _operations(
    settings: Settings, runner: Runner, registry: CollectorRegistry, *, serve: bool
) -> AsyncIterator[None]:
    if not serve or not settings.http:
        yield
        return
    async with serving(operations_app(runner, registry), listen(settings.http)) as url:
        logger.info("health and metrics on %s", url)
        yield


@asynccontextmanager
async def _hubs(settings: Settings, log: Log, watch: HubWatch, clock: Clock) -> AsyncIterator[None]:
    """Answer hubs, where WebSub is on; a parsing process is started for the first push meanwhile."""
    terms, websub = hub_terms(settings), settings.websub
    if terms is None or websub.listen is None:
        if websub != WebSubSettings():
            logger.warning("WebSub is off: it needs websub.public_url, websub.listen and master_key, and no suffix")
        yield
        return
    wanted = WantedFeeds(log, clock)
    door = HubDoor(terms, log.append, SchemaValidator(), clock, time.monotonic, watch, wanted.lacks)
    app = hub_app(door, concurrency=websub.concurrency, body_s=websub.body_s)
    async with serving(app, listen(websub.listen, "websub.listen"), head_s=websub.body_s) as url:
        logger.info("hubs are answered on %s", url)
        beside = [asyncio.create_task(wanted.follow()), asyncio.create_task(door.warm())]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)


async def _patient_log(settings: Settings, stopping: asyncio.Event) -> Log:
    """Open the log; one that is away is tried again until `start_wait_s` is over, with a line each time."""
    tries = max(1, int(settings.start_wait_s))
    for left in reversed(range(tries)):
        try:
            return await open_log(settings, exclusive=True)
        except LogUnavailable as error:
            if not left or stopping.is_set():
                raise
            logger.warning("%s; trying again", error)
            await asyncio.sleep(1)
    raise AssertionError


@contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@dataclass(frozen=True, slots=True)
class DemoPoll:
    """One poll of the demo: when it was (the demo's fixed clock), and how its requests were answered."""

    at: datetime
    served: tuple[Served, ...]


async def run_demo(settings: Settings) -> list[DemoPoll]:
    """Run the whole service on the sample feeds, served on loopback under fixed host names: once for each poll.

    The log is the settings'; the clock stands still at each poll's moment, one request goes out at a time and nothing
    is served, so that every run writes the same records. Raises what `run` raises.
    """
    sample = load_sample()
    polls: list[DemoPoll] = []
    with DemoServer(sample) as server:
        hosts = {feed.host: f"127.0.0.1:{server.port}" for feed in sample.feeds}
        own = replace(
            settings, http=None, websub=WebSubSettings(), feeds=replace(settings.feeds, hosts=hosts, concurrency=1)
        )
        async with await open_log(own, exclusive=True) as log:
            await log.create(CATALOGUE)
            await log.append([_sample_feed(feed, sample.polls[0]) for feed in sample.feeds])
            for number, at in enumerate(sample.polls, start=1):
                before = len(server.served)
                server.show(number)
                clock = _standing(at)
                registry = CollectorRegistry()
                specs = worker_specs(own, (), clock, registry)
                await _run_on(log, own, specs, asyncio.Event(), once=True, clock=clock, registry=registry)
                polls.append(DemoPoll(at, server.served[before:]))
    return polls


async def refresh_companies(
    settings: Settings, companies: Sequence[Company], addresses: Addresses, *, search: bool
) -> str:
    """Ask public registers about companies and return what they would add, as TOML. Raises FetchError."""
    registers = Registers(settings.feeds.user_agent, allow_private=settings.feeds.allow_private)
    try:
        return await ask(registers.get, companies, addresses, search=search)
    finally:
        await registers.close()


def _sample_feed(feed: SampleFeed, at: datetime) -> NewRecord:
    return feed_record(feed_from_url(feed.url, at, publisher=feed.publisher, language=feed.language))


def _standing(at: datetime) -> Clock:
    return lambda: at
