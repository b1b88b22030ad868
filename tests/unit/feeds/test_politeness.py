import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import HostBusy
from tieup.feeds import politeness
from tieup.feeds.politeness import Pace, Turns
from tieup.feeds.settings import FetchSettings


def test_a_burst_is_free_and_then_each_waits_for_its_token() -> None:
    pace = Pace(rate=2.0, burst=3)
    assert [pace.take(10.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert pace.take(20.0) == 0.0


def test_a_token_given_back_is_another_ones() -> None:
    pace = Pace(rate=0.01, burst=1)
    assert [pace.take(0.0), pace.take(0.0)] == [0.0, 100.0]
    pace.give_back()
    assert pace.take(0.0) == 100.0
    Pace(rate=0.0, burst=1).give_back()


async def test_who_waits_in_vain_uses_no_token_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(politeness, "TURN_S", 0.01)
    now = [0.0]
    made = Turns(FetchSettings(host_rate=0.01, host_burst=1), {"a.example": ("127.0.0.1", 80)}, seconds=lambda: now[0])
    assert await crowd(made, ["http://a.example/1"]) == 1
    for _ in range(5):
        with pytest.raises(HostBusy):
            await made.enter("http://a.example/2")
    now[0] = 100.0
    assert await crowd(made, ["http://a.example/2"]) == 1


def test_no_rate_waits_for_nothing() -> None:
    pace = Pace(rate=0.0, burst=1)
    assert {pace.take(0.0) for _ in range(9)} == {0.0}


@given(st.lists(st.floats(0, 5), max_size=40), st.floats(0.1, 10), st.integers(1, 5))
def test_never_more_than_the_burst_and_the_rate(gaps: list[float], rate: float, burst: int) -> None:
    pace, now, served = Pace(rate, burst), 100.0, []
    for gap in gaps:
        now += gap
        served.append(now + pace.take(now))
    for first in range(len(served)):
        for last in range(first, len(served)):
            assert last - first + 1 <= burst + (served[last] - served[first]) * rate + 1e-6


def turns(**settings: object) -> Turns:
    return Turns(FetchSettings(**({"host_rate": 0.0} | settings)), {"a.example": ("127.0.0.1", 80)})


async def crowd(made: Turns, urls: list[str]) -> int:
    """Take a turn at each URL at once; return the most that were held together."""
    here = most = 0

    async def visit(url: str) -> None:
        nonlocal here, most
        async with made.turn(url):
            here += 1
            most = max(most, here)
            await asyncio.sleep(0)
            here -= 1

    await asyncio.gather(*(visit(url) for url in urls))
    return most


async def test_two_at_once_to_a_domain_whatever_its_hosts() -> None:
    made = turns()
    assert await crowd(made, ["http://127.0.0.1/1", "http://127.0.0.1:81/2", "http://127.0.0.1/3"]) == 2
    assert len(made) == 0


async def test_two_at_once_to_an_address_whatever_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def resolve(host: str, *_: object, **__: object) -> list[tuple]:
        asked.append(host)
        return [(2, 1, 6, "", ("192.0.2.8", 0)), (2, 1, 6, "", ("192.0.2.7", 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    made = turns()
    urls = [f"https://site{number}.example/feed" for number in range(6)]
    assert await crowd(made, urls) == 2
    assert await crowd(made, urls) == 2
    assert sorted(asked) == [f"site{number}.example" for number in range(6)]


async def test_trusted_hosts_share_an_address_freely() -> None:
    made = Turns(FetchSettings(host_rate=0.0), {f"site{n}.example": ("127.0.0.1", 80) for n in range(6)})
    assert await crowd(made, [f"https://site{number}.example/feed" for number in range(6)]) == 6


async def test_an_address_has_bounds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object, **__: object) -> list[tuple]:
        return [(2, 1, 6, "", ("192.0.2.7", 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    urls = [f"https://site{number}.example/feed" for number in range(9)]
    assert await crowd(turns(per_address=5), urls) == 5
    assert await crowd(turns(per_address=5), ["https://a.site1.example/", *["https://site1.example/"] * 5]) == 2


def test_ten_thousand_feeds_behind_one_address_get_their_turns_within_the_hour() -> None:
    settings = FetchSettings()
    pace = Pace(settings.address_rate, settings.address_burst)
    waits = [pace.take(0.0) for _ in range(10_000)]
    assert max(waits) < settings.interval_s
    assert max(waits[: settings.address_burst]) == pytest.approx(0.0)


async def test_who_gets_no_turn_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(politeness, "TURN_S", 0.05)
    made = turns()
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(made.turn("http://a.example/1"))
        with pytest.raises(HostBusy, match=r"http://a\.example/2: its host was busy for 0\.05 s"):
            async with made.turn("http://a.example/2"):
                pass
    assert len(made) == 0
    assert await crowd(made, ["http://a.example/1"]) == 1
