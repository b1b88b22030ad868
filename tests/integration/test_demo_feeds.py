"""The sample feeds, asked twice by the real fetching worker and shell: what the demo stands on."""

from datetime import datetime

import pytest

from tieup.demo.sample import Sample, load_sample
from tieup.demo.server import DemoServer
from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.registry import feed_from_url
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import NAME, FetchWorker
from tieup.log.base import OUTCOME_OFFSET, Change, Record
from tieup.log.topics import ARTICLES, FEEDS
from tieup.model.article import Article
from tieup.model.codec import decode, encode, to_millis


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load_sample()


class Desk:
    """The fetch worker with its shell, and the articles that it has published, all valid."""

    def __init__(self, sample: Sample, server: DemoServer) -> None:
        self._settings = FetchSettings(hosts=server.hosts)
        self._worker = FetchWorker(self._settings)
        self._validator = SchemaValidator()
        for feed in sample.feeds:
            wanted = feed_from_url(feed.url, sample.polls[0], publisher=feed.publisher, language=feed.language)
            self._validator.check(FEEDS, encode(wanted))
            self._worker.apply(Change(FEEDS, wanted.id.encode(), encode(wanted)))

    async def poll(self, now: datetime) -> list[Article]:
        shell = FetchShell(self._settings, clock=lambda: now)
        articles: list[Article] = []
        try:
            for act in self._worker.wake(now).acts:
                value = await shell.perform(act)
                record = Record(NAME, 0, OUTCOME_OFFSET, act.id.encode(), value, to_millis(now))
                articles += self._take(record)
        finally:
            await shell.close()
        return articles

    def _take(self, record: Record) -> list[Article]:
        output = self._worker.process(record)
        for written in (*output.records, *output.changes):
            self._validator.check(written.topic, written.value)
        for change in output.changes:
            self._worker.apply(change)
        assert {record.topic for record in output.records} <= {ARTICLES}  # no dead letter
        return [decode(Article, record.value, "an article") for record in output.records]


@pytest.mark.slow
async def test_two_polls_bring_every_entry_once_and_the_edit_as_a_second_version(sample: Sample) -> None:
    with DemoServer(sample) as server:
        desk = Desk(sample, server)
        first = await desk.poll(sample.polls[0])
        server.show(2)
        second = await desk.poll(sample.polls[1])
        statuses = [served.status for served in server.served]
    assert statuses[:8] == [200] * 8
    assert sorted(statuses[8:]) == [200] * 6 + [304] * 2
    assert all(article.backfill and article.version == 1 for article in first)
    assert not any(article.backfill for article in second)
    assert len({article.id for article in (*first, *second)}) == len(first) + len(second) - 1
    (edit,) = [article for article in second if article.version == 2]
    (before,) = [article for article in first if article.id == edit.id]
    assert edit.changed == ("title", "text")
    assert "sprachen über" in before.title
    assert "dementieren" in edit.title


@pytest.mark.slow
async def test_every_article_is_whole(sample: Sample) -> None:
    languages = {feed.publisher: feed.language for feed in sample.feeds}
    with DemoServer(sample) as server:
        articles = await Desk(sample, server).poll(sample.polls[0])
    assert {article.publisher for article in articles} == languages.keys()
    for article in articles:
        assert article.language == languages[article.publisher], article.title
        assert article.published < article.observed_at == sample.polls[0]
        assert 150 < len(article.text) < 2_000
        assert "<" not in article.text
        assert article.canonical_url.startswith("https://")
        assert "utm_" not in article.canonical_url
