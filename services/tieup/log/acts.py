"""The acts of one task: which are wanted, which are under way, and the outcomes that wait for a step.

Acts begin as soon as another ends, not only between steps, and outcomes are handed over together: a step has a fixed
cost (a thread, a transaction), which many polls can share. The one that comes alone is handed over at once.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from tieup.log.base import OUTCOME_OFFSET, Act, Clock, Record, Shell
from tieup.model.codec import to_millis

AHEAD: Final = 4  # outcomes that may wait, for each act that may be under way
RIPE_BYTES: Final = 1 << 20  # of outcomes: a step's fixed cost is next to nothing then
MOST_BYTES: Final = 4 << 20  # of outcomes not settled; one more may come for each act under way


class Acts:
    """What a task does outside. Used on the event loop only.

    `concurrency` bounds the acts under way; begun are those wanted as long as fewer than four times as many are not
    settled, and their outcomes are smaller than 4 MiB. `gather_s`: how long an outcome waits for others at most.
    `hold_s`: how long an act whose outcome was poison is left alone.
    """

    def __init__(
        self, name: str, partition: int, shell: Shell, clock: Clock, *, concurrency: int, gather_s: float, hold_s: float
    ) -> None:
        self._name = name
        self._partition = partition
        self._shell = shell
        self._clock = clock
        self._concurrency = concurrency
        self._gather_s = gather_s
        self._hold_s = hold_s
        self._wanted: deque[Act] = deque()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Record] = []
        self._unsettled: dict[str, int] = {}  # the size of the outcome that waits for the end of its step
        self._bytes = 0
        self._held: dict[str, float] = {}
        self._ripe = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._error: Exception | None = None

    def __len__(self) -> int:
        """How many acts are under way or not settled."""
        return len(self._running) + len(self._unsettled)

    @property
    def under_way(self) -> int:
        """How many acts are under way."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many outcomes wait for a step."""
        return len(self._outcomes)

    def want(self, acts: Iterable[Act], poisoned: Sequence[str] = ()) -> None:
        """Let these acts, in this order, be what is wanted; those `poisoned` are held back for a while."""
        now = time.monotonic()
        for act_id in poisoned:
            self._held[act_id] = now + self._hold_s
        if self._held:
            self._held = {act_id: until for act_id, until in self._held.items() if until > now}
        self._wanted = deque(act for act in acts if not (self._known(act.id) or act.id in self._held))
        self._begin()

    async def ripe(self) -> None:
        """Wait until outcomes are to be taken, or a defect of the shell is to be raised."""
        await self._ripe.wait()

    def take(self) -> list[Record]:
        """Return the outcomes that wait. Raises what a defect of the shell raised."""
        self._ripe.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._error is not None:
            raise self._error
        taken, self._outcomes = self._outcomes, []
        return taken

    def settle(self, outcome: Record) -> None:
        """Note that an outcome's step is committed."""
        if outcome.key is not None:
            self._bytes -= self._unsettled.pop(outcome.key.decode(), 0)

    async def stop(self, within_s: float, *, grace_s: float = 0.0) -> None:
        """Begin nothing more; cancel what has not ended after `grace_s`, and wait `within_s` at most for its end."""
        self._wanted.clear()
        running = list(self._running.values())
        if running and grace_s:
            await asyncio.wait(running, timeout=grace_s)
        for act in running:
            act.cancel()
        if running:
            await asyncio.wait(running, timeout=within_s)

    def _known(self, act_id: str) -> bool:
        return act_id in self._running or act_id in self._unsettled

    def _begin(self) -> None:
        room = AHEAD * self._concurrency - len(self._unsettled)
        while self._wanted and len(self._running) < min(self._concurrency, room) and self._bytes < MOST_BYTES:
            act = self._wanted.popleft()
            self._running[act.id] = asyncio.create_task(self._perform(act))

    async def _perform(self, act: Act) -> None:
        try:
            value = await self._shell.perform(act)
        except Exception as error:  # noqa: BLE001 - a shell's defect ends the task, loudly, in its own loop
            del self._running[act.id]
            self._error = error
            self._ripe.set()
            return
        del self._running[act.id]
        self._unsettled[act.id] = len(value)
        self._bytes += len(value)
        at = to_millis(self._clock())
        self._outcomes.append(Record(self._name, self._partition, OUTCOME_OFFSET, act.id.encode(), value, at))
        self._begin()
        self._look()

    def _look(self) -> None:
        """Let the outcomes be taken if they are many, or large, or no other is to come; else soon."""
        many = len(self._outcomes) >= 2 * self._concurrency or self._bytes >= RIPE_BYTES
        if many or not self._running:
            self._ripe.set()
        elif self._timer is None and not self._ripe.is_set():
            self._timer = asyncio.get_running_loop().call_later(self._gather_s, self._ripe.set)
