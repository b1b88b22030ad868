"""`tieup feeds discover` and `check`: looking at sites and feeds before, or instead of, subscribing."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tieup.cli.feeds.store import Known, append, feeds_log, known_or_none, read_feeds
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.session import bar, emit, emit_pretty, now, say, session, show, tell, wait_for
from tieup.cli.terminal import counted, one_line
from tieup.config import Settings
from tieup.errors import FetchError
from tieup.model.feed import Feed

if TYPE_CHECKING:
    from tieup.feeds.looking.check import FeedReport
    from tieup.feeds.looking.discover import Discovery, FoundFeed

Anyway = Annotated[bool, typer.Option("--anyway", help="Ask although the host asked a running tieup to be left alone.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("discover")(discover)
    group.command("check")(check)


def discover(
    context: typer.Context,
    site: Annotated[str, typer.Argument(metavar="SITE", help="A web site, or a page of it: news.example.")],
    add: Annotated[bool, typer.Option("--add", help="Want the first of the feeds found.")] = False,
    add_all: Annotated[
        bool, typer.Option("--all", help="With --add: all of them, but for readers' comments and repetitions.")
    ] = False,
    category: Annotated[
        str, typer.Option("--category", metavar="PATH", help="With --add: where to file them, such as trade/de.")
    ] = "",
    anyway: Anyway = False,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Find the feeds of a web site: those that its page names, else those in the usual places.

    Each is asked once, at most 20 in all, in turn. What --add subscribes to is
    not asked again for its first poll. The exit code is 1 if there is no feed.
    """
    settings = session(context).settings(log=log)
    known = wait_for(known_or_none(settings))
    found = wait_for(_discover(settings, known, site, anyway=anyway))
    chosen = [one for one in found.feeds if not one.of_comments and one.same_as is None] if add else []
    added = wait_for(_add(settings, chosen if add_all else chosen[:1], category)) if chosen else {}
    wanted = known.feeds.keys() | added.keys()
    if as_json:
        from tieup.cli.feeds.look_view import found_json

        for one in found.feeds:
            emit(found_json(one, wanted))
    else:
        _show_found(found, wanted, added)
    if not found.feeds:
        raise typer.Exit(1)


def check(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="A feed.")],
    anyway: Anyway = False,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Look at one feed and say what is good and what is wrong with it; nothing is stored.

    It is asked twice, in turn: the second time with the validators of the first
    answer. The exit code is 1 if nothing can be read from it.
    """
    settings = session(context).settings(log=log)
    known = wait_for(known_or_none(settings))
    report = wait_for(_check(settings, known, url, anyway=anyway))
    if as_json:
        from tieup.cli.feeds.look_view import report_json

        emit_pretty(report_json(report))
    else:
        from tieup.cli.feeds.look_view import report_text

        show(report_text(report, _how_wanted(known, report.facts.url, now()), now()))
    if report.broken:
        raise typer.Exit(1)


def _show_found(found: "Discovery", wanted: set[str], added: dict[str, Feed]) -> None:
    from tieup.cli.feeds.look_view import found_table

    if found.feeds:
        show(found_table(found.feeds, wanted, now()))
    else:
        say(f"tieup: {one_line(found.site)}: no feed found")
    for url, reason in found.failed if not found.feeds else ():
        say(one_line(f"  {url}: {reason}"))
    if found.left:
        left = counted(len(found.left), "more address was", "more addresses were")
        say(f"{left} not asked, such as {one_line(found.left[0])}")
    for feed in added.values():
        tell(f"added {feed.url}")


async def _discover(settings: Settings, known: Known, site: str, *, anyway: bool) -> "Discovery":
    from tieup.bootstrap import asking
    from tieup.feeds.looking.discover import discover as find_feeds
    from tieup.feeds.looking.discover import site_urls

    _mind_the_host(known, site_urls(site)[0], now(), anyway=anyway)
    async with asking(settings) as shell:
        with bar() as progress:
            progress.add_task("asking", total=None)
            return await find_feeds(shell.visit, site)


async def _check(settings: Settings, known: Known, url: str, *, anyway: bool) -> "FeedReport":
    from tieup.bootstrap import asking
    from tieup.feeds.looking.check import check as look_at
    from tieup.feeds.registry import feed_url, typed_url

    url = feed_url(typed_url(url))
    _mind_the_host(known, url, now(), anyway=anyway)
    async with asking(settings) as shell:
        return await look_at(shell, url, settings.feeds)


def _how_wanted(known: Known, url: str, at: datetime) -> str:
    from tieup.feeds.looking.health import health_of
    from tieup.feeds.registry import feed_id

    feed = known.feeds.get(feed_id(url))
    if feed is None:
        return "no"
    return f"yes, {health_of(feed, known.states.get(feed.id), at).state}"


def _mind_the_host(known: Known, url: str, at: datetime, *, anyway: bool) -> None:
    """Raises FetchError if the host asked the service to be left alone: the command is no way around that."""
    from tieup.articles.urls import registrable_domain
    from tieup.feeds.looking.health import resting_hosts

    until = resting_hosts(known.states.values(), at).get(registrable_domain(url))
    if until is not None and not anyway:
        raise FetchError(
            f"{url}: its host asked to be left alone until {until:%Y-%m-%d %H:%M} UTC; --anyway asks all the same"
        )


async def _add(settings: Settings, chosen: "list[FoundFeed]", category: str) -> dict[str, Feed]:
    """Want the feeds that are not wanted yet, and hand over what they answered; returns those that this added."""
    from tieup.feeds.registry import category_path, feed_from_url, feed_record, handed_over_record

    at, path = now(), category_path(category)
    found = [(feed_from_url(one.url, at, category=path), one.outcome) for one in chosen]
    async with feeds_log(settings, make=True) as log:
        before = await read_feeds(log)
        added = [(feed, outcome) for feed, outcome in found if feed.id not in before]
        handed = [handed_over_record(feed, outcome, at) for feed, outcome in added]
        await append(log, [*(feed_record(feed) for feed, _ in added), *(record for record in handed if record)])
    return {feed.id: feed for feed, _ in added}
