"""The seam through which the log suite runs on every log.

A *storage* is where one log lives: a file, a broker. Tests never name a topic or a group themselves but ask the
storage for one, so that tests that share a broker do not meet. To plug in another log, give the fixture
`<name>_storage` an object with the methods of `Storage` and add its name to the parameters of `storage`.
"""

from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.kafka_storage import KafkaStorage

from tieup.errors import LogBusy
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import DAY_MS, Topic

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Storage:
    """Where one log lives."""

    partitions = 4
    """How many partitions a topic that is not single gets."""

    compacts = True
    """Whether `compact` works here within a test's time."""

    def topic(self, name, *, single=False, compact=False, retention_ms=None):
        """A topic (not yet created) under a name of this test's own."""
        raise NotImplementedError

    def group(self, name="group"):
        """The name of a group of this test's own."""
        raise NotImplementedError

    async def open(self):
        """A further, independent Log object on the same storage, as another process would open it."""
        raise NotImplementedError

    async def kill(self, log):
        """End a log as kill -9 would: nothing is flushed, committed or given back on purpose."""
        raise NotImplementedError

    async def expire(self, log, partition, before):
        """Let retention remove the records of a partition below the offset `before`."""
        raise NotImplementedError

    async def compact(self, log):
        """Let compaction run over everything."""
        raise NotImplementedError

    async def close(self):
        """Close whatever the test left open, and remove what it made."""
        raise NotImplementedError


class SqliteStorage(Storage):
    """One file. The first log that is open takes the runner's lock; the others are its guests."""

    def __init__(self, path):
        self._path = path
        self._opened = []
        self._topics = {}

    def topic(self, name, *, single=False, compact=False, retention_ms=None):
        topic = Topic(f"test.{name}.v1", single=single, compact=compact, retention_ms=retention_ms)
        self._topics[topic.name] = topic
        return topic

    def group(self, name="group"):
        return f"test-{name}"

    async def open(self):
        try:
            log = await SqliteLog.open(self._path, exclusive=True, partitions=self.partitions)
        except LogBusy:
            log = await SqliteLog.open(self._path, partitions=self.partitions)
        self._opened.append(log)
        return log

    async def kill(self, log):
        await log.close()

    async def expire(self, log, partition, before):
        reader = await log.reader({partition: before})
        (record,) = await reader.poll(1, 0)
        await reader.close()
        age = self._topics[partition.topic].retention_ms
        await log.clean(EPOCH + timedelta(milliseconds=record.timestamp + age))

    async def compact(self, log):
        await log.clean(EPOCH + timedelta(milliseconds=DAY_MS))

    async def close(self):
        for log in self._opened:
            await log.close()


@pytest.fixture
async def sqlite_storage(tmp_path):
    storage = SqliteStorage(tmp_path / "log.db")
    yield storage
    await storage.close()


@pytest.fixture
async def kafka_storage(kafka):
    storage = KafkaStorage(kafka)
    yield storage
    await storage.close()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def storage(request):
    """The storage of the log under test."""
    return request.getfixturevalue(f"{request.param}_storage")


@pytest.fixture
async def log(storage):
    """The first log on the storage, as a runner opens it."""
    return await storage.open()


@pytest.fixture
async def one(storage, log):
    """A topic with a single partition."""
    topic = storage.topic("one", single=True)
    await log.create([topic])
    return topic


@pytest.fixture
async def many(storage, log):
    """A topic with several partitions."""
    topic = storage.topic("many")
    await log.create([topic])
    return topic
