"""How the suites of the log write and read."""

import asyncio

from tieup.log.base import NewRecord, TopicPartition

WAIT_S = 30.0


def record(topic, key, value=b"{}", **more):
    """A new record; its timestamp is 1000 ms unless given."""
    return NewRecord(topic.name, key, value, more.pop("timestamp", 1000), **more)


def at(topic, partition=0):
    return TopicPartition(topic.name, partition)


def every(storage, topic):
    """All partitions of a topic."""
    return [at(topic, p) for p in range(1 if topic.single else storage.partitions)]


async def drain(log, partitions, start=0):
    """Everything that is visible from `start` to the present end, partition by partition."""
    ends = await log.end_offsets(partitions)
    reader = await log.reader(dict.fromkeys(partitions, start))
    found = []
    async with asyncio.timeout(WAIT_S):
        while any(reader.positions()[one] < ends[one] for one in partitions):
            found += await reader.poll(100, 1.0)
    await reader.close()
    return found


async def receive(reader, count):
    """The next `count` records."""
    found = []
    async with asyncio.timeout(WAIT_S):
        while len(found) < count:
            found += await reader.poll(count - len(found), 1.0)
    return found


def values(records):
    return [one.value for one in records]
