"""What every log must do for tasks: transactions, fencing, groups, several processes at once."""

import asyncio

import pytest
from tests.contract.reading import WAIT_S, at, drain, every, record, values

from tieup.errors import Fenced, LogError, TopicError
from tieup.log.base import TaskId


class TestTask:
    async def test_a_new_group_has_no_committed_offsets(self, storage, log, many):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        assert await task.committed(every(storage, many)) == dict.fromkeys(every(storage, many))
        await task.close()

    async def test_outputs_state_and_offsets_stand_together(self, storage, log, one, many):
        state = storage.topic("state", compact=True)
        await log.create([state])
        task = await log.open_task(TaskId(storage.group(), "w", 1))
        outputs = [record(many, b"a", b"1"), record(many, b"b", b"2"), record(one, b"c", b"3")]
        change = record(state, b"s", b"4", partition=1)
        await task.commit([*outputs, change], {at(one): 17, at(many, 1): 4})
        assert sorted(values(await drain(log, every(storage, many)))) == [b"1", b"2"]
        assert values(await drain(log, [at(one)])) == [b"3"]
        assert [(r.partition, r.value) for r in await drain(log, every(storage, state))] == [(1, b"4")]
        wanted = [at(one), at(many, 1), at(many, 2)]
        assert await task.committed(wanted) == {at(one): 17, at(many, 1): 4, at(many, 2): None}
        await task.close()

    async def test_commits_follow_each_other(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        for n in range(10):
            await task.commit([record(one, b"k", b"%d" % n)], {at(one): n + 1})
        assert values(await drain(log, [at(one)])) == [b"%d" % n for n in range(10)]
        assert await task.committed([at(one)]) == {at(one): 10}
        await task.close()

    async def test_offsets_alone_and_records_alone_can_be_committed(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        await task.commit([], {at(one): 3})
        await task.commit([record(one, b"k", b"v")], {})
        assert await task.committed([at(one)]) == {at(one): 3}
        assert values(await drain(log, [at(one)])) == [b"v"]
        await task.close()

    async def test_a_position_may_go_back(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        await task.commit([], {at(one): 30})
        await task.commit([], {at(one): 20})
        assert await task.committed([at(one)]) == {at(one): 20}
        await task.close()

    async def test_groups_are_apart(self, storage, log, one):
        mine = await log.open_task(TaskId(storage.group("mine"), "w", 0))
        yours = await log.open_task(TaskId(storage.group("yours"), "w", 0))
        await mine.commit([], {at(one): 5})
        await yours.commit([], {at(one): 9})
        assert await mine.committed([at(one)]) == {at(one): 5}
        assert await yours.committed([at(one)]) == {at(one): 9}
        await mine.close()
        await yours.close()

    async def test_everything_committed_comes_back_byte_for_byte(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        headers = (("ce_id", b"\x00"), ("ce_id", b"\xff"))
        sent = [record(one, b"\x01", b"\x00\xff", timestamp=123, headers=headers), record(one, b"\x01", None)]
        await task.commit(sent, {})
        found = await drain(log, [at(one)])
        assert [(r.key, r.value, r.timestamp, r.headers) for r in found] == [
            (b"\x01", b"\x00\xff", 123, headers),
            (b"\x01", None, 1000, ()),
        ]
        await task.close()


class TestAtomicity:
    async def test_a_failed_commit_leaves_nothing_and_ends_the_task(self, storage, log, one, many):
        missing = storage.topic("missing")
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        await task.commit([record(one, b"k", b"before")], {at(one): 1})
        with pytest.raises(LogError):
            await task.commit([record(one, b"k"), record(many, b"k"), record(missing, b"k")], {at(one): 2})
        with pytest.raises(LogError):
            await task.commit([record(one, b"k", b"after")], {at(one): 3})
        await task.close()
        again = await log.open_task(TaskId(storage.group(), "w", 0))
        assert await again.committed([at(one)]) == {at(one): 1}
        assert values(await drain(log, [at(one)])) == [b"before"]
        assert await drain(log, every(storage, many)) == []
        await again.close()

    async def test_a_failed_commit_leaves_the_log_usable(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        with pytest.raises(LogError):
            await task.commit([record(one, b"k"), record(storage.topic("missing"), b"k")], {})
        await task.close()
        again = await log.open_task(TaskId(storage.group(), "w", 0))
        await again.commit([record(one, b"k", b"well")], {at(one): 1})
        assert values(await drain(log, [at(one)])) == [b"well"]
        await again.close()

    @pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
    async def test_a_commit_cut_short_is_there_whole_or_not_at_all(self, storage, log, one, many, turns):
        task_id = TaskId(storage.group(), "w", 0)
        task = await log.open_task(task_id)
        records = [record(many, b"k%d" % n) for n in range(50)] + [record(one, b"k")]
        commit = asyncio.create_task(task.commit(records, {at(one): 7}))
        for _ in range(turns):
            await asyncio.sleep(0)
        commit.cancel()
        await asyncio.wait([commit])
        await task.close()
        again = await log.open_task(task_id)
        position = (await again.committed([at(one)]))[at(one)]
        outputs = len(await drain(log, every(storage, many)))
        state = len(await drain(log, [at(one)]))
        assert (position, outputs, state) in {(None, 0, 0), (7, 50, 1)}
        await again.close()

    async def test_a_log_killed_in_a_commit_leaves_all_or_nothing(self, storage, log, one, many):
        victim = await storage.open()
        task_id = TaskId(storage.group(), "w", 0)
        task = await victim.open_task(task_id)
        records = [record(many, b"k%d" % n) for n in range(50)] + [record(one, b"k")]
        commit = asyncio.create_task(task.commit(records, {at(one): 7}))
        await asyncio.sleep(0)
        await storage.kill(victim)
        await asyncio.wait([commit])
        commit.exception()
        again = await log.open_task(task_id)
        position = (await again.committed([at(one)]))[at(one)]
        outputs = len(await drain(log, every(storage, many)))
        state = len(await drain(log, [at(one)]))
        assert (position, outputs, state) in {(None, 0, 0), (7, 50, 1)}
        await again.close()

    async def test_a_reader_never_sees_a_part_of_a_commit(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))

        async def write():
            for n in range(20):
                await task.commit([record(one, b"k", b"%d" % n) for _ in range(10)], {at(one): n})

        writing = asyncio.create_task(write())
        seen = set()
        while not writing.done():
            seen.add(len(await drain(log, [at(one)])) % 10)
        await writing
        assert seen == {0}
        assert len(await drain(log, [at(one)])) == 200
        await task.close()


class TestFencing:
    async def test_opening_a_task_fences_its_former_owner(self, storage, log, one):
        task_id = TaskId(storage.group(), "w", 0)
        old = await log.open_task(task_id)
        await old.commit([record(one, b"k", b"old")], {at(one): 1})
        new = await log.open_task(task_id)
        with pytest.raises(Fenced, match=task_id.transactional_id):
            await old.commit([record(one, b"k", b"zombie")], {at(one): 2})
        assert await new.committed([at(one)]) == {at(one): 1}
        await new.commit([record(one, b"k", b"new")], {at(one): 2})
        assert values(await drain(log, [at(one)])) == [b"old", b"new"]
        await old.close()
        await new.close()

    async def test_a_task_moves_to_another_process(self, storage, log, one):
        task_id = TaskId(storage.group(), "w", 0)
        other = await storage.open()
        old = await log.open_task(task_id)
        await old.commit([record(one, b"k", b"here")], {at(one): 5})
        new = await other.open_task(task_id)
        with pytest.raises(Fenced):
            await old.commit([record(one, b"k", b"zombie")], {at(one): 6})
        assert await new.committed([at(one)]) == {at(one): 5}
        await new.commit([record(one, b"k", b"there")], {at(one): 7})
        assert values(await drain(log, [at(one)])) == [b"here", b"there"]
        await old.close()
        await new.close()

    async def test_a_task_may_come_back(self, storage, log, one):
        task_id = TaskId(storage.group(), "w", 0)
        other = await storage.open()
        owners = []
        for n in range(4):
            owners.append(await (log, other)[n % 2].open_task(task_id))
            await owners[-1].commit([record(one, b"k", b"%d" % n)], {at(one): n})
        assert values(await drain(log, [at(one)])) == [b"0", b"1", b"2", b"3"]
        for owner in owners[:-1]:
            with pytest.raises(LogError):
                await owner.commit([record(one, b"k", b"zombie")], {})
        assert len(await drain(log, [at(one)])) == 4
        for owner in owners:
            await owner.close()

    async def test_other_tasks_are_not_fenced(self, storage, log, one):
        first = await log.open_task(TaskId(storage.group(), "w", 0))
        second = await log.open_task(TaskId(storage.group(), "w", 1))
        await first.commit([record(one, b"k", b"first")], {})
        await second.commit([record(one, b"k", b"second")], {})
        assert values(await drain(log, [at(one)])) == [b"first", b"second"]
        await first.close()
        await second.close()

    async def test_a_killed_owner_is_followed(self, storage, log, one):
        task_id = TaskId(storage.group(), "w", 0)
        victim = await storage.open()
        old = await victim.open_task(task_id)
        await old.commit([record(one, b"k", b"old")], {at(one): 1})
        await storage.kill(victim)
        new = await log.open_task(task_id)
        assert await new.committed([at(one)]) == {at(one): 1}
        await new.commit([record(one, b"k", b"new")], {at(one): 2})
        assert values(await drain(log, [at(one)])) == [b"old", b"new"]
        await new.close()

    async def test_a_closed_task_commits_no_more(self, storage, log, one):
        task = await log.open_task(TaskId(storage.group(), "w", 0))
        await task.close()
        await task.close()
        with pytest.raises(LogError):
            await task.commit([record(one, b"k")], {})
        assert await drain(log, [at(one)]) == []


class Told:
    """What a member was told."""

    def __init__(self):
        self.held = set()
        self.changed = asyncio.Event()

    async def start(self, partitions):
        self.held |= partitions
        self.changed.set()

    async def stop(self, partitions):
        self.held -= partitions
        self.changed.set()

    async def until(self, held):
        async with asyncio.timeout(WAIT_S):
            while self.held != held:
                self.changed.clear()
                await self.changed.wait()


class TestMember:
    async def test_a_sole_member_is_given_every_partition_until_it_leaves(self, storage, log, many):
        told = Told()
        member = await log.join(storage.group(), [many.name], told)
        await told.until(set(range(storage.partitions)))
        assert member.failed is None
        await member.leave()
        assert told.held == set()
        await member.leave()

    async def test_topics_read_together_have_the_same_partitions(self, storage, log, many):
        twin = storage.topic("twin")
        await log.create([twin])
        told = Told()
        member = await log.join(storage.group(), [many.name, twin.name], told)
        await told.until(set(range(storage.partitions)))
        await member.leave()
        assert told.held == set()

    async def test_topics_that_differ_in_partitions_cannot_be_read_together(self, storage, log, one, many):
        with pytest.raises(TopicError, match=one.name):
            await log.join(storage.group(), [one.name, many.name], Told())

    async def test_an_unknown_topic_is_named(self, storage, log):
        missing = storage.topic("missing")
        with pytest.raises(TopicError, match=missing.name):
            await log.join(storage.group(), [missing.name], Told())


class TestTogether:
    async def test_another_log_reads_and_appends_while_one_runs(self, storage, log, one):
        other = await storage.open()
        task = await log.open_task(TaskId(storage.group(), "w", 0))

        async def run():
            for n in range(20):
                await task.commit([record(one, b"run", b"%d" % n)], {at(one): n + 1})

        async def visit():
            for n in range(20):
                await other.append([record(one, b"visit", b"%d" % n)])

        await asyncio.gather(run(), visit())
        for view in (log, other):
            found = await drain(view, [at(one)])
            for key in (b"run", b"visit"):
                assert values(r for r in found if r.key == key) == [b"%d" % n for n in range(20)]
        assert await task.committed([at(one)]) == {at(one): 20}
        await task.close()

    async def test_what_one_log_creates_the_other_sees(self, storage, log):
        other = await storage.open()
        topic = storage.topic("late")
        assert await other.create([topic]) == [topic.name]
        assert await log.partitions(topic.name) == storage.partitions
        assert await log.check([topic]) == []

    async def test_what_was_committed_is_there_after_a_close(self, storage, log, one):
        other = await storage.open()
        task = await other.open_task(TaskId(storage.group(), "w", 0))
        await task.commit([record(one, b"k", b"kept")], {at(one): 1})
        await task.close()
        await other.close()
        third = await storage.open()
        assert values(await drain(third, [at(one)])) == [b"kept"]
        again = await third.open_task(TaskId(storage.group(), "w", 0))
        assert await again.committed([at(one)]) == {at(one): 1}
        await again.close()

    async def test_a_log_closes_twice_and_wakes_its_readers(self, storage, log, one):
        other = await storage.open()
        async with other:
            reader = await other.reader({at(one): 0})
            assert await reader.poll(1, 0) == []
            await reader.close()
        await other.close()
