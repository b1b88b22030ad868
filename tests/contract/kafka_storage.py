"""One Kafka as a storage of the log suite (see conftest.py)."""

import uuid

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from tests.contract.reading import drain

from tieup.log.kafka import KafkaLog
from tieup.log.topics import Topic


class KafkaStorage:
    """A running Kafka that other tests use too: every name carries this test's mark."""

    partitions = 4
    compacts = False  # a broker compacts closed segments only, in its own time

    def __init__(self, bootstrap):
        self._bootstrap = bootstrap
        self._mark = uuid.uuid4().hex[:12]
        self._opened = []

    def topic(self, name, *, single=False, compact=False, retention_ms=None):
        return Topic(f"test.{self._mark}.{name}.v1", single=single, compact=compact, retention_ms=retention_ms)

    def group(self, name="group"):
        return f"test-{self._mark}-{name}"

    async def open(self):
        log = await KafkaLog.open(f"kafka://{self._bootstrap}", partitions=self.partitions)
        self._opened.append(log)
        return log

    async def kill(self, log):
        await log.close()  # a close drops producers unflushed, so their transactions stay open as after a kill

    async def expire(self, log, partition, before):
        await drain(log, [partition])  # what is removed must be settled
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        named = aiokafka.TopicPartition(partition.topic, partition.partition)
        await admin.delete_records({named: RecordsToDelete(before_offset=before)})
        await admin.close()

    async def compact(self, log):
        raise NotImplementedError

    async def close(self):
        for log in self._opened:
            await log.close()
