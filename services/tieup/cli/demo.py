"""`tieup demo`: the whole service on the sample feeds, and what came of it."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tieup.cli.options import LogUrl
from tieup.cli.reading import named, read_from, read_table
from tieup.cli.run import start_logging
from tieup.cli.session import say, session, show, wait_for
from tieup.cli.terminal import one_line
from tieup.config import SQLITE_SCHEME, Settings
from tieup.log.topics import EVENTS, STORIES
from tieup.model.codec import decode
from tieup.model.story import Story, StoryEvent

if TYPE_CHECKING:
    from tieup.bootstrap import DemoPoll

SHOWN: Final = frozenset({"ford", "xiaomi"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    log: LogUrl = None,
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "warning",
) -> None:
    """Run everything on sample feeds, served on loopback at fixed moments: feeds in, stories and events out."""
    one = session(context)
    if log is not None:
        _demo(one.settings(log=log, log_level=log_level))
        return
    with tempfile.TemporaryDirectory(prefix="tieup-demo-") as folder:
        _demo(one.settings(log=f"{SQLITE_SCHEME}{Path(folder) / 'tieup.db'}", log_level=log_level))


def _demo(settings: Settings) -> None:
    from tieup.bootstrap import run_demo
    from tieup.cli.render import story_table, story_timeline
    from tieup.cli.stories import select

    start_logging(settings.log_level)
    say("polling the sample feeds twice …")
    for poll in wait_for(run_demo(settings)):
        show(_poll_line(poll))
    stories, events = wait_for(_load(settings))
    show("", story_table(select(stories)))
    show(f"\n{len(stories)} stories, {len(events)} events\n")
    told = [story for story in select(stories) if {party.key for party in story.parties} == SHOWN]
    for story in told:
        show(story_timeline(story, [event for event in events if event.story_id == story.id]))


def _poll_line(poll: "DemoPoll") -> str:
    answers = Counter(served.status for served in poll.served)
    counted = ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))
    return one_line(f"{poll.at:%Y-%m-%d %H:%M} UTC  {len(poll.served)} feeds asked: {counted}")


async def _load(settings: Settings) -> tuple[dict[str, Story], list[StoryEvent]]:
    from tieup.bootstrap import open_log

    async with await open_log(settings, exclusive=False) as log:
        stories = await read_table(log, named(settings, STORIES), Story)
        records = [record async for record in read_from(log, named(settings, EVENTS), "begin", follow=False)]
    return stories, [decode(StoryEvent, record.value, record.place) for record in records]
