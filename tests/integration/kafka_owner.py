"""Owns a task in a process of its own: joins, commits once, opens a transaction, says so, and waits to be killed."""

import asyncio
import sys

from tieup.log.base import NewRecord, TaskId, TopicPartition
from tieup.log.kafka import KafkaBounds, KafkaLog


class Ignore:
    async def start(self, partitions):
        pass

    async def stop(self, partitions):
        pass


async def main(bootstrap, group, topic):
    bounds = KafkaBounds(session_s=3, heartbeat_s=0.5)
    async with await KafkaLog.open(f"kafka://{bootstrap}", bounds=bounds) as log:
        await log.join(group, [topic], Ignore())
        task = await log.open_task(TaskId(group, "w", 0))
        await task.commit([NewRecord(topic, b"k", b"owned", 1000)], {TopicPartition(topic, 0): 1})
        producer = task._transactor._producer
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"half", partition=0)
        print("committed", flush=True)
        await asyncio.sleep(60)


asyncio.run(main(*sys.argv[1:]))
