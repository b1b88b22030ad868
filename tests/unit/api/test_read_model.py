"""What is laid ready: the newest of each, the newest of all, and how far back nothing is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.api.read_model import MAX_HEADLINES, Laid, ReadModel


def laid(endpoint: str, offset: int) -> Laid:
    return Laid(endpoint, offset, 1_000 * offset, f"event {offset}", f'{{"offset":{offset}}}'.encode() * 20)


async def test_what_is_laid_is_found_again_in_both_orders() -> None:
    model = ReadModel(10, 100)
    await model.lay([laid("a", 3), laid("a", 1), laid("b", 2), laid("a", 3)])
    assert await model.newest("a", 5) == [laid("a", 3), laid("a", 1)]
    assert await model.from_offset("a", 1, 5) == [laid("a", 1), laid("a", 3)]
    assert await model.from_offset("a", 2, 5) == [laid("a", 3)]
    assert await model.floor("a") == -1
    assert await model.newest("c", 5) == []
    await model.close()


async def test_headlines_are_known_by_their_event() -> None:
    model = ReadModel(1, 1)
    await model.lay([], [("one", "Ford"), ("two", "BYD"), ("one", "again")])
    assert [await model.headline(one) for one in ("one", "two", "three")] == ["Ford", "BYD", None]
    await model.lay([], [(f"{number}", "x") for number in range(MAX_HEADLINES)])
    assert await model.headline("one") is None
    assert await model.headline(f"{MAX_HEADLINES - 1}") == "x"
    await model.close()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=8), max_size=12), st.integers(1, 5), st.integers(1, 9))
async def test_bounds_hold_and_what_is_above_the_floor_is_there(
    batches: list[list[str]], keep: int, in_all: int
) -> None:
    model, offset, said = ReadModel(keep, in_all), 0, {one: [] for one in "abc"}
    for batch in batches:
        rows = []
        for endpoint in batch:
            rows.append(laid(endpoint, offset))
            said[endpoint].append(offset)
            offset += 1
        await model.lay(rows)
    total = 0
    for endpoint, offsets in said.items():
        kept = [one.offset for one in await model.from_offset(endpoint, 0, 1_000)]
        floor = await model.floor(endpoint)
        assert kept == [one for one in offsets if one > floor]
        assert len(kept) <= keep
        total += len(kept)
    assert total <= in_all
    await model.close()


@pytest.mark.parametrize("count", [0, 3])
async def test_without_messages_nothing_is_let_go(count: int) -> None:
    model = ReadModel(3, 3)
    await model.lay([laid("a", number) for number in range(count)])
    assert await model.floor("a") == -1
    await model.close()
