"""`tieup stories` and `tieup story`: what is in the compacted topic of stories, and the operator's hand on it."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tieup.cli import corrections
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, named, read_table
from tieup.cli.session import emit, emit_pretty, say, session, show, wait_for
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.topics import STORIES
from tieup.model.story import Story


class ListByDefault(TyperGroup):
    """A group whose `list` is meant where no command is named: `tieup stories ford`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - the class differs by typer's version
        """Put `list` before arguments that begin with no command."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


group = typer.Typer(cls=ListByDefault, help="List the stories; split, merge and retract them.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list")(list_stories)
    corrections.register(group)
    app.add_typer(group, name="stories")
    app.command("story")(show_story)


def list_stories(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="Only stories with this company (part of a name or id).")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Merged and withdrawn ones as well.")] = False,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """List the stories, last changed first."""
    from tieup.cli.render import story_table

    found = select(wait_for(load_stories(session(context).settings(log=log))), query, everything)
    if as_json:
        for story in found[:limit]:
            emit(story)
        return
    if not found:
        say("no stories yet" if not query else f"no story with {query!r}")
        return
    show(story_table(found[:limit]))
    if len(found) > limit:
        say(f"{len(found) - limit} more; --limit shows them")


def show_story(
    context: typer.Context,
    story_id: Annotated[str, typer.Argument(metavar="ID", help="A story's id; its first digits are enough.")],
    rewrites: Annotated[bool, typer.Option("--rewrites", help="Also what articles say that add nothing.")] = False,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Show one story: its state, and who said what, when and where."""
    from tieup.cli.render import story_timeline

    story = pick(wait_for(load_stories(session(context).settings(log=log))), story_id)
    if as_json:
        emit_pretty(story)
    else:
        show(story_timeline(story, rewrites=rewrites))


async def load_stories(settings: Settings) -> dict[str, Story]:
    """Read all stories of the log."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, named(settings, STORIES), Story)


def select(stories: dict[str, Story], query: str = "", everything: bool = False) -> list[Story]:
    """Return the stories that are wanted, last changed first."""
    wanted = query.casefold()
    found = [
        story
        for story in stories.values()
        if (everything or not (story.merged_into or story.withdrawn))
        and any(wanted in text.casefold() for party in story.parties for text in (party.name, party.key))
    ]
    return sorted(found, key=lambda story: (story.updated_at, story.id), reverse=True)


def pick(stories: dict[str, Story], start: str) -> Story:
    """Return the one story whose id begins so, following a merge. Raises UsageError if there is none or several."""
    wanted = start.strip().lower()
    found = [story for key, story in stories.items() if wanted and key.startswith(wanted)]
    if not found:
        raise UsageError(f"{start}: no such story; `tieup stories` lists them")
    if len(found) > 1:
        raise UsageError(f"{start}: {len(found)} stories begin so: {', '.join(story.id for story in found[:5])}")
    story = found[0]
    seen = {story.id}
    while story.merged_into in stories and story.merged_into not in seen:
        story = stories[story.merged_into]
        seen.add(story.id)
    return story
