"""How far the event loop is behind: what holds it up holds up every heartbeat, timer and answer of the process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

EVERY_S: Final = 0.05


@asynccontextmanager
async def loop_lag_watched(observe: Callable[[float], None], every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Meanwhile set a timer again and again, and tell `observe` by how many seconds each came late."""
    sampler = asyncio.create_task(_sample(observe, every_s))
    try:
        yield
    finally:
        sampler.cancel()
        await asyncio.wait([sampler])


async def _sample(observe: Callable[[float], None], every_s: float) -> None:
    now = asyncio.get_running_loop().time
    while True:
        due = now() + every_s
        await asyncio.sleep(every_s)
        observe(max(0.0, now() - due))
