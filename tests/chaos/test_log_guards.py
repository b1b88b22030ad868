"""Every guard against a measured trap of the client, and beside it the same check with the guard switched off.

The check must find the fault then: a guard that nobody would miss is none.
"""

import asyncio
import gc
import itertools
import uuid

import pytest
from aiokafka.errors import GroupLoadInProgressError
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from tests.chaos.former_leader import former_leader
from tests.chaos.guarding import WAIT_S, ends_within, guarded
from tests.chaos.proxy import END_TXN, INIT_PRODUCER_ID, OFFSET_FETCH
from tests.contract.reading import at, drain, record, values
from tieup.errors import InvalidOutput, LogError, LogUnavailable
from tieup.log import kafka_topics, kafka_transactions
from tieup.log.base import TaskId
from tieup.log.kafka import KafkaBounds, KafkaLog
from tieup.log.kafka_client import drop_producer
from tieup.log.kafka_reader import KafkaReader
from tieup.log.kafka_topics import Cluster
from tieup.log.kafka_transactions import KafkaTaskLog, Transactor
from tieup.log.topics import Topic


@pytest.fixture
async def log(kafka):
    async with await KafkaLog.open(f"kafka://{kafka}") as one:
        yield one


async def made(log):
    topic = Topic(f"guards.{uuid.uuid4().hex}.v1", single=True)
    await log.create([topic])
    return topic, TaskId(uuid.uuid4().hex, "w", 0)


async def reopened(log, task_id):
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await log.open_task(task_id)
            except LogUnavailable:
                await asyncio.sleep(0.1)


@guarded
@pytest.mark.kafka
async def test_the_end_of_a_transaction_that_comes_late_ends_no_other(proxied_kafka, monkeypatch, guarded):
    """Trap: EndTxn is repeated after a broken connection; the first then tears the next transaction in two."""
    if not guarded:
        monkeypatch.setattr(kafka_transactions, "end_once", lambda producer: None)
    async with await KafkaLog.open(f"kafka://{proxied_kafka.cluster.bootstrap}") as log:
        topic, task_id = await made(log)
        hold = await log.open_task(task_id)
        await hold.commit([record(topic, b"k", b"one")], {at(topic): 1})
        proxied_kafka.proxy.hold(END_TXN)
        try:
            await hold.commit([record(topic, b"k", b"two")], {at(topic): 2})
        except LogUnavailable:
            assert guarded
            await hold.close()
            hold = await reopened(log, task_id)
        assert await asyncio.to_thread(proxied_kafka.proxy.held.wait, 10)
        producer = hold._transactor._producer
        await producer.begin_transaction()
        await producer.send_and_wait(topic.name, b"half", partition=0)
        await asyncio.to_thread(proxied_kafka.proxy.let_go)
        torn = b"half" in values(await drain(log, [at(topic)]))
        assert torn != guarded
        await hold.close()


@guarded
@pytest.mark.kafka
async def test_a_zombie_commits_nothing(log, monkeypatch, guarded):
    """Trap: offsets are sent without the group's generation, so a member that lost its partition can still commit."""
    if not guarded:
        numbers = itertools.count()
        own = property(lambda self: f"{self.group}-{self.partition}-{next(numbers)}")
        monkeypatch.setattr(TaskId, "transactional_id", own)
    topic, task_id = await made(log)
    zombie = await log.open_task(task_id)
    owner = await log.open_task(task_id)
    await owner.commit([record(topic, b"k", b"0")], {at(topic): 1})
    try:
        await zombie.commit([record(topic, b"k", b"0")], {at(topic): 1})
    except LogError:
        assert guarded
    doubled = len(await drain(log, [at(topic)])) > 1
    assert doubled != guarded


@pytest.mark.kafka
async def test_a_large_commit_that_is_fenced_halfway_is_one_error_and_no_more(log, caplog):
    """Sends whose commit has failed by then fail too, and nobody waits for them: each would be logged as forgotten."""
    topic, task_id = await made(log)
    zombie = await log.open_task(task_id)
    await log.open_task(task_id)
    with pytest.raises(LogError):
        await zombie.commit([record(topic, b"k", b"x" * 10_000) for _ in range(500)], {at(topic): 500})
    await zombie.close()
    gc.collect()
    assert "never retrieved" not in caplog.text


@guarded
@pytest.mark.kafka
async def test_a_send_that_failed_is_not_committed_over(log, monkeypatch, guarded):
    """Trap: commit_transaction() succeeds over a send whose future nobody awaited."""
    if not guarded:
        send = Transactor._send

        async def unawaited(self, placed):
            sent = await send(self, placed)
            sent.add_done_callback(lambda future: future.cancelled() or future.exception())
            other = asyncio.get_running_loop().create_future()
            other.set_result(type("Unknown", (), {"offset": -1}))
            return other

        monkeypatch.setattr(Transactor, "_send", unawaited)
    topic, task_id = await made(log)
    hold = await log.open_task(task_id)
    try:
        await hold.commit([record(topic, b"k", b"x" * 2_000_000)], {at(topic): 1})
    except InvalidOutput:
        assert guarded
    again = await log.open_task(task_id)
    position = (await again.committed([at(topic)]))[at(topic)] or 0
    lost = position > len(await drain(log, [at(topic)]))
    assert lost != guarded


async def goes_on(self, records, offsets):
    """A commit that failed is aborted, as the client's documentation shows, and its producer is used again."""
    try:
        await self._transactor.run(await self._cluster.placed(records), self._task.group, offsets)
    except InvalidOutput:
        await self._transactor.abort()
        raise


@guarded
@pytest.mark.kafka
async def test_a_task_does_not_go_on_after_a_commit_that_failed(log, monkeypatch, guarded):
    """Trap: a producer can be used again after an abort, and the next commit passes by what was never said."""
    if not guarded:
        monkeypatch.setattr(KafkaTaskLog, "commit", goes_on)
    topic, task_id = await made(log)
    other, _ = await made(log)
    hold = await log.open_task(task_id)
    with pytest.raises(InvalidOutput):
        await hold.commit([record(topic, b"k", b"0"), record(other, b"k", b"x" * 2_000_000)], {at(topic): 1})
    try:
        await hold.commit([record(topic, b"k", b"1")], {at(topic): 2})
    except LogError:
        assert guarded
    again = await log.open_task(task_id)
    position = (await again.committed([at(topic)]))[at(topic)] or 0
    lost = position > len(await drain(log, [at(topic)]))
    assert lost != guarded


@guarded
@pytest.mark.kafka
async def test_the_position_is_read_after_the_former_owner_is_fenced(proxied_kafka, guarded):
    """Trap: between a look at the position and the take-over a commit of the former owner may still arrive."""
    async with await KafkaLog.open(f"kafka://{proxied_kafka.cluster.bootstrap}") as log:
        topic, task_id = await made(log)
        former = await log.open_task(task_id)
        proxied_kafka.proxy.hold(END_TXN, after=(OFFSET_FETCH, INIT_PRODUCER_ID))
        with pytest.raises(LogUnavailable):
            await former.commit([record(topic, b"k", b"0")], {at(topic): 1})
        early = None if guarded else await log._cluster.committed(task_id.group, [at(topic)])
        hold = await reopened(log, task_id)
        assert proxied_kafka.proxy.passed_on.is_set()
        found = await hold.committed([at(topic)]) if early is None else early
        if found[at(topic)] is None:
            await hold.commit([record(topic, b"k", b"0")], {at(topic): 1})
        doubled = values(await drain(log, [at(topic)])) != [b"0"]
        assert doubled != guarded


@guarded
@pytest.mark.kafka
async def test_a_coordinator_that_still_loads_is_asked_again(log, monkeypatch, guarded):
    """Trap: aiokafka overlooks the error of the answer as a whole, and hands out positions of no partition at all."""
    topic, task_id = await made(log)
    hold = await log.open_task(task_id)
    await hold.commit([record(topic, b"k", b"0")], {at(topic): 1})
    again = await log.open_task(task_id)
    admin = log._cluster._admin
    send, loading = admin._send_request, [OffsetFetchResponse_v3(0, [], GroupLoadInProgressError.errno)]

    async def loads_at_first(request, node_id=None):
        return loading.pop() if isinstance(request, OffsetFetchRequest) and loading else await send(request, node_id)

    monkeypatch.setattr(admin, "_send_request", loads_at_first)
    if not guarded:
        monkeypatch.setattr(kafka_topics, "_told", lambda admin, *asked: admin.list_consumer_group_offsets(*asked))
        with pytest.raises(KeyError):
            await again.committed([at(topic)])
    else:
        assert await again.committed([at(topic)]) == {at(topic): 1}
    assert not loading


@pytest.fixture
def swallowed(proxied_kafka):
    """Lets the whole cluster be away, connections open and nothing answered, until the test is over."""
    yield proxied_kafka.proxy.swallow
    proxied_kafka.proxy.pass_on_again()


HASTY = KafkaBounds(silence_s=1, stop_s=0.5)


@guarded
@pytest.mark.kafka
async def test_a_reader_that_hears_of_no_broker_gives_up(proxied_kafka, swallowed, monkeypatch, guarded):
    """Trap: with the whole cluster away a consumer gives nothing, no error either, and may never find back."""
    if not guarded:
        monkeypatch.setattr(KafkaReader, "_listen", lambda self, now: None)
    async with await KafkaLog.open(f"kafka://{proxied_kafka.cluster.bootstrap}", bounds=HASTY) as log:
        topic, _ = await made(log)
        reader = await log.reader({at(topic): 0})
        await reader.poll(1, 0.1)
        swallowed()
        told = await ends_within(3 * HASTY.silence_s if not guarded else WAIT_S, reading(reader), LogUnavailable)
        assert told == guarded


async def reading(reader):
    while True:
        await reader.poll(10, 0.2)


async def stop_in_order(producer, _):
    await producer.stop()


@guarded
@pytest.mark.kafka
async def test_an_end_with_the_brokers_away_is_bounded(proxied_kafka, swallowed, monkeypatch, guarded):
    """Trap: stop() flushes first, and with no broker to flush to it never returns."""
    async with await KafkaLog.open(f"kafka://{proxied_kafka.cluster.bootstrap}", bounds=HASTY) as log:
        topic, task_id = await made(log)
        hold = await log.open_task(task_id)
        await hold.commit([record(topic, b"k", b"before")], {at(topic): 1})
        producer = hold._transactor._producer
        await producer.begin_transaction()
        swallowed()
        await producer.send(topic.name, b"never", partition=0)
        with monkeypatch.context() as patched:
            if not guarded:
                patched.setattr(kafka_transactions, "drop_producer", stop_in_order)
            ended = await ends_within(WAIT_S if guarded else 6 * HASTY.stop_s, hold.close())
        if not guarded:
            await drop_producer(producer, HASTY.stop_s)
        assert ended == guarded


@guarded
@pytest.mark.kafka
async def test_the_leaders_are_learnt_anew_before_a_restore(proxied_kafka, monkeypatch, guarded):
    """Trap: a broker that hung may still think that it leads, and tell an end that lies before the last commit."""
    if not guarded:
        monkeypatch.setattr(Cluster, "look_anew", lambda self: asyncio.sleep(0))
    address = f"kafka://{proxied_kafka.cluster.bootstrap}"
    async with await KafkaLog.open(address) as log, await KafkaLog.open(address) as other:
        topic, task_id = await made(log)
        with former_leader(proxied_kafka.proxy, topic.name) as former:
            hold = await log.open_task(task_id)
            await hold.commit([record(topic, b"k", b"0")], {at(topic): 1})
            former.hang((await log.end_offsets([at(topic)]))[at(topic)])
            owner = await other.open_task(task_id)
            for number in (1, 2):
                await owner.commit([record(topic, b"k", b"%d" % number)], {at(topic): number + 1})
            await log.open_task(task_id)
            lost = await restored(log, topic) != [b"0", b"1", b"2"]
            assert lost != guarded


async def restored(log, topic):
    """What a task remembers that reads its table to the end, one record at a time."""
    (end,) = (await log.end_offsets([at(topic)])).values()
    reader, found = await log.reader({at(topic): 0}), []
    while reader.positions()[at(topic)] < end:
        found += await reader.poll(1, 1.0)
    return values(found)
