"""One step of a task, without I/O: records through the worker, outputs checked, changes applied, everything for.

One transaction gathered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tieup.errors import InvalidOutput
from tieup.log.base import OUTCOME_OFFSET, Act, Change, NewRecord, Output, Record, TopicPartition, Validator, Worker
from tieup.log.dead_letters import dead_letter
from tieup.log.topics import DEAD_LETTERS
from tieup.model.codec import from_millis, to_millis

MAX_STEP_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class Step:
    """What one transaction will hold: records (changes included), input offsets (next to process), and the acts
    wanted after it.

    `taken` counts the records consumed of the batch; `dead` the inputs put to the dead letters, by the step or by its
    worker; `held` the acts whose outcome was poison.
    """

    records: list[NewRecord] = field(default_factory=list)
    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    taken: int = 0
    dead: int = 0
    bad_table_records: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.records and not self.offsets


@dataclass(frozen=True, slots=True)
class Stepper:
    """Takes batches through one task's worker.

    `tables` are the topics followed: their records are applied, if their schema allows. The records of `state` are the
    worker's own and are applied as they are: one that it cannot read must stop it, not be passed over.
    """

    name: str
    partition: int
    worker: Worker
    validator: Validator
    tables: frozenset[str]
    state: frozenset[str] = frozenset()

    def run(self, batch: Iterable[Record], now: datetime | None, stopping: Callable[[], bool]) -> Step:
        """Take records until the batch, the step's byte bound or the task's time is over; then ask what is due, if
        `now` is given.

        Raises StateVersionError (fatal for the process), and InvalidOutput if what is due breaks its schema. An error
        in `apply` ends the task: state may be half changed, and is rebuilt from the log.
        """
        step = Step()
        for record in batch:
            if stopping() or step.size > MAX_STEP_BYTES:
                break
            self._take(record, step)
            step.taken += 1
        if now is not None:
            output = self.worker.wake(now)
            self._accept(output, self._checked(output, to_millis(now)), step)
            step.acts = output.acts
        return step

    def restore(self, batch: Iterable[Record]) -> list[str]:
        """Apply table records; returns a line for each that its schema refuses (it stays where it is, on its topic)."""
        step = Step()
        for record in batch:
            self._apply_table(record, step)
        return step.bad_table_records

    def _take(self, record: Record, step: Step) -> None:
        if record.topic in self.tables:
            self._apply_table(record, step)
            return
        try:
            output = self.worker.process(record)
            records = self._checked(output, record.timestamp)
        except Exception as error:  # noqa: BLE001 - whatever a poison input raises, it is kept and the rest goes on
            self._bury(record, error, step)
        else:
            self._accept(output, records, step)
        if record.offset != OUTCOME_OFFSET:
            step.offsets[TopicPartition(record.topic, record.partition)] = record.offset + 1

    def _apply_table(self, record: Record, step: Step) -> None:
        try:
            if record.topic not in self.state:
                self.validator.check(record.topic, record.value)
        except InvalidOutput as error:
            step.bad_table_records.append(f"{record.place}: passed over: {error}")
            return
        self.worker.apply(Change(record.topic, record.key or b"", record.value))

    def _checked(self, output: Output, timestamp: int) -> list[NewRecord]:
        records = [*output.records, *(self._changelog(change, timestamp) for change in output.changes)]
        for record in records:
            self.validator.check(record.topic, record.value)
        return records

    def _accept(self, output: Output, records: list[NewRecord], step: Step) -> None:
        for change in output.changes:
            self.worker.apply(change)
        step.records.extend(records)
        step.dead += sum(record.topic == DEAD_LETTERS for record in records)
        step.size += sum(len(record.value or b"") for record in records)

    def _changelog(self, change: Change, timestamp: int) -> NewRecord:
        return NewRecord(change.topic, change.key, change.value, timestamp, partition=self.partition)

    def _bury(self, record: Record, error: Exception, step: Step) -> None:
        at = from_millis(record.timestamp)
        letter = dead_letter(
            record.topic,
            record.partition,
            record.offset,
            record.key,
            record.value,
            error,
            self.name,
            at,
            headers=record.headers,
        )
        self.validator.check(DEAD_LETTERS, letter.value)
        step.records.append(letter)
        step.size += len(letter.value or b"")
        step.dead += 1
        if record.offset == OUTCOME_OFFSET and record.key is not None:
            step.held.append(record.key.decode())
