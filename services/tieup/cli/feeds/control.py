"""`tieup feeds pause`, `resume` and `poll`: what an operator does by hand."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final

import typer

from tieup.cli.feeds.choose import Category, Domain, FeedNames, Filter, chosen
from tieup.cli.feeds.store import append, feeds_log, read_feeds, read_known
from tieup.cli.options import LogUrl
from tieup.cli.session import now, say, session, tell, wait_for
from tieup.cli.terminal import counted
from tieup.config import Settings
from tieup.log.base import Log, Record, TopicPartition
from tieup.log.topics import FEED_STATES
from tieup.model.codec import decode
from tieup.model.feed import Feed, FeedState

REASON: Final = "operator"
BATCH: Final = 500
LOOK_S: Final = 0.5
WAIT_S: Final = 90


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("pause")(pause)
    group.command("resume")(resume)
    group.command("poll")(poll)


def pause(
    context: typer.Context,
    feeds: FeedNames = None,
    category: Category = None,
    domain: Domain = None,
    log: LogUrl = None,
) -> None:
    """Poll these feeds no longer for now. What is remembered of them stays, and so do their articles and stories."""
    _set_paused(session(context).settings(log=log), feeds, Filter(category, domain), paused=True)


def resume(
    context: typer.Context,
    feeds: FeedNames = None,
    category: Category = None,
    domain: Domain = None,
    log: LogUrl = None,
) -> None:
    """Poll paused feeds again, as their schedule was: each once if its time has passed, however often that was."""
    _set_paused(session(context).settings(log=log), feeds, Filter(category, domain), paused=False)


def poll(
    context: typer.Context,
    feeds: FeedNames = None,
    category: Category = None,
    domain: Domain = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the polls and show what came of them.")] = False,
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds that --wait waits at most.")] = WAIT_S,
    log: LogUrl = None,
) -> None:
    """Ask a running `tieup run` (or the next one) to poll these feeds before their time.

    A paused feed is not polled, nor is one whose host asked to be left alone:
    that is said. With --wait the exit code is 1 unless every poll that was
    asked for succeeded.
    """
    settings = session(context).settings(log=log)
    if not wait_for(_poll(settings, feeds or [], Filter(category, domain), timeout if wait else None)):
        raise typer.Exit(1)


def _set_paused(settings: Settings, names: Sequence[str] | None, accepted: Filter, *, paused: bool) -> None:
    changed, found = wait_for(_change(settings, names or [], accepted, paused=paused))
    word = "paused" if paused else "resumed"
    for feed in changed:
        tell(f"{word} {feed.url}")
    if len(found) > 1 or not changed:
        rest = len(found) - len(changed)
        before = f", {rest} {'paused' if paused else 'not paused'} before" if rest else ""
        say(f"{counted(len(changed), 'feed')} {word}{before}")


async def _change(
    settings: Settings, names: Sequence[str], accepted: Filter, *, paused: bool
) -> tuple[list[Feed], list[Feed]]:
    """Pause or resume, and return the feeds that this changed and all that were meant."""
    from tieup.feeds.registry import feeds_to_records

    async with feeds_log(settings) as log:
        found = chosen(await read_feeds(log), names, accepted)
        changed = [replace(feed, paused=paused) for feed in found if feed.paused != paused]
        await append(log, feeds_to_records(changed))
    return changed, found


async def _poll(settings: Settings, names: Sequence[str], accepted: Filter, wait_s: int | None) -> bool:
    from tieup.feeds.looking.forecast import Outlook
    from tieup.feeds.registry import poll_now_record

    at = now()
    async with feeds_log(settings) as log:
        known = await read_known(log)
        found = chosen(known.feeds, names, accepted)
        outlook = Outlook.of(known.states, known.feeds, at)
        told = [(feed, outlook.forecast(feed)) for feed in found]
        asked = {feed.id: feed for feed, answer in told if answer.will}
        begin = await _ends(log)
        await append(log, [poll_now_record(feed, REASON, at) for feed in asked.values()])
        for feed, answer in told:
            tell(f"{feed.url}: {answer.words}")
        if len(found) > 1:
            say(f"{len(asked)} of {len(found)} feeds asked for")
        return wait_s is None or await _wait(log, begin, known.states, asked, wait_s)


async def _ends(log: Log) -> Mapping[TopicPartition, int]:
    """Where the topic of feed states ends now."""
    count = await log.partitions(FEED_STATES)
    return await log.end_offsets([TopicPartition(FEED_STATES, number) for number in range(count)])


async def _wait(
    log: Log,
    begin: Mapping[TopicPartition, int],
    before: Mapping[str, FeedState],
    asked: Mapping[str, Feed],
    wait_s: int,
) -> bool:
    """Show each poll's outcome as it comes; returns whether all came and all were successes."""
    left, well = dict(asked), True
    reader = await log.reader(begin)
    try:
        async with asyncio.timeout(wait_s):
            while left:
                for state in _states(await reader.poll(BATCH, LOOK_S)):
                    known = before.get(state.feed_id)
                    if state.feed_id in left and state.last_poll_at != (
                        known.last_poll_at if known is not None else None
                    ):
                        feed = left.pop(state.feed_id)
                        tell(f"{feed.url}: {_came_of(feed, state, known)}")
                        well = well and state.error is None
    except TimeoutError:
        say(f"{counted(len(left), 'feed')} not polled within {wait_s} s; is `tieup run` running?")
    finally:
        await reader.close()
    return well and not left


def _states(records: Iterable[Record]) -> list[FeedState]:
    return [decode(FeedState, record.value, record.place) for record in records if record.value is not None]


def _came_of(feed: Feed, state: FeedState, before: FeedState | None) -> str:
    from tieup.feeds.looking.health import reason_of

    if state.error is not None:
        return reason_of(feed, state)
    new = state.entries - (before.entries if before is not None else 0)
    entries = counted(new, "new entry", "new entries")
    return f"answered {state.last_status}, {entries}; next poll {state.next_poll_at:%Y-%m-%d %H:%M} UTC"
