"""`tieup feeds starter`: a curated list of feeds to begin with."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from tieup.cli.feeds.choose import Category, Filter
from tieup.cli.feeds.exchange import merge_into, merged_words
from tieup.cli.feeds.store import Known, known_or_none
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.session import emit, now, say, session, show, tell, wait_for
from tieup.cli.terminal import plain
from tieup.model.feed import Feed

if TYPE_CHECKING:
    from rich.table import Table

    from tieup.cli.feeds.row import FeedRow

UNVERIFIED = "unverified"


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("starter")(starter)


def starter(
    context: typer.Context,
    add: Annotated[bool, typer.Option("--add/--list", help="Want the feeds, or (the default) only list them.")] = False,
    language: Annotated[str | None, typer.Option("--language", metavar="CODE", help="Only feeds in it.")] = None,
    category: Category = None,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Feeds to begin with: trade and business press, newsrooms, agencies, authorities, in eight languages.

    Their addresses come from public lists; each is unverified until your tieup
    has polled it once with success. Of those that you want already nothing is
    changed but what nobody has set.
    """
    settings = session(context).settings(log=log)
    accepted = Filter(category, None, language)
    feeds = [feed for feed in starter_feeds(now()) if accepted.accepts(feed)]
    if not feeds:
        say("no feed of the starter list is so")
        raise typer.Exit(1)
    if add:
        merged = wait_for(merge_into(settings, feeds))
        tell(f"{merged_words(merged)}; new ones are unverified until first polled")
        return
    rows = _rows(feeds, wait_for(known_or_none(settings)))
    if as_json:
        for row in rows:
            emit(_as_json(row))
    else:
        show(_table(rows), "", Text(_counts(rows), style="dim"))


def starter_feeds(at: datetime) -> list[Feed]:
    """Return the starter list as feeds that are wanted from this moment."""
    from tieup.feeds.registry import feed_from_url
    from tieup.feeds.starter import load_starter

    return [
        feed_from_url(
            one.url, at, title=one.title, publisher=one.publisher, language=one.language, category=one.category
        )
        for one in load_starter()
    ]


def _rows(feeds: list[Feed], known: Known) -> "list[tuple[Feed, FeedRow | None]]":
    """Return each feed of the list with what is known of it, None where it is not wanted."""
    from tieup.cli.feeds.row import rows_of
    from tieup.feeds.settings import FetchSettings

    rows = {row.feed.id: row for row in rows_of(known, FetchSettings(), now())}
    return [(feed, rows.get(feed.id)) for feed in feeds]


def _word(row: "FeedRow | None") -> Text:
    """Return `unverified` until a poll has succeeded, then how the feed fares."""
    from tieup.cli.feeds.health_view import state_word

    if row is None or row.state is None or row.state.last_success_at is None:
        return Text(
            UNVERIFIED if row is None or row.state is None else f"{row.health.state}, {UNVERIFIED}", style="dim"
        )
    return state_word(row)


def _table(rows: "list[tuple[Feed, FeedRow | None]]") -> "Table":
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", width=min(Console().width, 140))
    table.add_column("Name", no_wrap=True, overflow="ellipsis", ratio=2)
    table.add_column("In", no_wrap=True)
    table.add_column("Category", no_wrap=True)
    table.add_column("Wanted", no_wrap=True)
    table.add_column("State", no_wrap=True)
    table.add_column("Address", no_wrap=True, overflow="ellipsis", style="dim", ratio=3)
    for feed, row in rows:
        address = plain(feed.url.partition("://")[2])
        wanted = "" if row is None else "yes"
        table.add_row(plain(feed.title), feed.language, "/".join(feed.category), wanted, _word(row), address)
    return table


def _counts(rows: "list[tuple[Feed, FeedRow | None]]") -> str:
    wanted = sum(row is not None for _, row in rows)
    return f"{len(rows)} feeds, {wanted} of them wanted; --add wants them all, --language and --category choose"


def _as_json(pair: "tuple[Feed, FeedRow | None]") -> dict[str, object]:
    feed, row = pair
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title,
        "publisher": feed.publisher,
        "language": feed.language,
        "category": feed.category,
        "wanted": row is not None,
        "state": _word(row).plain,
    }
