"""`tieup feeds list` and `show`: how the feeds fare."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tieup.cli.feeds.choose import Category, Domain, Filter, find
from tieup.cli.feeds.store import Known, feeds_log, read_known
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.session import emit, emit_pretty, now, say, session, show, wait_for
from tieup.config import Settings
from tieup.model.feed import Health

if TYPE_CHECKING:
    from tieup.cli.feeds.row import FeedRow


class Order(StrEnum):
    """What a list of feeds is sorted by."""

    DOMAIN = "domain"
    NAME = "name"
    STATE = "state"
    NEXT = "next"
    ENTRY = "entry"
    RATE = "rate"


BAD: Final = frozenset({Health.GONE, Health.BROKEN, Health.FAILING})
NEVER: Final = datetime.min.replace(tzinfo=UTC)
ORDERS: Final[dict[Order, Callable[["FeedRow"], tuple[object, ...]]]] = {
    Order.DOMAIN: lambda row: (row.feed.domain,),
    Order.NAME: lambda row: (row.name.casefold(),),
    Order.STATE: lambda row: (list(Health).index(row.health.state),),
    Order.NEXT: lambda row: (row.next_at is None, row.next_at or NEVER),
    Order.ENTRY: lambda row: (-(row.last_entry_at or NEVER).timestamp(),),
    Order.RATE: lambda row: (-(row.entries_per_day or 0),),
}


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("list")(list_feeds)
    group.command("show")(show_feed)


def list_feeds(
    context: typer.Context,
    broken: Annotated[bool, typer.Option("--broken", help="Only those that fail, are broken or are gone.")] = False,
    state: Annotated[
        list[Health] | None, typer.Option("--state", metavar="STATE", help="Only feeds in this state; may be repeated.")
    ] = None,
    category: Category = None,
    domain: Domain = None,
    language: Annotated[str | None, typer.Option("--language", metavar="CODE", help="Only feeds in it.")] = None,
    sort: Annotated[Order, typer.Option("--sort", help="What comes first.")] = Order.DOMAIN,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """List the feeds and how they fare: the state, the newest entry, entries a day, the interval, the next poll.

    States: broken (3 errors in a row), gone (410), failing, overrun (entries
    may be lost), moved, paused, new, quiet (nothing new for 30 days), healthy.
    """
    from tieup.cli.feeds.row import rows_of

    settings = session(context).settings(log=log)
    known = wait_for(_known(settings))
    at = now()
    states = {*(state or ()), *(BAD if broken else ())}
    accepted = Filter(category, domain, language)
    rows = [row for row in rows_of(known, settings.feeds, at) if accepted.accepts(row.feed, row.language)]
    shown = [row for row in rows if not states or row.health.state in states]
    shown.sort(key=lambda row: (*ORDERS[sort](row), row.feed.domain, row.feed.url))
    if as_json:
        for row in shown:
            emit(row.as_json())
    elif not known.feeds:
        say("no feeds yet; `tieup feeds add URL` adds one, `tieup feeds starter` knows some")
    else:
        _show_table(shown, at)


def show_feed(
    context: typer.Context,
    feed: Annotated[str, typer.Argument(metavar="FEED", help="A URL, or the first digits of an id.")],
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Show all that is known of one feed."""
    from tieup.cli.feeds.health_view import feed_text
    from tieup.cli.feeds.row import rows_of

    settings = session(context).settings(log=log)
    known = wait_for(_known(settings))
    wanted = find(known.feeds, feed)
    at = now()
    row = next(row for row in rows_of(known, settings.feeds, at) if row.feed.id == wanted.id)
    if as_json:
        emit_pretty(row.as_json())
    else:
        show(feed_text(row, at))


def _show_table(rows: "list[FeedRow]", at: datetime) -> None:
    from tieup.cli.feeds.health_view import feed_table, summary

    if rows:
        show(feed_table(rows, at), "", summary(rows))
    else:
        say("no feed is so")


async def _known(settings: Settings) -> Known:
    async with feeds_log(settings) as log:
        return await read_known(log)
