"""What the Kafka log builds on: aiokafka's transactions (protocol v0) against a real Apache Kafka.

These tests know nothing of tieup. They hold what was found, so that a new aiokafka or Kafka shows what changed.
"""

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError, MessageSizeTooLargeError, ProducerFenced

pytestmark = pytest.mark.kafka

WAIT_S = 20.0


@pytest.fixture
async def topic(kafka):
    name = f"transactions.{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs={"max.message.bytes": "100000"})])
    await admin.close()
    return name


@pytest.fixture
async def producer(kafka):
    """Makes started producers; the ids given become this test's own."""
    run, made = uuid.uuid4().hex, []

    async def start(name="one"):
        made.append(AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{run}-{name}"))
        await made[-1].start()
        return made[-1]

    yield start
    for one in made:
        await one.stop()
        waiter = one._txn_manager._transaction_waiter
        if waiter is not None and waiter.done():
            waiter.exception()  # else the loop says that nobody looked at it


async def read(kafka, topic, isolation):
    """All values up to the end that the isolation level shows."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, isolation_level=isolation, auto_offset_reset="earliest")
    await consumer.start()
    try:
        at = TopicPartition(topic, 0)
        consumer.assign([at])
        end = (await consumer.end_offsets([at]))[at]
        found = []
        async with asyncio.timeout(WAIT_S):
            while await consumer.position(at) < end:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [record.value for record in records]
        return found, end
    finally:
        await consumer.stop()


async def committed(kafka, group, topic):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    at = TopicPartition(topic, 0)
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    return (await admin.list_consumer_group_offsets(group, partitions=[at]))[at].offset
                except (
                    GroupCoordinatorNotAvailableError
                ):  # a fresh broker makes __consumer_offsets at the first question
                    await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def values(kafka, topic):
    return (await read(kafka, topic, "read_committed"))[0]


async def becomes(wanted, look, *arguments):
    """Look until it is so: a commit is answered before its markers stand in the partitions and the group."""
    found = await look(*arguments)
    async with asyncio.timeout(WAIT_S):
        while found != wanted:
            await asyncio.sleep(0.02)
            found = await look(*arguments)


async def test_a_commit_is_visible_and_an_abort_is_not(kafka, topic, producer):
    one = await producer()
    await one.begin_transaction()
    await one.send_and_wait(topic, b"kept")
    await one.commit_transaction()
    await one.begin_transaction()
    await one.send_and_wait(topic, b"dropped")
    await one.abort_transaction()
    await becomes(([b"kept"], 4), read, kafka, topic, "read_committed")
    await becomes(([b"kept", b"dropped"], 4), read, kafka, topic, "read_uncommitted")


async def test_an_open_transaction_holds_the_end_back_for_read_committed(kafka, topic, producer):
    one, two = await producer("one"), await producer("two")
    await one.begin_transaction()
    await one.send_and_wait(topic, b"open")
    await two.begin_transaction()
    await two.send_and_wait(topic, b"kept")
    await two.commit_transaction()
    await becomes(([], 0), read, kafka, topic, "read_committed")
    await becomes(([b"open", b"kept"], 3), read, kafka, topic, "read_uncommitted")
    await one.commit_transaction()
    await becomes(([b"open", b"kept"], 4), read, kafka, topic, "read_committed")


async def test_offsets_go_with_their_transaction(kafka, topic, producer):
    group = f"group-{topic}"
    one = await producer()
    assert await committed(kafka, group, topic) == -1
    await one.begin_transaction()
    await one.send_and_wait(topic, b"a")
    await one.send_offsets_to_transaction({TopicPartition(topic, 0): 7}, group)
    assert await committed(kafka, group, topic) == -1
    await one.commit_transaction()
    await becomes(7, committed, kafka, group, topic)
    await one.begin_transaction()
    await one.send_offsets_to_transaction({TopicPartition(topic, 0): 9}, group)
    await one.abort_transaction()
    await becomes(7, committed, kafka, group, topic)


async def test_a_second_producer_of_the_same_id_aborts_and_fences_the_first(kafka, topic, producer):
    old = await producer()
    await old.begin_transaction()
    await old.send_and_wait(topic, b"old")
    new = await producer()  # returns when the old transaction is aborted
    await becomes(([], 2), read, kafka, topic, "read_committed")
    await new.begin_transaction()
    await new.send_and_wait(topic, b"new")
    await new.commit_transaction()
    with pytest.raises(ProducerFenced):
        await old.commit_transaction()
    await becomes([b"new"], values, kafka, topic)


async def test_a_fenced_producer_cannot_send(kafka, topic, producer):
    old = await producer()
    await old.begin_transaction()
    await old.send_and_wait(topic, b"old")
    await producer()
    with pytest.raises(ProducerFenced):
        await old.send_and_wait(topic, b"late")
    assert (await read(kafka, topic, "read_committed"))[0] == []


async def test_a_fenced_producer_cannot_commit_offsets(kafka, topic, producer):
    old = await producer()
    await old.begin_transaction()
    await producer()
    with pytest.raises(ProducerFenced):
        await old.send_offsets_to_transaction({TopicPartition(topic, 0): 3}, f"group-{topic}")
    assert await committed(kafka, f"group-{topic}", topic) == -1


async def test_an_unawaited_send_that_failed_is_lost_and_the_commit_succeeds(kafka, topic, producer):
    """The trap: whoever does not await every send commits a transaction with a hole."""
    one = await producer()
    await one.begin_transaction()
    lost = await one.send(topic, b"x" * 200_000)  # larger than the topic's max.message.bytes
    await one.commit_transaction()
    with pytest.raises(MessageSizeTooLargeError):
        await lost
    assert (await read(kafka, topic, "read_committed"))[0] == []
