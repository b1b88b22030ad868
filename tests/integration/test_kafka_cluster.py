"""Three brokers, one of which dies: nothing is lost, nothing twice, and work goes on."""

import asyncio
import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from tests.contract.reading import at, drain, record, values

from tieup.errors import LogUnavailable
from tieup.log.base import TaskId
from tieup.log.kafka import KafkaLog
from tieup.log.topics import Topic

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def test_a_broker_dies_and_comes_back_and_nothing_is_lost_or_doubled(three_kafkas):
    topic = Topic(f"test.{uuid.uuid4().hex}.v1", single=True)
    task_id = TaskId(uuid.uuid4().hex, "w", 0)
    async with await KafkaLog.open(f"kafka://{three_kafkas.bootstrap}") as log:
        await log.create([topic])
        number = await leader_of(three_kafkas.bootstrap, topic.name)
        (leader,) = [broker for broker in three_kafkas.brokers if broker.node_id == number]
        task, done = await log.open_task(task_id), 0
        async with asyncio.timeout(60):
            while done < 60:
                if done == 20:
                    leader.kill()
                if done == 40 and not leader.running:
                    leader.start()
                try:
                    await task.commit([record(topic, b"k", b"%d" % done)], {at(topic): done + 1})
                except LogUnavailable:
                    await task.close()
                    task = await reopened(log, task_id)
                    done = (await task.committed([at(topic)]))[at(topic)] or 0
                else:
                    done += 1
        assert values(await drain(log, [at(topic)])) == [b"%d" % n for n in range(60)]
        assert await log.check([topic]) == []


async def reopened(log, task_id):
    while True:
        try:
            return await log.open_task(task_id)
        except LogUnavailable:
            await asyncio.sleep(0.2)


async def leader_of(bootstrap, topic):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    await admin.start()
    (described,) = [one for one in await admin.describe_topics() if one["topic"] == topic]
    await admin.close()
    (partition,) = described["partitions"]
    assert len(partition["replicas"]) == 3
    return partition["leader"]
