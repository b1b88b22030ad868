"""`tieup replay` and `tieup diff`: the same articles with this version of the code, and what it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, named, read_table
from tieup.cli.session import emit, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.topics import ASSIGNMENTS, STORIES
from tieup.model.story import Story

if TYPE_CHECKING:
    from tieup.stories.comparison import Difference

Suffix = Annotated[str, typer.Option("--suffix", metavar="NAME", help="Stands behind the names of the topics.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("replay")(replay)
    app.command("diff")(diff)


def replay(
    context: typer.Context,
    suffix: Suffix,
    start: Annotated[
        str, typer.Option("--from", metavar="begin|DATE", help="Begin with articles observed then (UTC).")
    ] = "begin",
    stories_only: Annotated[
        bool, typer.Option("--stories-only", help="Read the live relations instead of extracting anew.")
    ] = False,
    log: LogUrl = None,
    log_level: Annotated[str | None, typer.Option("--log-level", help="debug, info, warning or error.")] = None,
) -> None:
    """Build stories and events anew beside the live topics; nobody is alerted. `tieup diff` shows what it changes."""
    from tieup import bootstrap
    from tieup.cli.run import start_logging

    settings = session(context).settings(log=log, suffix=suffix, log_level=log_level)
    begin = moment(start)
    start_logging(settings.log_level)
    workers = ("story",) if stories_only else ("extract", "story")
    if not wait_for(bootstrap.replay(existing(settings), workers, begin)):
        say(f"{suffix}: begun before; it went on where it had ended")
    say(f"{suffix}: done; `tieup diff --suffix {suffix}` shows what it changes")


def diff(
    context: typer.Context,
    suffix: Suffix,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Show what a replay makes of the live stories, story by story."""
    from tieup.stories.comparison import compare

    live, replayed, begin = wait_for(_load(session(context).settings(log=log, suffix=suffix)))
    found = compare(live, replayed, begin)
    if as_json:
        for one in found:
            emit(one)
        return
    if found:
        show(difference_list(found))
    say(f"{len(live)} stories live, {len(replayed)} in {suffix}, {len(found)} differ")
    older = sum(begin is not None and one.updated_at < begin for key, one in live.items() if key not in replayed)
    if older:
        say(f"{older} of the live ones are older than the first article that {suffix} read, and are left out")


def moment(text: str) -> datetime | None:
    """Return the moment that `--from` means, None for the beginning. Raises UsageError."""
    if text == "begin":
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--from {text}: not begin and no date") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def difference_list(found: "Sequence[Difference]") -> RenderableType:
    """Return the differences as people read them."""
    return Group(*(_difference(one) for one in found))


def _difference(one: "Difference") -> Text:
    text = Text.assemble((f"{one.sort} ", "bold"), plain((one.live_id or one.replayed_id or "")[:10]), "  ")
    text.append_text(plain(one.headline))
    if one.live_id and one.replayed_id and one.live_id != one.replayed_id:
        text.append(f"\n  id: {one.live_id[:10]} → {one.replayed_id[:10]}")
    for change in one.changes:
        text.append("\n  ").append_text(plain(f"{change.field}: {change.old or '–'} → {change.new or '–'}"))
    if one.gained or one.lost:
        text.append(f"\n  {one.gained} articles gained, {one.lost} lost")
    return text


@dataclass(frozen=True, slots=True)
class _Taken:
    """What is read of an article that a replay took."""

    event_time: datetime


async def _load(settings: Settings) -> tuple[dict[str, Story], dict[str, Story], datetime | None]:
    """The live stories, those of the replay, and the time of the earliest article that it took."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        taken = await read_table(log, named(settings, ASSIGNMENTS), _Taken)
        begin = min((one.event_time for one in taken.values()), default=None)
        return await read_table(log, STORIES, Story), await read_table(log, named(settings, STORIES), Story), begin
