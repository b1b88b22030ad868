"""What only the Kafka log must do: live through its brokers' absence, and share a group among members."""

import asyncio
import sys
import uuid
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from tests.kafka_broker import free_port

from tieup.errors import Fenced, InvalidOutput, LogError, LogUnavailable
from tieup.log.base import NewRecord, TaskId, TopicPartition
from tieup.log.kafka import KafkaBounds, KafkaLog
from tieup.log.kafka_member import KafkaMember
from tieup.log.topics import Topic

pytestmark = pytest.mark.kafka

WAIT_S = 40.0
QUICK = KafkaBounds(connect_s=2, commit_s=2, request_s=3, transaction_s=6, silence_s=2, stop_s=0.5, session_s=3)


@pytest.fixture
def mark():
    """A mark for the names of one test."""
    return uuid.uuid4().hex[:12]


@pytest.fixture
async def opened():
    """Opens logs and closes them."""
    logs = []

    async def open_log(bootstrap, bounds=None, **more):
        logs.append(await KafkaLog.open(f"kafka://{bootstrap}", bounds=bounds, **more))
        return logs[-1]

    yield open_log
    for log in logs:
        await log.close()


async def made(log, mark, *, single=True):
    topic = Topic(f"test.{mark}.v1", single=single)
    await log.create([topic])
    return TopicPartition(topic.name, 0)


def new(at, value=b"v", **more):
    return NewRecord(at.topic, b"k", value, 1000, **more)


async def everything(log, at):
    end = (await log.end_offsets([at]))[at]
    reader = await log.reader({at: 0})
    found = []
    async with asyncio.timeout(WAIT_S):
        while reader.positions()[at] < end:
            found += await reader.poll(100, 1.0)
    await reader.close()
    return [record.value for record in found]


class Told:
    """What a member was told."""

    def __init__(self):
        self.held = set()
        self.starts = 0
        self.changed = asyncio.Event()

    async def start(self, partitions):
        self.starts += 1
        self.held |= partitions
        self.changed.set()

    async def stop(self, partitions):
        self.held -= partitions
        self.changed.set()


async def listen(reader):
    async with asyncio.timeout(WAIT_S):
        while True:
            await reader.poll(10, 0.2)


async def until(condition, *told):
    async with asyncio.timeout(WAIT_S):
        while not condition():
            waits = [asyncio.create_task(one.changed.wait()) for one in told]
            await asyncio.wait(waits, timeout=0.2, return_when="FIRST_COMPLETED")
            for one, wait in zip(told, waits, strict=True):
                one.changed.clear()
                wait.cancel()


class TestAway:
    async def test_a_broker_away_at_start_is_named_in_one_line(self):
        address = f"127.0.0.1:{free_port()}"
        with pytest.raises(LogUnavailable, match=address) as caught:
            await KafkaLog.open(f"kafka://{address}")
        assert "\n" not in str(caught.value)

    async def test_a_broker_that_does_not_answer_is_given_up(self, own_kafka):
        broker = own_kafka.brokers[0]
        broker.pause()
        try:
            with pytest.raises(LogUnavailable, match=broker.address):
                await KafkaLog.open(f"kafka://{broker.address}", bounds=QUICK)
        finally:
            broker.resume()

    async def test_a_commit_without_answer_ends_the_task_and_all_or_nothing_is_there(self, own_kafka, opened, mark):
        log = await opened(own_kafka.bootstrap, QUICK)
        at = await made(log, mark)
        task_id = TaskId(mark, "w", 0)
        task = await log.open_task(task_id)
        await task.commit([new(at, b"before")], {at: 1})
        own_kafka.brokers[0].pause()
        try:
            with pytest.raises(LogUnavailable):
                await task.commit([new(at, b"late")], {at: 2})
        finally:
            own_kafka.brokers[0].resume()
        again = await log.open_task(task_id)
        position = (await again.committed([at]))[at]
        values = await everything(log, at)
        assert (position, values) in {1: (1, [b"before"]), 2: (2, [b"before", b"late"])}.values()

    async def test_a_broker_stopped_and_started_between_commits(self, own_kafka, opened, mark):
        log = await opened(own_kafka.bootstrap)
        at = await made(log, mark)
        task_id = TaskId(mark, "w", 0)
        task = await log.open_task(task_id)
        reader = await log.reader({at: 0})
        await task.commit([new(at, b"before")], {at: 1})
        own_kafka.brokers[0].stop()
        own_kafka.brokers[0].start()
        await asyncio.to_thread(own_kafka.wait)
        try:
            await task.commit([new(at, b"same hold")], {at: 2})
        except LogUnavailable:
            task = await log.open_task(task_id)
            await task.commit([new(at, b"same hold")], {at: 2})
        await log.append([new(at, b"appended")])
        assert await task.committed([at]) == {at: 2}
        assert await everything(log, at) == [b"before", b"same hold", b"appended"]
        found = []
        async with asyncio.timeout(WAIT_S):
            while len(found) < 3:
                found += await reader.poll(10, 1.0)
        assert [one.value for one in found] == [b"before", b"same hold", b"appended"]

    async def test_with_its_broker_gone_everything_ends_in_bounded_time(self, own_kafka, opened, mark):
        log = await opened(own_kafka.bootstrap, QUICK)
        at = await made(log, mark)
        told = Told()
        member = await log.join(mark, [at.topic], told)
        await until(lambda: told.held == {0}, told)
        task = await log.open_task(TaskId(mark, "w", 0))
        await task.commit([new(at)], {at: 1})
        await log.append([new(at)])
        reader = await log.reader({at: 0})
        own_kafka.brokers[0].kill()
        try:
            work = (task.commit([new(at)], {at: 2}), listen(reader), log.end_offsets([at]), log.append([new(at)]))
            said = await asyncio.gather(*work, return_exceptions=True)
            assert [type(error) for error in said] == [LogUnavailable] * 4
            assert "no word" in str(said[1])
            async with asyncio.timeout(8):
                await member.leave()
                assert told.held == set()
                await log.close()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left
        finally:
            own_kafka.brokers[0].start()
            await asyncio.to_thread(own_kafka.wait)


async def test_a_broker_that_names_none_just_after_its_start_is_asked_again(kafka, opened, mark, monkeypatch):
    log = await opened(kafka)
    admin = log._cluster._admin
    describe, starting = admin.describe_cluster, [{"brokers": []}]

    async def names_none_at_first():
        return starting.pop() if starting else await describe()

    monkeypatch.setattr(admin, "describe_cluster", names_none_at_first)
    await made(log, mark)
    assert not starting


class TestTasks:
    async def test_a_fenced_task_ends_alone(self, kafka, opened, mark):
        log, other = await opened(kafka), await opened(kafka)
        at = await made(log, mark)
        first, second = [await log.open_task(TaskId(mark, "w", p)) for p in (0, 1)]
        await other.open_task(TaskId(mark, "w", 0))
        with pytest.raises(Fenced, match=f"{mark}-0"):
            await first.commit([new(at, b"zombie")], {at: 1})
        await second.commit([new(at, b"well")], {at: 1})
        assert await everything(log, at) == [b"well"]

    async def test_a_send_that_failed_fails_the_commit(self, kafka, opened, mark):
        log = await opened(kafka)
        at = await made(log, mark)
        task = await log.open_task(TaskId(mark, "w", 0))
        with pytest.raises(InvalidOutput, match="larger"):
            await task.commit([new(at, b"small"), new(at, b"x" * 2_000_000)], {at: 2})
        again = await log.open_task(TaskId(mark, "w", 0))
        assert await again.committed([at]) == {at: None}
        assert await everything(log, at) == []

    async def test_a_failed_append_holds_nobody_back(self, kafka, opened, mark):
        log = await opened(kafka)
        at = await made(log, mark)
        with pytest.raises(InvalidOutput):
            await log.append([new(at, b"small"), new(at, b"x" * 2_000_000)])
        await log.append([new(at, b"next")])
        assert await everything(log, at) == [b"next"]

    async def test_a_dead_owners_open_transaction_hides_nothing_for_long(self, kafka, opened, mark):
        log, dead = await opened(kafka), await opened(kafka)
        at = await made(log, mark)
        task = await dead.open_task(TaskId(mark, "w", 0))
        producer = task._transactor._producer
        await producer.begin_transaction()
        await producer.send_and_wait(at.topic, b"half", partition=0)
        await dead.close()
        await log.append([new(at, b"whole")])
        assert await everything(log, at) == []  # the open transaction stands before it
        await log.open_task(TaskId(mark, "w", 0))
        assert await everything(log, at) == [b"whole"]


class TestMembers:
    async def test_two_members_share_and_one_that_leaves_hands_over(self, kafka, opened, mark):
        log, other = await opened(kafka), await opened(kafka)
        at = await made(log, mark, single=False)
        mine, yours = Told(), Told()
        await log.join(mark, [at.topic], mine)
        await until(lambda: mine.held == {0, 1, 2, 3}, mine)
        member = await other.join(mark, [at.topic], yours)
        await until(lambda: len(mine.held) == len(yours.held) == 2, mine, yours)
        assert mine.held | yours.held == {0, 1, 2, 3}
        await member.leave()
        assert yours.held == set()
        await until(lambda: mine.held == {0, 1, 2, 3}, mine)

    async def test_a_member_without_a_partition_is_told_that_it_stands_by_and_follows(self, kafka, opened, mark):
        log, other = await opened(kafka), await opened(kafka)
        at = await made(log, mark)
        first, second = Told(), Told()
        members = [await one.join(mark, [at.topic], told) for one, told in ((log, first), (other, second))]
        await until(lambda: first.held | second.held == {0} and first.starts and second.starts, first, second)
        working, waiting = (0, 1) if first.held else (1, 0)
        await members[working].leave()
        await until(lambda: (first, second)[waiting].held == {0}, first, second)

    @pytest.mark.parametrize("guarded", [True, False])
    async def test_an_error_in_the_listener_ends_the_membership(self, kafka, opened, mark, monkeypatch, guarded):
        """The client logs such an error and goes on: a member that does nothing, and is missed by nobody."""

        class Defect(Told):
            async def start(self, partitions):
                self.starts += 1
                self.changed.set()
                raise RuntimeError("a defect")

        if not guarded:
            monkeypatch.setattr(KafkaMember, "on_partitions_assigned", lambda self, given: self._take(list(given)))
        log, told = await opened(kafka), Defect()
        at = await made(log, mark)
        if guarded:
            with pytest.raises(LogError, match="a defect"):
                await log.join(mark, [at.topic], told)
        else:
            member = await log.join(mark, [at.topic], told)
            await until(lambda: told.starts, told)
            assert member.failed is None

    @pytest.mark.slow
    async def test_a_killed_process_is_followed(self, kafka, opened, mark):
        log = await opened(kafka, KafkaBounds(session_s=3, heartbeat_s=0.5))
        at = await made(log, mark)
        script = str(Path(__file__).parent / "kafka_owner.py")
        process = await asyncio.create_subprocess_exec(
            sys.executable, script, kafka, mark, at.topic, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(WAIT_S):
            assert await process.stdout.readline() == b"committed\n"  # and a transaction is open
        process.kill()
        await process.wait()
        told = Told()
        await log.join(mark, [at.topic], told)
        await until(lambda: told.held == {0}, told)
        task = await log.open_task(TaskId(mark, "w", 0))
        assert await task.committed([at]) == {at: 1}
        await task.commit([new(at, b"followed")], {at: 2})
        assert await everything(log, at) == [b"owned", b"followed"]
        process._transport.close()


class TestHoles:
    async def test_positions_pass_what_compaction_removed(self, kafka, opened, mark):
        log = await opened(kafka)
        at = TopicPartition(f"test.{mark}.v1", 0)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        # segments of one append each, which the cleaner takes as soon as they are closed
        quick = {"cleanup.policy": "compact", "segment.ms": "1", "min.cleanable.dirty.ratio": "0.01"}
        await admin.create_topics([NewTopic(at.topic, 1, 1, topic_configs={**quick, "delete.retention.ms": "0"})])
        await admin.close()
        async with asyncio.timeout(WAIT_S):
            appended = 0
            while len(values := await everything(log, at)) == appended:
                await log.append([new(at, b"%d" % appended)])
                appended += 1
        assert appended > len(values) > 0
        assert values[-1] == b"%d" % (appended - 1)

    async def test_a_position_beyond_the_end_is_an_error(self, kafka, opened, mark):
        log = await opened(kafka)
        at = await made(log, mark)
        await log.append([new(at)])
        reader = await log.reader({at: 1000})
        with pytest.raises(LogError, match=r"\[0\]: position 1000 is beyond the end"):
            await listen(reader)
