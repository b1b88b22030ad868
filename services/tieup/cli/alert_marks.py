"""`tieup alerts marks`: what subscribers say is wrong, for whoever corrects it."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from rich.table import Table

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, read_table
from tieup.cli.render import SHORT_ID, minute, words
from tieup.cli.session import emit, now, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.base import NewRecord
from tieup.log.topics import MARKS, STORIES
from tieup.model.codec import to_millis
from tieup.model.mark import Mark
from tieup.model.story import Story


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("marks")(marks)


def marks(
    context: typer.Context,
    done: Annotated[
        list[str] | None, typer.Option("--done", metavar="ID", help="Strike this one: it has been dealt with.")
    ] = None,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """List the events that subscribers marked as wrong; `tieup stories split|merge|retract` corrects a story."""
    settings = session(context).settings(log=log)
    if done:
        struck = wait_for(_struck(settings, done))
        show(plain(f"{len(struck)} struck"))
        return
    found, stories = wait_for(_marks(settings))
    if as_json:
        for one in found.values():
            emit(one)
    elif not found:
        say("nothing was marked as wrong")
    else:
        show(_table(sorted(found.values(), key=lambda one: one.at), stories))


def _table(found: Iterable[Mark], stories: Mapping[str, Story]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Mark", "When", "Story"):
        table.add_column(column, no_wrap=True, style="dim")
    for column in ("Wrong", "In their words", "Now"):
        table.add_column(column, overflow="fold")
    for one in found:
        story = stories.get(one.story_id)
        headline = "" if story is None else story.headline_en
        table.add_row(
            one.id[:SHORT_ID],
            minute(one.at),
            one.story_id[:SHORT_ID],
            words(one.fault),
            plain(one.note),
            plain(headline),
        )
    return table


async def _marks(settings: Settings) -> tuple[dict[str, Mark], dict[str, Story]]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, MARKS, Mark), await read_table(log, STORIES, Story)


async def _struck(settings: Settings, wanted: list[str]) -> list[str]:
    """Strike marks by the first digits of their ids. Raises UsageError for none or several of a name."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        known = await read_table(log, MARKS, Mark)
        found: list[str] = []
        for text in wanted:
            meant = [one for one in known if text and one.startswith(text.lower())]
            if len(meant) != 1:
                raise UsageError(f"{text}: {'no such mark' if not meant else f'{len(meant)} are meant'}")
            found += meant
        await log.append([NewRecord(MARKS, one.encode(), None, to_millis(now())) for one in found])
    return found
