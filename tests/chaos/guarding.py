"""What the tests of guards share: each guard with it and without, and waiting with an end."""

import asyncio

import pytest

WAIT_S = 40.0

guarded = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])


async def eventually(condition):
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110 - another process's log has no event to wait for
            await asyncio.sleep(0.02)


async def ends_within(seconds, work, error=None):
    """Whether it ends by itself in that time (with that error, if one is named)."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    task.cancel()
    await asyncio.wait({task})
    if done and error is not None:
        with pytest.raises(error):
            task.result()
    return bool(done)


class Sleeper:
    """A log whose readers stand still while the machine sleeps."""

    def __init__(self, log):
        self._log, self.awake, self.asleep = log, asyncio.Event(), asyncio.Event()
        self.awake.set()

    def __getattr__(self, name):
        return getattr(self._log, name)

    async def reader(self, positions):
        reader = await self._log.reader(positions)
        poll = reader.poll

        async def when_awake(limit, wait_s):
            if not self.awake.is_set():
                self.asleep.set()
            await self.awake.wait()
            return await poll(limit, wait_s)

        reader.poll = when_awake
        return reader
