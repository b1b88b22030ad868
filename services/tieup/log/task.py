"""One task: take over, restore, then read, decide and commit until told to stop.

    open (fences the former owner) ─▶ restore tables to their end ─▶ committed() ─▶ read from there
      └─▶ batch ─▶ step (in a thread, so that the loop keeps its heartbeats) ─▶ one transaction ─▶ start acts ─▶ …
    told to stop ─▶ let acts end for a moment ─▶ one more step with their outcomes

Any failure ends the task; whoever started it builds a new one from the log. There is no roll-back.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from tieup.errors import LogError
from tieup.log.acts import Acts
from tieup.log.base import (
    OUTCOME_OFFSET,
    Act,
    Clock,
    Log,
    Reader,
    Record,
    TaskHealth,
    TaskId,
    TaskLog,
    TopicPartition,
    Validator,
    WorkerSpec,
)
from tieup.log.last_read import AWAY_S, LastRead
from tieup.log.step import Step, Stepper
from tieup.metrics import Metrics

logger = logging.getLogger("tieup.task")


@dataclass(frozen=True, slots=True)
class TaskBounds:
    """The bounds of a task's work.

    `batch`: records read at once. `tick_s`: how often due work is looked for. `gather_s`: how long the outcome of an
    act waits for others that are under way, to share a step with them. `hold_s`: how long an act whose outcome was
    poison is left alone. `away_s`: how long tables may be left unread (`LastRead`). `grace_s`: how long a stop lets
    acts under way come to their end; `close_s`: how long it waits for those that it then cancels.
    """

    batch: int = 500
    tick_s: float = 0.25
    gather_s: float = 0.05
    hold_s: float = 3600.0
    grace_s: float = 0.5
    close_s: float = 5.0
    away_s: float = AWAY_S


class Task:
    """Runs one worker over one partition on a log."""

    def __init__(
        self,
        log: Log,
        spec: WorkerSpec,
        task_id: TaskId,
        validator: Validator,
        clock: Clock,
        metrics: Metrics,
        bounds: TaskBounds,
        threads: Executor | None = None,
    ) -> None:
        """`threads` are where steps run; the loop's own unless given, which lookups of names may keep busy."""
        self.id = task_id
        self._threads = threads
        self._log = log
        self._spec = spec
        self._clock = clock
        self._metrics = metrics
        self._bounds = bounds
        self._stopping = asyncio.Event()
        self._tables = frozenset((*spec.tables, *spec.global_tables))
        worker = spec.build(task_id.partition)
        self._stepper = Stepper(
            spec.name, task_id.partition, worker, validator, self._tables, state=frozenset(spec.state)
        )
        self._backlog: deque[Record] = deque()
        self._acts = Acts(
            *(spec.name, task_id.partition, spec.shell or _NoShell(spec.name), clock),
            concurrency=spec.concurrency,
            gather_s=bounds.gather_s,
            hold_s=bounds.hold_s,
        )
        self._reader: Reader | None = None
        self._table_positions: dict[TopicPartition, int] = {}
        self._phase = "restoring"
        self._busy = True
        self._lag = 0
        self._progressed_at = clock()
        self._moved_at = time.monotonic()
        self._seen: Mapping[TopicPartition, int] = {}
        self._last_read = LastRead(clock, bounds.away_s)
        self.steps = 0

    def stop(self) -> None:
        """Ask the task to end after the transaction in hand."""
        self._stopping.set()

    async def told_to_stop(self, within_s: float) -> bool:
        """Wait so long at most to be asked to end, and return whether it was."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), within_s)
        return self._stopping.is_set()

    async def run(self) -> None:
        """Work until stopped. Raises what ended the task otherwise."""
        hold = await self._log.open_task(self.id)
        try:
            await self._restore()
            self._reader = await self._log.reader(await self._start_positions(hold))
            self._phase = "running"
            self._metrics.tasks.labels(self._spec.name).inc()
            try:
                await self._work(hold, self._reader)
            finally:
                self._metrics.tasks.labels(self._spec.name).dec()
        finally:
            self._phase = "ended"
            await self._release(hold)

    def health(self) -> TaskHealth:
        """How the task fares now."""
        idle_s = time.monotonic() - self._moved_at
        details = {"acts": len(self._acts)}
        return TaskHealth(self.id, self._phase, self._lag, self._progressed_at, details=details, idle_s=idle_s)

    async def caught_up(self) -> bool:
        """Whether every input is read to its end and nothing is under way; refreshes the lag."""
        if self._reader is None or self._phase != "running":
            return False
        positions = dict(self._reader.positions())
        ends = await self._log.end_offsets(list(positions))
        self._lag = sum(max(0, ends[at] - positions[at]) for at in positions) + len(self._backlog)
        self._metrics.lag.labels(self._spec.name, str(self.id.partition)).set(self._lag)
        self._metrics.outcomes_waiting.labels(self._spec.name, str(self.id.partition)).set(self._acts.waiting)
        if positions != self._seen:
            self._seen = positions
            self._moved()
        elif self._lag == 0 and not self._busy:
            self._moved()
        return self._lag == 0 and not self._busy and not self._acts

    def _moved(self) -> None:
        """Note that the task got on, or that there was nothing to do: what the watchdog asks.

        A turn alone is no progress: a reader that is stuck gives none of what the lag says is there, turn after turn.
        """
        self._moved_at = time.monotonic()
        self._progressed_at = self._clock()

    async def _restore(self) -> None:
        started = time.perf_counter()
        self._read_at = self._clock()
        followed = await self._followed()
        partitions = [*self._own(self._spec.state), *followed]
        if partitions:
            ends = await self._log.end_offsets(partitions)
            reader = await self._log.reader(await self._log.first_offsets(partitions))
            try:
                await self._read_until(reader, ends)
                self._table_positions = {at: reader.positions()[at] for at in followed}
            finally:
                await reader.close()
        elapsed = time.perf_counter() - started
        self._metrics.restore.labels(self._spec.name, str(self.id.partition)).set(elapsed)

    async def _read_until(self, reader: Reader, ends: Mapping[TopicPartition, int]) -> None:
        while any((before := reader.positions())[at] < end for at, end in ends.items()):
            records = await reader.poll(self._bounds.batch, 1.0)
            loop = asyncio.get_running_loop()
            self._report_bad(await loop.run_in_executor(self._threads, self._stepper.restore, records))
            if reader.positions() != before:
                self._moved()
            if self._stopping.is_set():
                return

    def _report_bad(self, lines: Sequence[str]) -> None:
        for line in lines:
            logger.error("%s: %s", self._spec.name, line)
            self._metrics.bad_table_records.labels(self._spec.name, line.partition("[")[0]).inc()

    def _own(self, topics: Sequence[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, self.id.partition) for topic in topics]

    async def _followed(self) -> list[TopicPartition]:
        followed = self._own(self._spec.tables)
        for topic in self._spec.global_tables:
            followed += [TopicPartition(topic, p) for p in range(await self._log.partitions(topic))]
        return followed

    async def _start_positions(self, hold: TaskLog) -> Mapping[TopicPartition, int]:
        streams = self._own(self._spec.streams)
        committed = await hold.committed(streams)
        first = await self._log.first_offsets(streams)
        positions = {at: max(committed[at] or 0, first[at]) for at in streams}
        for at, position in positions.items():
            if committed[at] is not None and position > (committed[at] or 0):
                self._report_gone(at, committed[at] or 0, position)
        return {**positions, **self._table_positions}

    def _report_gone(self, at: TopicPartition, begin: int, end: int) -> None:
        """Retention has removed what was not yet read: nothing can bring it back, so it must not pass quietly."""
        name = self._spec.name
        logger.error(
            "%s: %d records of %s[%d] are gone unread (%d to %d): retention removed them",
            *(name, end - begin, at.topic, at.partition, begin, end - 1),
        )
        self._metrics.records_gone.labels(name, at.topic).inc(end - begin)

    async def _work(self, hold: TaskLog, reader: Reader) -> None:
        poll: asyncio.Task[list[Record]] | None = None
        try:
            while not self._stopping.is_set():
                if poll is None and not self._backlog:
                    poll = asyncio.create_task(reader.poll(self._bounds.batch, self._bounds.tick_s))
                poll = await self._gather(poll)
                await self._turn(hold)
            await self._take_last(hold)
        finally:
            if poll is not None:
                poll.cancel()
                with contextlib.suppress(asyncio.CancelledError, LogError):
                    await poll

    async def _gather(self, poll: asyncio.Task[list[Record]] | None) -> asyncio.Task[list[Record]] | None:
        """Wait for records, an outcome or the tick, whichever is first; the poll goes on unless it is done."""
        if poll is None:
            return None
        ripe = asyncio.ensure_future(self._acts.ripe())
        await asyncio.wait({poll, ripe}, timeout=self._bounds.tick_s, return_when=asyncio.FIRST_COMPLETED)
        ripe.cancel()
        if not poll.done():
            return poll
        records = poll.result()
        if self._tables:
            self._last_read.note(self.id.transactional_id)  # else the task is rebuilt
        self._backlog.extend(record for record in records if record.topic in self._tables)
        self._backlog.extend(record for record in records if record.topic not in self._tables)
        return None

    async def _turn(self, hold: TaskLog) -> None:
        self._backlog.extend(self._acts.take())
        await self._step(hold, self._clock() if self._spec.wakes else None, self._stopping.is_set)

    async def _take_last(self, hold: TaskLog) -> None:
        """Take in what has come back from outside before a stop: nobody is asked again for what was answered."""
        await self._acts.stop(self._bounds.close_s, grace_s=self._bounds.grace_s)
        outcomes = [record for record in self._backlog if record.offset == OUTCOME_OFFSET]
        self._backlog = deque([*outcomes, *self._acts.take()])
        while self._backlog:
            await self._step(hold, None, lambda: False)

    async def _step(self, hold: TaskLog, now: datetime | None, stopping: Callable[[], bool]) -> None:
        batch = [self._backlog[i] for i in range(min(len(self._backlog), self._bounds.batch))]
        self._busy = bool(batch)
        if not batch and now is None:
            return
        loop = asyncio.get_running_loop()
        step = await loop.run_in_executor(self._threads, self._stepper.run, batch, now, stopping)
        if not step.empty:
            started = time.perf_counter()
            await hold.commit(step.records, step.offsets)
            self._metrics.commits.labels(self._spec.name).observe(time.perf_counter() - started)
            self.steps += 1
        self._finish(batch[: step.taken], step)
        if step.taken:
            self._moved()

    def _finish(self, taken: Sequence[Record], step: Step) -> None:
        name = self._spec.name
        for record in taken:
            self._backlog.popleft()
            if record.offset == OUTCOME_OFFSET:
                self._acts.settle(record)
        for topic, count in Counter(record.topic for record in taken).items():
            self._metrics.records_in.labels(name, topic).inc(count)
        for topic, count in Counter(new.topic for new in step.records).items():
            self._metrics.records_out.labels(name, topic).inc(count)
        if step.dead:
            self._metrics.dead_letters.labels(name).inc(step.dead)
            logger.error("%s: %d input(s) put to the dead letters", name, step.dead)
        self._report_bad(step.bad_table_records)
        self._acts.want(step.acts, step.held)
        self._busy = self._busy or bool(self._acts)
        self._metrics.acts_in_flight.labels(name, str(self.id.partition)).set(self._acts.under_way)

    async def _release(self, hold: TaskLog) -> None:
        await self._acts.stop(self._bounds.close_s)
        try:
            if self._reader is not None:
                await self._reader.close()
        finally:
            await hold.close()


class _NoShell:
    """Stands where a worker that only decides (a replay, a test) has no shell: its due work is a defect."""

    def __init__(self, worker: str) -> None:
        self._worker = worker

    async def perform(self, act: Act) -> bytes:
        raise LogError(f"{self._worker}: has due work but no shell to do it ({act.id})")

    async def close(self) -> None:
        return None


def stalled(health: TaskHealth, limit_s: float) -> bool:
    """Whether a task has not got on for so long, with work waiting, that the process should be restarted."""
    return health.phase != "ended" and health.idle_s > limit_s
