"""`tieup feeds add` and `remove`: which feeds are wanted."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from tieup.cli.feeds.choose import find
from tieup.cli.feeds.store import append, feeds_log, read_feeds
from tieup.cli.options import LogUrl
from tieup.cli.session import now, session, tell, wait_for
from tieup.config import Settings
from tieup.model.feed import Feed


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("add")(add)
    group.command("remove")(remove)


def add(
    context: typer.Context,
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="RSS, Atom or JSON feeds.")],
    title: Annotated[str | None, typer.Option(help="A name of your own.")] = None,
    publisher: Annotated[str | None, typer.Option(help="Who publishes it.")] = None,
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code, where the feed does not tell.")] = None,
    interval: Annotated[int | None, typer.Option(min=60, help="Seconds between two polls.")] = None,
    category: Annotated[
        str, typer.Option(metavar="PATH", help="Where to file it: names between slashes, such as trade/de.")
    ] = "",
    log: LogUrl = None,
) -> None:
    """Want these feeds. Of one that is wanted already what you give is changed, the rest stays; paused it stays.

    A feed that its server called gone (410) is asked again.
    """
    from tieup.feeds.registry import category_path, feed_from_url, typed_url

    at, path = now(), category_path(category)
    given = [
        feed_from_url(
            *(typed_url(url), at),
            title=title,
            publisher=publisher,
            language=language,
            interval_s=interval,
            category=path,
        )
        for url in urls
    ]
    before = wait_for(_add(session(context).settings(log=log), given))
    for feed in given:
        known = before.get(feed.id)
        paused = "; it is paused: `tieup feeds resume` polls it again" if known is not None and known.paused else ""
        tell(f"{'added' if known is None else 'changed'} {feed.url}{paused}")


def remove(
    context: typer.Context,
    feeds: Annotated[list[str], typer.Argument(metavar="FEED...", help="URLs, or the first digits of ids.")],
    log: LogUrl = None,
) -> None:
    """Want these feeds no longer. Their articles and stories stay."""
    for feed in wait_for(_remove(session(context).settings(log=log), feeds)):
        tell(f"removed {feed.url}")


async def _add(settings: Settings, given: Sequence[Feed]) -> Mapping[str, Feed]:
    """Append the feeds and return those that were there before."""
    from tieup.feeds.registry import feeds_to_records, wanted_again

    async with feeds_log(settings, make=True) as log:
        before = await read_feeds(log)
        after = [wanted_again(before[feed.id], feed) if feed.id in before else feed for feed in given]
        await append(log, feeds_to_records(after))
    return before


async def _remove(settings: Settings, wanted: Sequence[str]) -> list[Feed]:
    from tieup.feeds.registry import removal_record

    at = now()
    async with feeds_log(settings) as log:
        feeds = await read_feeds(log)
        found = list({feed.id: feed for feed in (find(feeds, one) for one in wanted)}.values())
        await append(log, [removal_record(feed, at) for feed in found])
    return found
