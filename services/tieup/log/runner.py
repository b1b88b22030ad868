"""The runner: joins each worker's group, starts and stops its tasks, rebuilds what failed, and tells how all of it
fares.

Every failed, late or fenced transaction takes one path: the task ends, the group is left, and after a pause it is
joined again.
"""

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from tieup.errors import DataError, Fenced, LogCorrupt, LogUnavailable, StateVersionError, TieupError, TopicError
from tieup.log.base import Clock, Log, Member, TaskHealth, TaskId, Validator, WorkerSpec
from tieup.log.task import Task, TaskBounds, stalled
from tieup.metrics import Metrics

logger = logging.getLogger("tieup.runner")

SWITCH_S: Final = 0.0005
YOUNG_OBJECTS: Final = 10_000

FATAL = (StateVersionError, DataError, LogCorrupt, TopicError)


def settle_process() -> None:
    """Set this process up for a runner; to be called by a command that does nothing else, after its imports.

    The loop gives the interpreter's lock away at each of its turns, and a step's thread keeps it for the switch
    interval: at Python's own 5 ms a parsing process that was done may wait three turns, 15 ms, for its next body, which
    takes it 5, and deliveries were half as fast by the clock at the same processor time. What was imported lives as
    long as the process: each full collection took 25 ms to look through it. A poll or an article leaves few cycles
    behind, and none that holds a body, so that looking for them at each 700 new objects, as Python does, took a
    twentieth of a poll's time for nothing.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(YOUNG_OBJECTS)
    gc.freeze()


@dataclass(frozen=True, slots=True)
class RunnerBounds:
    """The bounds of a runner.

    `first_pause_s` doubles after every failure in a row up to `longest_pause_s`. `watch_s`: how often lag is
    measured. `stall_s`: a task that has work and does not get on for so long fails liveness. `assign_s`: a membership
    that is told nothing for so long, neither partitions nor that it stands by, is given up. `fenced_s`: how long a
    fenced task waits for the group to say that it is another's. `leave_s`: how long a worker may take to leave before
    it is given up. `clean_s`: how often retention and compaction run.
    """

    first_pause_s: float = 0.5
    longest_pause_s: float = 5.0
    watch_s: float = 1.0
    stall_s: float = 60.0
    assign_s: float = 60.0
    fenced_s: float = 2.0
    leave_s: float = 8.0
    clean_s: float = 3600.0
    task: TaskBounds = field(default_factory=TaskBounds)


class WorkerRun:
    """One worker's membership and its tasks: what a group tells is to start and to stop, and that is all it does."""

    def __init__(
        self,
        log: Log,
        spec: WorkerSpec,
        app: str,
        validator: Validator,
        clock: Clock,
        metrics: Metrics,
        bounds: RunnerBounds,
        threads: Executor | None = None,
    ) -> None:
        self.spec = spec
        self._threads = threads
        self.group = f"{app}-{spec.name}"
        self.assigned = False
        self.error: str | None = None
        self._progressed = False
        self._log = log
        self._validator = validator
        self._clock = clock
        self._metrics = metrics
        self._bounds = bounds
        metrics.dead_letters.labels(spec.name)  # told from the start, so that the first is an increase
        self._tasks: dict[int, Task] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._failures: asyncio.Queue[Exception] = asyncio.Queue()

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks of this process, by partition."""
        return [self._tasks[p] for p in sorted(self._tasks)]

    async def start(self, partitions: frozenset[int]) -> None:
        """Start the tasks of these partitions (Assignments)."""
        self.assigned = True
        kept = {partition for partition, task in self._tasks.items() if task.health().phase != "ended"}
        for partition in sorted(partitions - kept):
            task_id = TaskId(self.group, self.spec.name, partition)
            told = (self._validator, self._clock, self._metrics, self._bounds.task, self._threads)
            try:
                task = Task(self._log, self.spec, task_id, *told)
            except Exception as error:  # noqa: BLE001 - a listener's error would be swallowed, and the task never run
                self._failures.put_nowait(error)
                return
            self._tasks[partition] = task
            self._running[partition] = asyncio.create_task(self._guard(partition, task))

    async def stop(self, partitions: frozenset[int]) -> None:
        """Stop the tasks of these partitions and wait until they have ended (Assignments)."""
        self.assigned = False
        running = [self._running.pop(p) for p in sorted(partitions) if p in self._running]
        for partition in partitions:
            task = self._tasks.pop(partition, None)
            if task is not None:
                task.stop()
        if running:
            _, late = await asyncio.wait(running, timeout=self._bounds.leave_s)
            for task_run in late:
                logger.error("%s: a task did not end within %s s and is cancelled", self.group, self._bounds.leave_s)
                task_run.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)

    async def run(self, stopping: asyncio.Event) -> None:
        """Be a member until told to stop. Raises only what trying again cannot mend."""
        pause = self._bounds.first_pause_s
        while not stopping.is_set():
            self._progressed = False
            error = await self._be_member(stopping)
            if error is None:
                return
            self._note(error)
            if isinstance(error, FATAL):
                raise error
            pause = self._bounds.first_pause_s if self._progressed else min(pause * 2, self._bounds.longest_pause_s)
            await _wait(stopping, pause)

    async def _be_member(self, stopping: asyncio.Event) -> Exception | None:
        self._failures = asyncio.Queue()
        try:
            member = await self._log.join(self.group, self.spec.streams, self)
        except TieupError as error:
            return error
        try:
            return await self._first_failure(member, stopping)
        finally:
            await member.leave()
            await self.stop(frozenset(self._tasks))
            self.assigned = False

    async def _first_failure(self, member: Member, stopping: asyncio.Event) -> Exception | None:
        told_at = time.monotonic()
        while not stopping.is_set():
            if self.assigned:
                told_at = time.monotonic()
            elif time.monotonic() - told_at > self._bounds.assign_s:
                return LogUnavailable(f"{self.group}: no assignment for {self._bounds.assign_s:g} s")
            if not self._failures.empty():
                return self._failures.get_nowait()
            if member.failed is not None:
                return member.failed
            if any(task.steps for task in self.tasks):
                self.error = None
                self._progressed = True
            await _wait(stopping, 0.05)
        return None

    async def _guard(self, partition: int, task: Task) -> None:
        try:
            await task.run()
        except Exception as error:  # noqa: BLE001 - one path for every failure: leave and rejoin
            self._metrics.task_failures.labels(self.spec.name, type(error).__name__).inc()
            if isinstance(error, Fenced):
                await task.told_to_stop(self._bounds.fenced_s)  # the new owner may be told a moment before us
            if self._tasks.get(partition) is task:
                await self._failures.put(error)

    def _note(self, error: Exception) -> None:
        self.error = f"{type(error).__name__}: {error}"
        if isinstance(error, TieupError):
            logger.error("%s: %s", self.spec.name, error)
        else:
            logger.error("%s: %s", self.spec.name, self.error, exc_info=error)


class Runner:
    """Runs workers on a log until told to stop, or until all input is worked off."""

    def __init__(
        self,
        log: Log,
        specs: Sequence[WorkerSpec],
        *,
        app: str,
        validator: Validator,
        clock: Clock,
        metrics: Metrics,
        bounds: RunnerBounds | None = None,
    ) -> None:
        self._bounds = bounds or RunnerBounds()
        self._log = log
        self._clock = clock
        self._specs = specs
        self._cleaned_at: datetime | None = None
        self._unknown: dict[str, str] = {}
        # Not the loop's own threads: names that nobody answers for keep those busy for minutes.
        self._threads = ThreadPoolExecutor(thread_name_prefix="tieup-step")
        told = (validator, clock, metrics, self._bounds, self._threads)
        self._runs = [WorkerRun(log, spec, app, *told) for spec in specs]

    async def run(self, stopping: asyncio.Event, *, once: bool = False) -> None:
        """Run until `stopping` is set; with `once`, also end when every worker has read all there is and nothing is
        due.

        Raises the first error that trying again cannot mend (state version, data, corruption, topics), after the
        others have ended.
        """
        ending = asyncio.Event()
        workers = [asyncio.create_task(run.run(ending), name=run.group) for run in self._runs]
        watch = asyncio.create_task(self._watch(stopping, once=once))
        try:
            await asyncio.wait({*workers, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.set()
            watch.cancel()
            results = await asyncio.gather(*workers, watch, return_exceptions=True)
            for spec in self._specs:
                if spec.shell is not None:
                    await spec.shell.close()
            self._threads.shutdown(wait=False)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def health(self) -> list[TaskHealth]:
        """Every task of this process, and a task without partition (-1) for a worker that could not join its group."""
        health = [replace(task.health(), error=run.error) for run in self._runs for task in run.tasks]
        now = self._clock()
        waiting = [run for run in self._runs if not run.assigned]
        return health + [TaskHealth(TaskId(r.group, r.spec.name, -1), "joining", 0, now, r.error) for r in waiting]

    def ready(self) -> bool:
        """Whether every worker is a member and all its tasks are past their restore."""
        return all(run.assigned and all(t.health().phase == "running" for t in run.tasks) for run in self._runs)

    def stalled(self) -> list[TaskId]:
        """The tasks that have not got on within the bound: liveness fails while there are any."""
        return [health.task for health in self.health() if stalled(health, self._bounds.stall_s)]

    async def _watch(self, stopping: asyncio.Event, *, once: bool) -> None:
        quiet_at = -1
        while not stopping.is_set():
            quiet = await self._quiet()
            steps = sum(task.steps for run in self._runs for task in run.tasks)
            if once and quiet and steps == quiet_at:
                return
            quiet_at = steps if quiet else -1
            await self._clean()
            await _wait(stopping, 0.1 if once else self._bounds.watch_s)

    async def _clean(self) -> None:
        now = self._clock()
        if self._cleaned_at is not None and now - self._cleaned_at < timedelta(seconds=self._bounds.clean_s):
            return
        self._cleaned_at = now
        try:
            await self._log.clean(now)
        except TieupError as error:
            logger.warning("cleaning the log failed, next try in %s s: %s", self._bounds.clean_s, error)

    async def _quiet(self) -> bool:
        quiet = await asyncio.gather(*(self._caught_up(task) for run in self._runs for task in run.tasks))
        return all(quiet) and all(run.assigned for run in self._runs)

    async def _caught_up(self, task: Task) -> bool:
        try:
            caught_up = await task.caught_up()
        except TieupError as error:
            self._say_unknown(task.id.transactional_id, str(error))
            return False
        self._unknown.pop(task.id.transactional_id, None)
        return caught_up

    def _say_unknown(self, task: str, why: str) -> None:
        """Say once, not every second, that the lag cannot be had."""
        if self._unknown.get(task) != why:
            self._unknown[task] = why
            logger.warning("lag of %s unknown: %s", task, why)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
