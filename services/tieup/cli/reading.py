"""Reading topics from the command: whole tables, and records from a position on."""

from collections.abc import AsyncIterator, Mapping
from typing import Final, TypeVar

from tieup.config import Settings
from tieup.errors import LogError, UsageError
from tieup.log.base import Log, Record, TopicPartition
from tieup.log.topics import BY_NAME, full_name
from tieup.model.codec import decode

T = TypeVar("T")

BATCH: Final = 500
WAIT_S: Final = 0.5
FOLLOW_S: Final = 1.0
MAX_SILENT_POLLS: Final = 20


def known_topic(name: str) -> str:
    """Return the full name of a topic, from its short or its full one, which may carry the suffix of a replay.

    Raises UsageError naming all topics.
    """
    topic = full_name(name)
    if any(topic == one or topic.startswith(f"{one}.") for one in BY_NAME):
        return topic
    short = ", ".join(one.removeprefix("tieup.").removesuffix(".v1") for one in BY_NAME)
    raise UsageError(f"{name}: no such topic; there are {short}")


def named(settings: Settings, topic: str) -> str:
    """Return the topic's name on the log: a replay's has its suffix."""
    return f"{topic}.{settings.suffix}" if settings.suffix else topic


def existing(settings: Settings) -> Settings:
    """Return the settings if their log can be there at all. Raises LogError where the embedded log has no file yet."""
    path = settings.sqlite_path
    if path is not None and not path.exists():
        raise LogError(f"{path}: no log there yet; `tieup feeds add URL` and `tieup run` make one")
    return settings


async def read_table(log: Log, topic: str, kind: type[T]) -> dict[str, T]:
    """Return the newest record of every key of a compacted topic, tombstoned ones left out, in the order of the keys.

    Raises TopicError, LogUnavailable, BadRecord.
    """
    rows: dict[str, T] = {}
    async for record in read_from(log, topic, "begin", follow=False):
        key = (record.key or b"").decode("utf-8", "replace")
        if record.value is None:
            rows.pop(key, None)
        else:
            rows[key] = decode(kind, record.value, record.place)
    return dict(sorted(rows.items()))


async def read_from(log: Log, topic: str, start: str, *, follow: bool) -> AsyncIterator[Record]:
    """Yield the topic's records from `begin`, from `now`, or from an offset in every partition; with `follow` wait for
    more, else end where the topic ended when this began. Raises TopicError, LogUnavailable.
    """
    at = [TopicPartition(topic, number) for number in range(await log.partitions(topic))]
    ends = await log.end_offsets(at)
    positions = await _positions(log, at, ends, start)
    reader = await log.reader(positions)
    silent = 0
    try:
        while follow or any(position < ends[one] for one, position in reader.positions().items()):
            records = await reader.poll(BATCH, FOLLOW_S if follow else WAIT_S)
            silent = 0 if records else silent + 1
            if silent > MAX_SILENT_POLLS and not follow:
                raise LogError(f"{topic}: nothing came for {silent * WAIT_S:g} s before its end was reached")
            for record in records:
                if follow or record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield record
    finally:
        await reader.close()


async def _positions(
    log: Log, at: list[TopicPartition], ends: Mapping[TopicPartition, int], start: str
) -> dict[TopicPartition, int]:
    if start == "now":
        return dict(ends)
    first = await log.first_offsets(at)
    if start == "begin":
        return dict(first)
    if not (start.isascii() and start.isdigit()):
        raise UsageError(f"--from {start}: not begin, now or an offset")
    return {one: min(max(int(start), first[one]), ends[one]) for one in at}
