"""The feeds and their states on the log: read whole, appended in pieces."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tieup.cli.reading import existing, read_table
from tieup.config import Settings
from tieup.log.base import Log, NewRecord
from tieup.log.topics import CATALOGUE, FEED_STATES, FEEDS
from tieup.model.feed import Feed, FeedState

APPENDED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """The feeds that are wanted and what is observed of them, by feed id."""

    feeds: dict[str, Feed]
    states: dict[str, FeedState]


@asynccontextmanager
async def feeds_log(settings: Settings, *, make: bool = False) -> AsyncIterator[Log]:
    """Open the log; with `make` it and its topics are made where they are not there. Raises what opening raises."""
    from tieup.bootstrap import open_log

    async with await open_log(settings if make else existing(settings), exclusive=False) as log:
        if make:
            await log.create(CATALOGUE)
        yield log


async def read_feeds(log: Log) -> dict[str, Feed]:
    """Return the wanted feeds by id."""
    return await read_table(log, FEEDS, Feed)


async def read_known(log: Log) -> Known:
    """Return the wanted feeds and all states."""
    return Known(await read_feeds(log), await read_table(log, FEED_STATES, FeedState))


async def known_or_none(settings: Settings) -> Known:
    """Return what is known, which is nothing where there is no embedded log yet."""
    path = settings.sqlite_path
    if path is not None and not path.exists():
        return Known({}, {})
    async with feeds_log(settings) as log:
        return await read_known(log)


async def append(log: Log, records: Sequence[NewRecord], told: Callable[[int], object] = lambda _: None) -> None:
    """Append records in pieces; `told` hears how many each piece held."""
    for start in range(0, len(records), APPENDED_AT_ONCE):
        piece = records[start : start + APPENDED_AT_ONCE]
        await log.append(piece)
        told(len(piece))
