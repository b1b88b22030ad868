"""`tieup feeds import` and `export`: lists of feeds as other readers write and read them."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tieup.cli.feeds.store import append, feeds_log, read_feeds, read_known
from tieup.cli.options import LogUrl
from tieup.cli.session import bar, now, say, session, tell, wait_for
from tieup.cli.terminal import counted, one_line
from tieup.config import Settings
from tieup.errors import BadFeed, BadFile
from tieup.model.feed import Feed

if TYPE_CHECKING:
    from tieup.feeds.opml import OpmlOutline
    from tieup.feeds.registry import Merged

STDIN: Final = "-"


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("import")(import_feeds)
    group.command("export")(export_feeds)


def import_feeds(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.opml", help="An OPML list; - for standard input.")],
    update: Annotated[
        bool, typer.Option("--update", help="Let the list's titles, languages and categories replace yours.")
    ] = False,
    log: LogUrl = None,
) -> None:
    """Want all feeds of an OPML list; folders become categories.

    Importing a list again is harmless: of a feed that is wanted already the
    list fills in what nobody has set, and never touches its URL, its interval,
    and whether it is paused or gone. A feed that you removed comes back if the
    list still names it: pause it instead. Entries that are no feeds are named,
    the rest goes on (exit code 1).
    """
    from tieup.feeds.opml import parse_opml

    outlines = parse_opml(_read(file), one_line(file))
    with bar() as progress:
        reading = progress.add_task("read", total=len(outlines))
        feeds, faults = [], []
        for outline in outlines:
            try:
                feeds.append(_feed(outline))
            except BadFeed as fault:
                faults.append(f"{file}: {fault}")
            progress.advance(reading)
    merged = wait_for(merge_into(session(context).settings(log=log), feeds, update=update))
    for line in faults:
        say(f"tieup: {one_line(line)}")
    tell(f"{merged_words(merged)}, {len(faults)} passed over")
    if faults:
        raise typer.Exit(1)


def export_feeds(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.opml", help="Where to; - for standard output.")] = STDIN,
    log: LogUrl = None,
) -> None:
    """Write all feeds as an OPML list, each in the folders of its category.

    A feed that you gave no title has its own.
    """
    from tieup.feeds.opml import write_opml

    feeds = wait_for(_wanted(session(context).settings(log=log)))
    data = write_opml(sorted(feeds, key=lambda feed: (feed.category, feed.domain, feed.url)))
    if file == STDIN:
        sys.stdout.buffer.write(data)
        return
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise BadFile(f"{file}: cannot be written: {error.strerror}") from error
    say(f"{counted(len(feeds), 'feed')} written to {one_line(file)}")


async def merge_into(settings: Settings, listed: Iterable[Feed], *, update: bool = False) -> "Merged":
    """Want the listed feeds beside those that are wanted, with a progress bar; returns what that changed."""
    from tieup.feeds.registry import feeds_to_records, merge

    async with feeds_log(settings, make=True) as log:
        merged = merge(await read_feeds(log), listed, update=update)
        records = feeds_to_records((*merged.added, *merged.changed))
        with bar() as progress:
            storing = progress.add_task("store", total=len(records))
            await append(log, records, lambda count: progress.advance(storing, count))
    return merged


def merged_words(merged: "Merged") -> str:
    """Return what a list changed, in words."""
    return f"{counted(len(merged.added), 'feed')} added, {len(merged.changed)} changed, {merged.same} known already"


def _feed(outline: "OpmlOutline") -> Feed:
    from tieup.feeds.registry import feed_from_url

    return feed_from_url(outline.url, now(), title=outline.title, language=outline.language, category=outline.category)


async def _wanted(settings: Settings) -> list[Feed]:
    async with feeds_log(settings) as log:
        known = await read_known(log)
    own = {key: state.title for key, state in known.states.items()}
    return [replace(feed, title=feed.title or own.get(key)) for key, feed in known.feeds.items()]


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise BadFile(f"{file}: cannot be read: {error.strerror}") from error
