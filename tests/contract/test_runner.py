"""The runner on every log: the same bytes however the input was batched or restarted, nothing lost, nothing twice."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
import pytest
from prometheus_client import CollectorRegistry
from tests.tally import AnyValue, TallyWorker

from tieup.errors import StateVersionError
from tieup.log.base import NewRecord, TopicPartition, WorkerSpec
from tieup.log.runner import Runner, RunnerBounds
from tieup.log.task import Task, TaskBounds
from tieup.log.topics import BY_NAME, DEAD_LETTERS
from tieup.metrics import Metrics

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
NUMBERS = [("a", 1), ("b", 2), ("a", 3), ("c", "poison"), ("b", 5), ("a", 7), ("c", 11), ("a", 13)]


@dataclass
class Scene:
    """The topics and the group of one test, and what runs on them."""

    storage: object
    numbers: object
    totals: object
    tallies: object
    group: str
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))

    async def open(self):
        log = await self.storage.open()
        await log.create([self.numbers, self.totals, self.tallies, BY_NAME[DEAD_LETTERS]])
        return log

    def spec(self, build=None, **more):
        def tally(partition):
            return TallyWorker(self.totals.name, self.tallies.name)

        return WorkerSpec("tally", build or tally, (self.numbers.name,), state=(self.tallies.name,), **more)

    def runner(self, log, spec, **bounds):
        task = TaskBounds(**{"tick_s": 0.02, **bounds})
        return Runner(
            log,
            [spec],
            app=self.group,
            validator=AnyValue(),
            clock=lambda: NOON,
            metrics=self.metrics,
            bounds=RunnerBounds(first_pause_s=0.05, task=task),
        )

    async def work_off(self, log, **bounds):
        async with asyncio.timeout(60):
            await self.runner(log, self.spec(), **bounds).run(asyncio.Event(), once=True)

    async def append(self, log, numbers):
        await log.append(
            [
                NewRecord(self.numbers.name, key.encode(), orjson.dumps(value), 1_000 + i)
                for i, (key, value) in enumerate(numbers)
            ]
        )

    async def until_said(self, log, count):
        async with asyncio.timeout(60):
            while len(await self.said(log)) < count:  # noqa: ASYNC110 - another process's log has no event to wait for
                await asyncio.sleep(0.02)

    async def said(self, log, topic=None):
        return [(r.key, r.value, r.timestamp) for r in await read_all(log, topic or self.totals.name)]


async def read_all(log, topic):
    partitions = [TopicPartition(topic, p) for p in range(await log.partitions(topic))]
    ends = await log.end_offsets(partitions)
    reader = await log.reader(await log.first_offsets(partitions))
    records = []
    async with asyncio.timeout(30):
        while any(reader.positions()[at] < ends[at] for at in partitions):
            records += await reader.poll(500, 0.2)
    await reader.close()
    return records


def new_scene(storage):
    return Scene(
        storage,
        storage.topic("numbers", single=True),
        storage.topic("totals", single=True),
        storage.topic("tallies", single=True, compact=True),
        storage.group(),
    )


@pytest.fixture
def scene(storage):
    return new_scene(storage)


async def test_it_works_off_all_input_once_and_ends(scene):
    log = await scene.open()
    await scene.append(log, NUMBERS)
    await scene.work_off(log)
    totals = [orjson.loads(value)["total"] for _, value, _ in await scene.said(log)]
    assert totals == [1, 2, 4, 7, 11, 11, 24]
    await scene.work_off(log)
    assert len(await scene.said(log)) == 7


async def test_threads_that_hang_on_names_hold_no_step_up(scene):
    log = await scene.open()
    await scene.append(log, NUMBERS)
    answered = threading.Event()
    hanging = [asyncio.get_running_loop().run_in_executor(None, answered.wait) for _ in range(64)]
    try:
        await scene.work_off(log)
    finally:
        answered.set()
        await asyncio.gather(*hanging)
    assert len(await scene.said(log)) == 7


async def test_poison_is_kept_whole_in_the_transaction_that_passes_it_by(scene):
    log = await scene.open()
    await scene.append(log, NUMBERS)
    await scene.work_off(log)
    letters = [orjson.loads(r.value) for r in await read_all(log, DEAD_LETTERS)]
    mine = [letter for letter in letters if letter["topic"] == scene.numbers.name]
    assert [(letter["offset"], letter["value"], letter["error"]) for letter in mine] == [(3, '"poison"', "BadRecord")]


async def test_any_batch_size_and_a_restart_before_every_record_give_the_same_bytes(storage):
    whole, split, restarted = (scene_named(storage, name) for name in ("whole", "split", "restarted"))
    log = await whole.open()
    for scene, bounds in ((whole, {}), (split, {"batch": 3})):
        await log.create([scene.numbers, scene.totals, scene.tallies])
        await scene.append(log, NUMBERS)
        await scene.work_off(log, **bounds)
    await log.create([restarted.numbers, restarted.totals, restarted.tallies])
    for i, number in enumerate(NUMBERS):
        record = NewRecord(restarted.numbers.name, number[0].encode(), orjson.dumps(number[1]), 1_000 + i)
        await log.append([record])
        await restarted.work_off(log)
    expected = await whole.said(log)
    assert len(expected) == 7
    assert await split.said(log) == expected
    assert await restarted.said(log) == expected
    state = {key: value for key, value, _ in await whole.said(log, whole.tallies.name)}
    assert state == {key: value for key, value, _ in await restarted.said(log, restarted.tallies.name)}


def scene_named(storage, name):
    return Scene(
        storage,
        storage.topic(f"{name}-numbers", single=True),
        storage.topic(f"{name}-totals", single=True),
        storage.topic(f"{name}-tallies", single=True, compact=True),
        storage.group(name),
    )


class Echo:
    """A shell that echoes what it was asked, and counts."""

    def __init__(self, fails=0):
        self.performed = []
        self.fails = fails

    async def perform(self, act):
        self.performed.append(act.id)
        if self.fails:
            self.fails -= 1
            raise RuntimeError("a defect of the shell")
        return orjson.dumps({"announced": act.payload})

    async def close(self):
        return None


async def test_acts_are_performed_and_their_outcomes_committed(scene):
    log = await scene.open()
    await scene.append(log, [("a", 5_000), ("b", 1), ("c", 7_000)])
    shell = Echo()
    async with asyncio.timeout(60):
        await scene.runner(log, scene.spec(shell=shell, wakes=True)).run(asyncio.Event(), once=True)
    assert sorted(shell.performed) == ["ask:a", "ask:c"]
    values = {value for _, value, _ in await scene.said(log)}
    assert {b'{"announced":5000}', b'{"announced":7000}'} < values
    async with asyncio.timeout(60):
        await scene.runner(log, scene.spec(shell=shell, wakes=True)).run(asyncio.Event(), once=True)
    assert len(shell.performed) == 2, "what is done is not done again after a restart"


async def test_a_defect_of_the_shell_rebuilds_the_task_and_the_act_is_tried_again(scene):
    log = await scene.open()
    await scene.append(log, [("a", 5_000)])
    shell = Echo(fails=1)
    async with asyncio.timeout(60):
        await scene.runner(log, scene.spec(shell=shell, wakes=True)).run(asyncio.Event(), once=True)
    assert shell.performed == ["ask:a", "ask:a"]
    assert [v for _, v, _ in await scene.said(log)] == [b'{"key":"a","total":5000}', b'{"announced":5000}']


async def test_a_stop_takes_in_what_has_come_back_and_asks_nobody_again(scene):
    log = await scene.open()
    await scene.append(log, [("a", 5_000), ("b", 6_000), ("c", 7_000)])
    stopping = asyncio.Event()

    class Slow(Echo):
        async def perform(self, act):
            answer = await super().perform(act)
            if len(self.performed) == 2:
                stopping.set()
            if len(self.performed) == 3:
                await asyncio.Event().wait()
            return answer

    spec = {"wakes": True, "concurrency": 3}
    async with asyncio.timeout(60):
        await scene.runner(log, scene.spec(shell=Slow(), **spec), gather_s=60.0, grace_s=0.05).run(stopping)
    shell = Echo()
    async with asyncio.timeout(60):
        await scene.runner(log, scene.spec(shell=shell, **spec)).run(asyncio.Event(), once=True)
    assert shell.performed == ["ask:c"], "the others had answered"
    announced = [value for _, value, _ in await scene.said(log) if value.startswith(b'{"announced"')]
    assert sorted(announced) == [b'{"announced":%d}' % total for total in (5_000, 6_000, 7_000)]


async def test_state_of_a_newer_version_ends_the_run_with_its_error(scene):
    log = await scene.open()

    class Newer(TallyWorker):
        def apply(self, change):
            raise StateVersionError("tallies: state version 9 is newer than 1")

    await scene.append(log, [("a", 1)])
    spec = scene.spec(build=lambda partition: Newer(scene.totals.name, scene.tallies.name))
    with pytest.raises(StateVersionError, match="version 9"):
        async with asyncio.timeout(60):
            await scene.runner(log, spec).run(asyncio.Event())


async def test_a_stop_ends_all_tasks_soon_and_health_tells(scene):
    log = await scene.open()
    await scene.append(log, NUMBERS)
    runner = scene.runner(log, scene.spec())
    stopping = asyncio.Event()
    running = asyncio.create_task(runner.run(stopping))
    await scene.until_said(log, 7)
    assert runner.ready()
    assert [(h.task.worker, h.task.partition, h.phase) for h in runner.health()] == [("tally", 0, "running")]
    assert runner.stalled() == []
    stopping.set()
    async with asyncio.timeout(10):
        await running


async def test_a_second_task_fences_the_first_and_no_record_is_lost_or_doubled(scene):
    log, other = await scene.open(), await scene.storage.open()
    first = scene.runner(log, scene.spec())
    stopping = asyncio.Event()
    running = asyncio.create_task(first.run(stopping))
    await scene.append(log, NUMBERS[:3])
    await scene.until_said(log, 3)
    hold = await other.open_task(first.health()[0].task)
    await scene.append(log, NUMBERS[3:])
    await scene.until_said(log, 7)
    stopping.set()
    await running
    await hold.close()
    assert [orjson.loads(value)["total"] for _, value, _ in await scene.said(log)] == [1, 2, 4, 7, 11, 11, 24]


@pytest.mark.parametrize("noted", [True, False], ids=["guarded", "control"])
async def test_records_that_retention_took_unread_are_told_and_counted(storage, monkeypatch, caplog, noted):
    """A position below the first offset held is moved up, else the task would stand still; but never quietly."""
    if not noted:
        monkeypatch.setattr(Task, "_report_gone", lambda self, at, begin, end: None)
    numbers = storage.topic("expiring", single=True, retention_ms=500)
    scene = Scene(storage, numbers, *(storage.topic(name, single=True) for name in ("sums", "state")), storage.group())
    log = await scene.open()
    noon = round(NOON.timestamp() * 1000)  # the runner cleans when it starts: what is younger than its clock stays
    made = [NewRecord(numbers.name, b"a", b"1", noon + 1_000 * n) for n in range(8)]
    await log.append(made[:3])
    await scene.work_off(log)
    await log.append(made[3:])
    at = TopicPartition(numbers.name, 0)
    reader = await log.reader({at: 0})
    offsets = []
    async with asyncio.timeout(30):
        while len(offsets) < 8:
            offsets += [record.offset for record in await reader.poll(10, 0.2)]
    await reader.close()
    await storage.expire(log, at, offsets[6])
    await scene.work_off(log)
    gone = scene.metrics.records_gone.labels("tally", numbers.name)._value.get()
    assert len(await scene.said(log)) == 3 + 2
    assert bool(gone) == noted
    if noted:
        assert gone >= 3  # on Kafka a marker may be among them
        assert "gone unread" in caplog.text
