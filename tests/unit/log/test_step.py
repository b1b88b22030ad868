"""One step: what reaches the transaction, what is dead-lettered, and that a split of the batch changes nothing."""

from datetime import UTC, datetime
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tally import AnyValue, TallyWorker

from tieup.errors import InvalidOutput, StateVersionError
from tieup.log.base import OUTCOME_OFFSET, Change, NewRecord, Output, Record, TopicPartition
from tieup.log.step import Stepper
from tieup.log.topics import DEAD_LETTERS

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
TABLES = frozenset({"prices"})
STATE = frozenset({"tallies"})


def number(offset: int, value: object, key: bytes = b"a") -> Record:
    return Record("numbers", 0, offset, key, orjson.dumps(value), 1_000 + offset)


def stepper(worker: TallyWorker | None = None) -> Stepper:
    return Stepper("tally", 0, worker or TallyWorker("totals", "tallies"), AnyValue(), TABLES, STATE)


def go_on() -> bool:
    return False


def written(records: list[NewRecord]) -> list[tuple[str, bytes, bytes | None, int]]:
    return [(r.topic, r.key, r.value, r.timestamp) for r in records]


def test_records_changes_and_offsets_are_gathered_for_one_transaction() -> None:
    step = stepper().run([number(0, 2), number(1, 3)], None, go_on)
    assert [r.value for r in step.records if r.topic == "totals"] == [
        b'{"key":"a","total":2}',
        b'{"key":"a","total":5}',
    ]
    assert [r.value for r in step.records if r.topic == "tallies"] == [b"2", b"5"]
    assert all(r.partition == 0 for r in step.records if r.topic == "tallies")
    assert step.offsets == {TopicPartition("numbers", 0): 2}


def test_poison_goes_whole_to_the_dead_letters_and_the_rest_goes_on() -> None:
    bad = Record("numbers", 0, 1, b"a", b"\xff not a number", 1_001, (("ce_id", b"7"),))
    step = stepper().run([number(0, 2), bad, number(2, 3)], None, go_on)
    letters = [orjson.loads(r.value or b"") for r in step.records if r.topic == DEAD_LETTERS]
    assert len(letters) == step.dead == 1
    assert letters[0]["error"] == "BadRecord"
    assert letters[0]["message"] == "numbers[0]@1: not a number"
    assert letters[0]["encoding"] == "base64"
    assert letters[0]["headers"] == [["ce_id", "7"]]
    assert [r.value for r in step.records if r.topic == "totals"][-1] == b'{"key":"a","total":5}'
    assert step.offsets == {TopicPartition("numbers", 0): 3}


def test_an_output_of_our_own_that_breaks_its_schema_applies_nothing() -> None:
    worker = TallyWorker("totals", "tallies")
    step = stepper(worker).run([number(0, 2, key=b"invalid")], None, go_on)
    assert worker.sums == {}
    assert [r.topic for r in step.records] == [DEAD_LETTERS]
    assert step.offsets == {TopicPartition("numbers", 0): 1}


def test_a_defect_in_apply_ends_the_task_instead_of_being_buried() -> None:
    class Broken(TallyWorker):
        def apply(self, change: Change) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stepper(Broken("totals", "tallies")).run([number(0, 2)], None, go_on)


def test_a_table_record_is_applied_and_a_bad_one_is_named_and_passed_over() -> None:
    worker = TallyWorker("totals", "tallies")
    table = [Record("prices", 0, 0, b"a", b"40", 0), Record("prices", 0, 1, b"b", b'"invalid"', 0)]
    step = stepper(worker).run([*table, number(5, 2)], None, go_on)
    assert worker.sums[b"a"] == 42
    assert step.bad_table_records == ["prices[0]@1: passed over: prices: invalid"]
    assert step.offsets == {TopicPartition("numbers", 0): 6}


def test_state_that_its_schema_refuses_is_still_the_workers_to_judge() -> None:
    class Newer(TallyWorker):
        def apply(self, change: Change) -> None:
            raise StateVersionError("tallies: version 9")

    with pytest.raises(StateVersionError):
        stepper(Newer("totals", "tallies")).restore([Record("tallies", 0, 0, b"a", b'"invalid"', 0)])


def test_an_outcome_moves_no_offset_and_a_poison_outcome_holds_its_act() -> None:
    worker = TallyWorker("totals", "tallies")
    first = stepper(worker).run([number(0, 5_000)], NOON, go_on)
    assert [act.id for act in first.acts] == ["ask:a"]
    poison = Record("tally", 0, OUTCOME_OFFSET, b"ask:a", b"poison", 9)
    second = stepper(worker).run([poison], NOON, go_on)
    assert (second.offsets, second.held, second.dead) == ({}, ["ask:a"], 1)
    done = stepper(worker).run([Record("tally", 0, OUTCOME_OFFSET, b"ask:a", b"1", 9)], NOON, go_on)
    assert (done.offsets, done.acts, worker.asked) == ({}, (), {})


def test_due_work_that_breaks_its_schema_is_an_error_of_the_task() -> None:
    class Wrong(TallyWorker):
        def wake(self, now: datetime) -> Output:
            return Output(records=(NewRecord("totals", b"a", b"invalid", 0),))

    with pytest.raises(InvalidOutput):
        stepper(Wrong("totals", "tallies")).run([], NOON, go_on)


def test_a_stop_ends_the_step_between_two_records() -> None:
    asked = iter([False, True])
    step = stepper().run([number(0, 1), number(1, 1)], None, lambda: next(asked))
    assert (step.taken, step.offsets) == (1, {TopicPartition("numbers", 0): 1})


inputs = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"invalid"]), st.integers(-9, 2_000) | st.text(max_size=3)))


@given(inputs, st.data())
def test_any_split_and_a_restart_at_each_cut_give_the_same_records(
    values: list[tuple[bytes, object]], data: st.DataObject
) -> None:
    batch = [number(i, value, key) for i, (key, value) in enumerate(values)]
    whole = stepper().run(batch, None, go_on)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(batch)))) | {0, len(batch)})
    parts: list[NewRecord] = []
    for start, end in pairwise(cuts):
        restored = stepper()
        changelog = [r for r in parts if r.topic == "tallies"]
        restored.restore(Record(r.topic, 0, i, r.key, r.value, r.timestamp) for i, r in enumerate(changelog))
        parts += restored.run(batch[start:end], None, go_on).records
    assert written(parts) == written(whole.records)
