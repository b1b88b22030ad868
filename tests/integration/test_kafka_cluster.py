"""Three brokers, one of which dies, or all: nothing is lost, nothing twice, and work goes on."""

import asyncio
import uuid
from collections import Counter

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from tests import logs
from tests.contract.reading import at, drain, record, values
from tests.sagas import saga_records
from tests.service import environment, running, said_url, until

from tieup.errors import LogUnavailable
from tieup.log.base import TaskId
from tieup.log.kafka import KafkaLog
from tieup.log.topics import RELATIONS, Topic

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


def test_the_whole_cluster_gone_and_back_costs_nothing(three_kafkas, tmp_path):
    """All brokers die at once and come back, while `tieup run` works; nobody does anything to it."""
    url = f"kafka://{three_kafkas.bootstrap}"
    records = saga_records(40)
    logs.append(url, records[:20])
    env = environment(log=url, partitions="1", http="127.0.0.1:0")
    with running(["run", "extract", "story"], env, tmp_path) as service:
        health = said_url(service)

        def has_told_of(count):
            taken = f'tieup_records_in_total{{topic="tieup.relations.v1",worker="story"}} {count}.0'
            return taken in httpx.get(f"{health}/metrics").text

        until(lambda: has_told_of(20))
        for broker in three_kafkas.brokers:
            broker.kill()
        until(lambda: any(task["error"] for task in httpx.get(f"{health}/healthz").json()["tasks"]), 60)
        for broker in three_kafkas.brokers:
            broker.start()
        three_kafkas.wait()
        logs.append(url, records[20:])
        until(lambda: has_told_of(40), 60)
        service.end()
    assert service.process.returncode == 0, service.said
    found = Counter(relation["article_id"] for relation in logs.values(url, RELATIONS))
    assert found == Counter(one.key.decode() for one in records)


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
