"""How what was found at a site, and the report on a feed, look in a terminal and to programs."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieup.cli.feeds.health_view import ago
from tieup.cli.render import minute
from tieup.cli.terminal import counted, plain
from tieup.feeds.looking.check import FeedReport
from tieup.feeds.looking.checkup import FeedFacts
from tieup.feeds.looking.discover import FoundFeed
from tieup.feeds.looking.interval import span
from tieup.feeds.registry import feed_id

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def found_table(found: Sequence[FoundFeed], wanted: Container[str], now: datetime) -> RenderableType:
    """Return the feeds found, two lines each: what it is, and where."""
    parts: list[RenderableType] = []
    numbers = {one.url: number for number, one in enumerate(found, start=1)}
    for number, one in enumerate(found, start=1):
        newest = f", newest {ago(one.newest, now)}" if one.newest is not None else ""
        head = Text.assemble(
            (f"{number:2}  ", "dim"),
            plain(one.title or "no title", style="bold"),
            f"  {one.kind}, {counted(one.entries, 'entry', 'entries')}",
        )
        head.append_text(plain(newest + (f", {one.language}" if one.language else "")))
        notes = plain(_notes(one, numbers, wanted), style="dim")
        parts += [head, Padding(Text.assemble(plain(one.url), "  ", notes), (0, 0, 0, 4))]
    return Group(*parts)


def found_json(one: FoundFeed, wanted: Container[str]) -> dict[str, object]:
    """Return a feed found, for programs."""
    return {
        "url": one.url,
        "id": feed_id(one.url),
        "how": one.how,
        "title": one.title or None,
        "kind": one.kind,
        "entries": one.entries,
        "newest": one.newest,
        "language": one.language,
        "of_comments": one.of_comments,
        "same_as": one.same_as,
        "wanted": feed_id(one.url) in wanted,
    }


def report_text(report: FeedReport, wanted: str, now: datetime) -> RenderableType:
    """Return the report on one screen: the facts, then what is wrong; `wanted` says whether it is subscribed to."""
    facts = report.facts
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(facts, now):
        table.add_row(name, plain(value))
    table.add_row("wanted", plain(wanted))
    head = plain(facts.title or facts.ended_at, style="bold")
    return Group(head, table, Text(""), _verdict(report))


def report_json(report: FeedReport) -> dict[str, object]:
    """Return the report for programs: every fact by its name, and the problems."""
    return {
        "healthy": not report.problems,
        "broken": report.broken,
        "problems": [asdict(problem) for problem in report.problems],
        **asdict(report.facts),
    }


def _notes(one: FoundFeed, numbers: Mapping[str, int], wanted: Container[str]) -> str:
    notes = [one.how.value]
    notes += ["readers' comments"] if one.of_comments else []
    notes += [f"repeats {numbers[one.same_as]}"] if one.same_as else []
    notes += ["wanted"] if feed_id(one.url) in wanted else []
    return f"({', '.join(notes)})"


def _verdict(report: FeedReport) -> RenderableType:
    if not report.problems:
        return Text("nothing is wrong with it", style="green")
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for problem in report.problems:
        mark = Text("✗", style="bold red") if problem.breaks else Text("!", style="yellow")
        table.add_row(mark, plain(problem.words))
    return table


def _lines(facts: FeedFacts, now: datetime) -> Iterator[tuple[str, str]]:
    yield "asked", facts.url
    if facts.ended_at != facts.url:
        where = {None: "for now", facts.ended_at: "for good"}.get(
            facts.moved_to, f"for good as far as {facts.moved_to}"
        )
        yield "redirected", f"{facts.ended_at} ({where})"
    yield "answered", f"{facts.status}, {facts.content_type or 'no content type'}"
    if facts.entries or facts.error is None:
        yield from _document_lines(facts)
    yield "size", _size(facts)
    yield "validators", _validators(facts)
    yield "caching", _caching(facts)
    if facts.error is None:
        yield "hub", facts.hub or "none"
    if facts.interval is not None:
        yield "asked every", f"{span(facts.interval.seconds)}: {facts.interval.reason}"
    yield from _entry_lines(facts, now)


def _document_lines(facts: FeedFacts) -> Iterator[tuple[str, str]]:
    reader = "the quick reader" if facts.quick else "JSON" if facts.kind.startswith("JSON") else "feedparser"
    charset = facts.charset_declared or facts.charset_sent or "utf-8"
    yield "format", f"{facts.kind or 'unknown'}, {charset}, read by {reader}"
    yield "language", facts.language or "not told"


def _size(facts: FeedFacts) -> str:
    coding = f"{facts.coding}, " if facts.coding else ""
    wire = f"{facts.wire_bytes:,} bytes sent, " if facts.wire_bytes is not None and facts.coding else ""
    return f"{coding}{wire}{facts.body_bytes:,} bytes read"


def _validators(facts: FeedFacts) -> str:
    found = [f"ETag {facts.etag}"] if facts.etag else []
    found += [f"Last-Modified {facts.last_modified}"] if facts.last_modified else []
    asked = f"; asked with them: {facts.second}" if facts.second else ""
    return ", ".join(found) + asked if found else "none"


def _caching(facts: FeedFacts) -> str:
    found = [f"Cache-Control {facts.cache_control}"] if facts.cache_control else []
    found += [f"Expires {facts.expires}"] if facts.expires else []
    found += [f"ttl or sy: {span(facts.wish_s)}"] if facts.wish_s else []
    found += [f"skips hours {', '.join(map(str, facts.skip_hours))} (UTC)"] if facts.skip_hours else []
    found += [f"skips {', '.join(DAYS[day] for day in facts.skip_days)}"] if facts.skip_days else []
    return "; ".join(found) or "nothing said"


def _entry_lines(facts: FeedFacts, now: datetime) -> Iterator[tuple[str, str]]:
    identity, dates = facts.identity, facts.dates
    if identity is None or dates is None or not facts.entries:
        return
    named = ((identity.by_link, "link"), (identity.by_guid, "guid"), (identity.by_content, "content"))
    by = ", ".join(f"{count} by {what}" for count, what in named if count)
    yield "entries", f"{facts.entries}, known {by}; {counted(identity.articles, 'article')}"
    if dates.oldest is None or dates.newest is None:
        yield "dates", "none"
        return
    rate = f", {dates.per_day:.3g} a day" if dates.per_day is not None else ""
    span_of = f"{minute(dates.oldest)} to {minute(dates.newest)} ({ago(dates.newest, now)})"
    yield "dates", f"{dates.dated} of {facts.entries}: {span_of}{rate}"
