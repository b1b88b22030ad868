"""`tieup stories split|merge|retract`: the operator's hand, written to the topic of corrections."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

import typer

from tieup.cli.options import LogUrl
from tieup.cli.reading import existing, read_table
from tieup.cli.session import now, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import CATALOGUE, CORRECTIONS, STORIES
from tieup.model.codec import encode, to_millis
from tieup.model.story import Action, Correction, Story

UNNAMED: Final = "operator"

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever asks later.")]
Who = Annotated[str, typer.Option("--operator", metavar="NAME", envvar="USER", help="Who does it.")]
Wanted = Annotated[str, typer.Argument(metavar="STORY", help="A story's id; its first digits are enough.")]
Articles = Annotated[list[str], typer.Argument(metavar="ARTICLE...", help="Article ids, or their first digits.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `stories`."""
    for command in (split, merge, retract):
        group.command()(command)


def split(
    context: typer.Context, story: Wanted, articles: Articles, reason: Why, who: Who = UNNAMED, log: LogUrl = None
) -> None:
    """Take articles out of a story into one of their own: another deal, told with the same words."""
    _give(context, log, Action.SPLIT, story, articles, reason, who)


def merge(
    context: typer.Context,
    story: Wanted,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The story that takes it in.")],
    reason: Why,
    who: Who = UNNAMED,
    log: LogUrl = None,
) -> None:
    """Put a story into another: one deal, told in two ways. Its id leads on."""
    _give(context, log, Action.MERGE, story, (), reason, who, into)


def retract(
    context: typer.Context,
    story: Wanted,
    reason: Why,
    articles: Annotated[
        list[str] | None, typer.Argument(metavar="[ARTICLE]...", help="Article ids; all of the story's if none.")
    ] = None,
    who: Who = UNNAMED,
    log: LogUrl = None,
) -> None:
    """Take back what articles say of a story; it is withdrawn when none is left."""
    _give(context, log, Action.RETRACT, story, articles or (), reason, who)


def correction(
    stories: dict[str, Story],
    action: Action,
    story_id: str,
    articles: Sequence[str],
    reason: str,
    who: str,
    at: datetime,
    into: str | None = None,
) -> Correction:
    """Return the correction that an operator means. Raises UsageError if it names what is not there, or cannot be."""
    from tieup.cli.stories import pick

    story = pick(stories, story_id)
    if not reason.strip():
        raise UsageError("--reason: say why")
    other = None if into is None else pick(stories, into)
    if other is not None and other.id == story.id:
        raise UsageError(f"{into}: a story cannot be merged into itself")
    own = [one.article_id for one in story.articles]
    ids = tuple(dict.fromkeys(_article(own, start, story) for start in articles))
    if action is Action.RETRACT and not ids:
        ids = tuple(own)
    if action is Action.SPLIT and len(ids) == len(own):
        raise UsageError(f"{story.id}: no article would be left in it")
    if action is not Action.MERGE and not ids:
        raise UsageError(f"{story.id}: no article states it any more")
    given = Correction(
        "", story.id, action, None if other is None else other.id, ids, reason.strip(), who.strip() or UNNAMED, at
    )
    parts = (given.story_id, action, given.into_story_id or "", *ids, reason, who, at.isoformat())
    return replace(given, id=derive_id("correction", *parts))


def correction_record(given: Correction) -> NewRecord:
    """Return the correction as a record of its topic."""
    return NewRecord(CORRECTIONS, given.story_id.encode(), encode(given), to_millis(given.at))


def _article(own: Sequence[str], start: str, story: Story) -> str:
    found = [one for one in own if start and one.startswith(start.lower())]
    if len(found) != 1:
        raise UsageError(
            f"{start}: {'no such article' if not found else f'{len(found)} articles begin so'} in {story.id}"
        )
    return found[0]


def _give(
    context: typer.Context,
    log: str | None,
    action: Action,
    story: str,
    articles: Sequence[str],
    reason: str,
    who: str,
    into: str | None = None,
) -> None:
    settings = session(context).settings(log=log)
    given = wait_for(_append(settings, action, story, articles, reason, who, now(), into))
    show(plain(f"{action} of {given.story_id} noted as {given.id}; the story worker carries it out"))


async def _append(
    settings: Settings,
    action: Action,
    story: str,
    articles: Sequence[str],
    reason: str,
    who: str,
    at: datetime,
    into: str | None,
) -> Correction:
    from tieup.bootstrap import open_log
    from tieup.events.validate import SchemaValidator

    async with await open_log(existing(settings), exclusive=False) as log:
        await log.create(CATALOGUE)
        given = correction(await read_table(log, STORIES, Story), action, story, articles, reason, who, at, into)
        record = correction_record(given)
        SchemaValidator().check(record.topic, record.value)
        await log.append([record])
    return given
