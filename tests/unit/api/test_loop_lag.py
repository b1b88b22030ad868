import asyncio
import time

from tieup.api.loop_lag import loop_lag_watched


async def test_what_holds_the_loop_up_is_told() -> None:
    lags: asyncio.Queue[float] = asyncio.Queue()
    async with loop_lag_watched(lags.put_nowait, every_s=0.001):
        await lags.get()
        time.sleep(0.3)  # noqa: ASYNC251 - the very thing that nobody should do
        assert max([await lags.get(), await lags.get()]) > 0.25
    while not lags.empty():
        lags.get_nowait()
    await asyncio.sleep(0.02)
    assert lags.empty()
