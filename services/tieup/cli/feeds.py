"""`tieup feeds`: which feeds are wanted, and how they fare."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, read_table
from tieup.cli.session import emit, now, say, session, show, wait_for
from tieup.cli.terminal import one_line, plain
from tieup.config import Settings
from tieup.errors import BadFeed, BadFile, UsageError
from tieup.log.base import Log, NewRecord
from tieup.log.topics import CATALOGUE, FEED_STATES, FEEDS
from tieup.model.feed import Feed, FeedState

APPENDED_AT_ONCE: Final = 500
STDIN: Final = "-"

group = typer.Typer(no_args_is_help=True, help="Add, remove, list, import and export feeds.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="feeds")


@group.command()
def add(
    context: typer.Context,
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="RSS, Atom or JSON feeds.")],
    title: Annotated[str | None, typer.Option(help="A name of your own.")] = None,
    publisher: Annotated[str | None, typer.Option(help="Who publishes it.")] = None,
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code, where the feed does not tell.")] = None,
    interval: Annotated[int | None, typer.Option(min=60, help="Seconds between two polls.")] = None,
    log: LogUrl = None,
) -> None:
    """Want these feeds. A feed that is wanted already is changed."""
    from tieup.feeds.registry import feed_from_url

    at = now()
    feeds = [
        feed_from_url(url, at, title=title, publisher=publisher, language=language, interval_s=interval) for url in urls
    ]
    before = wait_for(_store(session(context).settings(log=log), feeds))
    for feed in feeds:
        show(plain(f"{'changed' if feed.id in before else 'added'} {feed.url}"))


@group.command()
def remove(
    context: typer.Context,
    feeds: Annotated[list[str], typer.Argument(metavar="FEED...", help="URLs, or the first digits of ids.")],
    log: LogUrl = None,
) -> None:
    """Want these feeds no longer. Their articles and stories stay."""
    for feed in wait_for(_remove(session(context).settings(log=log), feeds, now())):
        show(plain(f"removed {feed.url}"))


@group.command("list")
def list_feeds(context: typer.Context, as_json: AsJson = False, log: LogUrl = None) -> None:
    """List the feeds with what came of the last poll."""
    feeds, states = wait_for(_load(session(context).settings(log=log)))
    ordered = sorted(feeds.values(), key=lambda feed: (feed.domain, feed.url))
    if as_json:
        for feed in ordered:
            emit(_row(feed, states.get(feed.id)))
    elif not feeds:
        say("no feeds yet; `tieup feeds add URL` adds one")
    else:
        show(_table(ordered, states))


@group.command("import")
def import_feeds(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.opml", help="An OPML list; - for standard input.")],
    log: LogUrl = None,
) -> None:
    """Want all feeds of an OPML list. Entries that are no feeds are named, the rest goes on."""
    from tieup.feeds.registry import feed_from_url, parse_opml

    at, feeds, faults = now(), dict[str, Feed](), list[str]()
    for outline in parse_opml(_read(file), file):
        try:
            feed = feed_from_url(outline.url, at, title=outline.title, language=outline.language)
            feeds.setdefault(feed.id, feed)
        except BadFeed as fault:
            faults.append(f"{file}: {fault}")
    before = wait_for(_store(session(context).settings(log=log), list(feeds.values())))
    for line in faults:
        say(f"tieup: {one_line(line)}")
    changed = len(before & feeds.keys())
    show(plain(f"{len(feeds) - changed} feeds added, {changed} changed, {len(faults)} passed over"))
    if faults:
        raise typer.Exit(1)


@group.command("export")
def export_feeds(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.opml", help="Where to; - for standard output.")] = STDIN,
    log: LogUrl = None,
) -> None:
    """Write all feeds as an OPML list."""
    from tieup.feeds.registry import write_opml

    feeds, _ = wait_for(_load(session(context).settings(log=log)))
    data = write_opml(sorted(feeds.values(), key=lambda feed: (feed.domain, feed.url)))
    if file == STDIN:
        sys.stdout.buffer.write(data)
        return
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise BadFile(f"{file}: cannot be written: {error.strerror}") from error
    say(f"{len(feeds)} feeds written to {one_line(file)}")


def find(feeds: Mapping[str, Feed], wanted: str) -> Feed:
    """Return the feed with this URL or the one whose id begins so. Raises UsageError if it is none or several."""
    from tieup.feeds.registry import feed_id

    if "://" in wanted:
        found = [feed for key, feed in feeds.items() if key == feed_id(wanted)]
    else:
        found = [feed for key, feed in feeds.items() if wanted and key.startswith(wanted.lower())]
    if len(found) != 1:
        raise UsageError(f"{wanted}: {'no such feed' if not found else f'{len(found)} feeds begin so'}")
    return found[0]


async def _store(settings: Settings, feeds: Sequence[Feed]) -> frozenset[str]:
    """Append the feeds and return the ids that were there before."""
    from tieup.bootstrap import open_log
    from tieup.feeds.registry import feeds_to_records

    async with await open_log(settings, exclusive=False) as log:
        await log.create(CATALOGUE)
        before = await read_table(log, FEEDS, Feed)
        await _append(log, feeds_to_records(feeds))
    return frozenset(before)


async def _remove(settings: Settings, wanted: Iterable[str], at: datetime) -> list[Feed]:
    from tieup.bootstrap import open_log
    from tieup.feeds.registry import removal_record

    async with await open_log(existing(settings), exclusive=False) as log:
        feeds = await read_table(log, FEEDS, Feed)
        found = list({feed.id: feed for feed in (find(feeds, one) for one in wanted)}.values())
        await _append(log, [removal_record(feed, at) for feed in found])
    return found


async def _load(settings: Settings) -> tuple[dict[str, Feed], dict[str, FeedState]]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, FEEDS, Feed), await read_table(log, FEED_STATES, FeedState)


async def _append(log: Log, records: Sequence[NewRecord]) -> None:
    for start in range(0, len(records), APPENDED_AT_ONCE):
        await log.append(records[start : start + APPENDED_AT_ONCE])


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise BadFile(f"{file}: cannot be read: {error.strerror}") from error


def _row(feed: Feed, state: FeedState | None) -> dict[str, object]:
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title or (state.title if state else None),
        "publisher": feed.publisher,
        "language": feed.language or (state.language if state else None),
        "interval_s": feed.interval_s,
        "added_at": feed.added_at,
        "last_poll_at": state.last_poll_at if state else None,
        "last_status": state.last_status if state else None,
        "next_poll_at": state.next_poll_at if state else None,
        "entries": state.entries if state else 0,
        "error": state.error if state else None,
        "gone": state.gone if state else False,
    }


def _table(feeds: Sequence[Feed], states: Mapping[str, FeedState]) -> RenderableType:
    from tieup.cli.render import SHORT_ID, minute

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Feed", no_wrap=True, style="dim")
    table.add_column("URL", overflow="fold")
    table.add_column("Polled", overflow="fold")
    table.add_column("Result", overflow="fold")
    table.add_column("Entries", justify="right", no_wrap=True)
    for feed in feeds:
        state = states.get(feed.id)
        polled = minute(state.last_poll_at) if state and state.last_poll_at else "not yet"
        table.add_row(feed.id[:SHORT_ID], plain(feed.url), polled, _result(state), str(state.entries if state else 0))
    return table


def _result(state: FeedState | None) -> Text:
    if state is None:
        return plain("")
    if state.gone:
        return plain("gone", style="red")
    if state.error:
        return plain(state.error, style="red")
    return plain(str(state.last_status or ""), style="green")
