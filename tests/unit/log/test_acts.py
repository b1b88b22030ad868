import asyncio
from datetime import UTC, datetime

import pytest

from tieup.log.acts import AHEAD, MOST_BYTES, RIPE_BYTES, Acts
from tieup.log.base import OUTCOME_OFFSET, Act

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


class Gate:
    """A shell whose acts end when they are told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Future[bytes]] = {}

    async def perform(self, act: Act) -> bytes:
        self.begun.append(act.id)
        self.ends[act.id] = asyncio.get_running_loop().create_future()
        return await self.ends[act.id]

    async def close(self) -> None:
        return None

    async def end(self, *ids: str, value: bytes = b"{}") -> None:
        for act_id in ids:
            self.ends.pop(act_id).set_result(value)
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def acts_of(gate: Gate, concurrency: int = 2, gather_s: float = 60.0) -> Acts:
    return Acts("w", 3, gate, lambda: NOON, concurrency=concurrency, gather_s=gather_s, hold_s=3_600.0)


def named(*ids: str) -> list[Act]:
    return [Act(act_id, None) for act_id in ids]


async def is_ripe(acts: Acts) -> bool:
    try:
        async with asyncio.timeout(0.01):
            await acts.ripe()
    except TimeoutError:
        return False
    return True


async def test_as_many_run_as_may_and_another_begins_when_one_ends() -> None:
    gate = Gate()
    acts = acts_of(gate)
    acts.want(named("a", "b", "c", "d"))
    await settled()
    assert (gate.begun, acts.under_way) == (["a", "b"], 2)
    await gate.end("b")
    assert (gate.begun, acts.under_way, len(acts)) == (["a", "b", "c"], 2, 3)
    acts.want(named("a", "b", "c", "d"))
    await settled()
    assert gate.begun == ["a", "b", "c"], "what runs or waits for its step is not begun again"
    await acts.stop(1.0)


async def test_an_outcome_alone_is_ripe_at_once_and_others_wait_for_company() -> None:
    gate = Gate()
    acts = acts_of(gate)
    acts.want(named("a", "b"))
    await settled()
    await gate.end("a")
    assert not await is_ripe(acts)
    await gate.end("b", value=b"[]")
    assert await is_ripe(acts)
    outcomes = acts.take()
    assert [(one.topic, one.partition, one.offset, one.key, one.value) for one in outcomes] == [
        ("w", 3, OUTCOME_OFFSET, b"a", b"{}"),
        ("w", 3, OUTCOME_OFFSET, b"b", b"[]"),
    ]
    assert (len(acts), acts.take()) == (2, [])
    for outcome in outcomes:
        acts.settle(outcome)
    assert len(acts) == 0


async def test_an_outcome_does_not_wait_for_ever() -> None:
    gate = Gate()
    acts = acts_of(gate, gather_s=0.001)
    acts.want(named("a", "slow"))
    await settled()
    await gate.end("a")
    await acts.ripe()
    assert len(acts.take()) == 1
    await acts.stop(1.0)


async def test_what_waits_for_its_step_is_bounded_in_number_and_bytes() -> None:
    gate = Gate()
    acts = acts_of(gate, concurrency=1)
    acts.want(named(*(f"{number:03}" for number in range(100))))
    for number in range(AHEAD):
        await settled()
        await gate.end(f"{number:03}")
    assert (len(gate.begun), acts.under_way) == (AHEAD, 0)
    assert await is_ripe(acts)

    big = acts_of(gate, concurrency=1)
    big.want(named("big", "next"))
    await settled()
    await gate.end("big", value=bytes(MOST_BYTES))
    assert "next" not in gate.begun


async def test_large_outcomes_do_not_wait_for_company() -> None:
    gate = Gate()
    acts = acts_of(gate)
    acts.want(named("large", "slow"))
    await settled()
    await gate.end("large", value=bytes(RIPE_BYTES))
    assert await is_ripe(acts)
    await acts.stop(1.0)


async def test_poison_is_held_back_and_a_defect_is_raised() -> None:
    gate = Gate()
    acts = acts_of(gate)
    acts.want(named("a", "b"), poisoned=["a"])
    await settled()
    assert gate.begun == ["b"]
    gate.ends["b"].set_exception(RuntimeError("a defect"))
    await acts.ripe()
    with pytest.raises(RuntimeError, match="a defect"):
        acts.take()


async def test_a_stop_lets_acts_end_for_a_moment_and_keeps_what_they_brought() -> None:
    gate = Gate()
    acts = acts_of(gate)
    acts.want(named("quick", "hanging", "later"))
    await settled()
    stopping = asyncio.create_task(acts.stop(1.0, grace_s=0.05))
    await gate.end("quick")
    await stopping
    assert (gate.begun, gate.ends["hanging"].cancelled()) == (["quick", "hanging"], True)
    assert [outcome.key for outcome in acts.take()] == [b"quick"]
