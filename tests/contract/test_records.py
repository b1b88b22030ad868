"""What the workers really write on the sample feeds is what the schemas and `asyncapi.yaml` describe."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from tieup.claims.extract import Extractor
from tieup.claims.worker import ExtractWorker
from tieup.companies.gazetteer import load_gazetteer
from tieup.demo.sample import load_sample
from tieup.demo.server import DemoServer
from tieup.events.validate import SchemaValidator
from tieup.feeds.http import FetchShell
from tieup.feeds.registry import feed_from_url
from tieup.feeds.settings import FetchSettings
from tieup.feeds.worker import NAME, FetchWorker
from tieup.log.base import OUTCOME_OFFSET, Change, NewRecord, Record, Worker
from tieup.log.topics import ARTICLES, ASSIGNMENTS, EVENTS, FEED_STATES, FEEDS, RELATIONS, SEEN_ENTRIES, STORIES
from tieup.model.codec import encode, to_millis
from tieup.stories.worker import StoryWorker

ASYNCAPI = Path(__file__).parents[2] / "schemas" / "asyncapi.yaml"


@dataclass
class Written:
    """All that the three workers wrote, in order."""

    records: list[NewRecord] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def of(self, topic: str) -> list[bytes | None]:
        return [one.value for one in (*self.records, *self.changes) if one.topic == topic]

    def take(self, worker: Worker, record: Record) -> Iterator[Record]:
        """Let a worker process one record, keep what it wrote, and hand its records on as input."""
        output = worker.process(record)
        for change in output.changes:
            worker.apply(change)
        self.records += output.records
        self.changes += output.changes
        for at, one in enumerate(output.records):
            yield Record(one.topic, 0, at, one.key, one.value, one.timestamp, one.headers)


async def polls() -> list[Record]:
    """The outcomes of both polls of all sample feeds."""
    sample = load_sample()
    feeds = [feed_from_url(feed.url, sample.polls[0], publisher=feed.publisher) for feed in sample.feeds]
    outcomes = []
    with DemoServer(sample) as server:
        for number, now in enumerate(sample.polls, start=1):
            server.show(number)
            settings = FetchSettings(hosts=server.hosts)
            shell, asker = FetchShell(settings, clock=lambda now=now: now), FetchWorker(settings)
            for feed in feeds:
                asker.apply(Change(FEEDS, feed.id.encode(), encode(feed)))
            for act in asker.wake(now).acts:
                value = await shell.perform(act)
                outcomes.append(Record(NAME, 0, OUTCOME_OFFSET, act.id.encode(), value, to_millis(now)))
            await shell.close()
    return outcomes


@pytest.fixture(scope="module")
def written() -> Written:
    gazetteer = load_gazetteer()
    fetch, extract, story = FetchWorker(FetchSettings()), ExtractWorker(Extractor(gazetteer)), StoryWorker(gazetteer)
    sample = load_sample()
    for feed in sample.feeds:
        wanted = feed_from_url(feed.url, sample.polls[0], publisher=feed.publisher, language=feed.language)
        fetch.apply(Change(FEEDS, wanted.id.encode(), encode(wanted)))
    everything = Written()
    for outcome in asyncio.run(polls()):
        for article in everything.take(fetch, outcome):
            for relations in everything.take(extract, article):
                list(everything.take(story, relations))
    return everything


@pytest.mark.slow
def test_every_record_is_valid(written: Written) -> None:
    validator = SchemaValidator()
    topics = set()
    for one in (*written.records, *written.changes):
        validator.check(one.topic, one.value)
        topics.add(one.topic)
    assert topics == {ARTICLES, RELATIONS, EVENTS, FEED_STATES, SEEN_ENTRIES, STORIES, ASSIGNMENTS}
    assert len(written.of(ARTICLES)) > 40
    assert len(written.of(EVENTS)) > 10


@pytest.mark.slow
def test_the_headers_of_every_event_are_those_that_clients_are_told(written: Written) -> None:
    told = YAML(typ="safe").load(ASYNCAPI)["components"]["schemas"]["cloudEventHeaders"]
    schema = jsonschema.Draft202012Validator(
        told | {"additionalProperties": False}, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    events = [record for record in written.records if record.topic == EVENTS]
    for event in events:
        headers = {name: value.decode() for name, value in event.headers}
        schema.validate(headers)
        assert headers["ce_subject"] == event.key.decode()
    ids = [dict(event.headers)["ce_id"] for event in events]
    assert len(set(ids)) == len(ids)
