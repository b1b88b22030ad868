"""Where a replay begins: the positions of its workers' inputs, set before they first run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from tieup.log.base import Log, TaskId, TopicPartition, WorkerSpec
from tieup.model.codec import to_millis

_WAIT_S: Final = 1.0


async def begin_at(log: Log, app: str, specs: Sequence[WorkerSpec], topics: Sequence[str], at: datetime) -> bool:
    """Let workers begin at the first record of these topics that is not older than `at`; other inputs are read whole.

    A replay that has begun already is left where it is: returns False. Raises TopicError, LogUnavailable, Fenced.
    """
    begun = False
    for spec in specs:
        for topic in (one for one in spec.streams if one in topics):
            for partition in range(await log.partitions(topic)):
                begun |= await _begin(log, TaskId(f"{app}-{spec.name}", spec.name, partition), topic, at)
    return begun


async def first_since(log: Log, place: TopicPartition, at: datetime) -> int:
    """Return the offset of the partition's first record that is not older than `at`, or its end.

    A search by halves: it takes timestamps to rise with the offsets, as they do where records are appended when they
    are observed.
    """
    low = (await log.first_offsets([place]))[place]
    high = (await log.end_offsets([place]))[place]
    wanted = to_millis(at)
    while low < high:
        middle = (low + high) // 2
        found = await _record_at(log, place, middle, high)
        if found is None or found[1] >= wanted:
            high = middle
        else:
            low = found[0] + 1
    return low


async def _record_at(log: Log, place: TopicPartition, offset: int, end: int) -> tuple[int, int] | None:
    """Offset and timestamp of the first record from `offset` on and before `end`; None if there is none."""
    reader = await log.reader({place: offset})
    try:
        while reader.positions()[place] < end:
            for record in await reader.poll(1, _WAIT_S):
                return (record.offset, record.timestamp) if record.offset < end else None
    finally:
        await reader.close()
    return None


async def _begin(log: Log, task: TaskId, topic: str, at: datetime) -> bool:
    place = TopicPartition(topic, task.partition)
    hold = await log.open_task(task)
    try:
        if (await hold.committed([place]))[place] is not None:
            return False
        start: Mapping[TopicPartition, int] = {place: await first_since(log, place, at)}
        await hold.commit([], start)
    finally:
        await hold.close()
    return True
