"""The fetch worker (and the extract worker) on the embedded log, run to the end as often as a test wants.

Every run is a restart.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from tieup.articles.settings import ArticleSettings
from tieup.claims.extract import Extractor
from tieup.claims.worker import extract_spec
from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.settings import FetchSettings
from tieup.feeds.watch import FetchWatch
from tieup.feeds.worker import fetch_spec
from tieup.log.base import NewRecord, Record, TopicPartition
from tieup.log.runner import Runner
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import ARTICLES, CATALOGUE, FEED_STATES
from tieup.metrics import Metrics
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.feed import FeedState

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


@dataclass
class Fetching:
    """A log file, a clock that stands still, and settings; every call opens and closes everything."""

    path: Path
    now: datetime = NOON
    settings: FetchSettings = field(default_factory=lambda: FetchSettings(allow_private=True, read_s=2.0))
    articles_as: ArticleSettings = field(default_factory=ArticleSettings)
    extractor: Extractor | None = None
    partitions: int = 1
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    async def run(self) -> None:
        async with await SqliteLog.open(self.path, exclusive=True, partitions=self.partitions) as log:
            await log.create(CATALOGUE)
            self.registry = CollectorRegistry()
            watch = FetchWatch(self.registry)
            shell = FetchShell(self.settings, lambda: self.now, watch=watch, articles=self.articles_as)
            specs = [fetch_spec(self.settings, shell, watch, articles=self.articles_as)]
            if self.extractor is not None:
                extractor = self.extractor
                specs.append(extract_spec(lambda: extractor, self.articles_as))
            try:
                runner = Runner(
                    log,
                    specs,
                    app="test",
                    validator=SchemaValidator(),
                    clock=lambda: self.now,
                    metrics=Metrics(CollectorRegistry()),
                )
                async with asyncio.timeout(60):
                    await runner.run(asyncio.Event(), once=True)
            finally:
                await shell.close()

    async def append(self, records: Sequence[NewRecord]) -> None:
        async with await SqliteLog.open(self.path, partitions=self.partitions) as log:
            await log.create(CATALOGUE)
            await log.append(records)

    async def read(self, topic: str) -> list[Record]:
        async with await SqliteLog.open(self.path) as log:
            places = [TopicPartition(topic, partition) for partition in range(await log.partitions(topic))]
            ends = await log.end_offsets(places)
            reader = await log.reader(await log.first_offsets(places))
            records: list[Record] = []
            while any(reader.positions()[at] < ends[at] for at in places):
                records += await reader.poll(500, 0.1)
            await reader.close()
        return records

    async def articles(self) -> list[Article]:
        return [decode(Article, record.value, record.place) for record in await self.read(ARTICLES)]

    async def states(self) -> dict[str, FeedState]:
        records = await self.read(FEED_STATES)
        return {state.url: state for state in (decode(FeedState, record.value, record.place) for record in records)}

    def pages(self) -> dict[str, float]:
        """What came of the last run's pages, as its metrics count it."""
        found = (sample for metric in self.registry.collect() for sample in metric.samples)
        return {one.labels["outcome"]: one.value for one in found if one.name == "tieup_pages_total" and one.value > 0}
