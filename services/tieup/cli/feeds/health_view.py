"""How feeds look in a terminal: a table of many, one on a page. Texts from outside pass `terminal`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieup.cli.feeds.row import FeedRow
from tieup.cli.terminal import counted, plain
from tieup.feeds.looking.interval import span
from tieup.model.feed import Health

SHORT_ID: Final = 8
WIDE: Final = 110
STYLES: Final = {
    Health.BROKEN: "bold red",
    Health.GONE: "red",
    Health.FAILING: "yellow",
    Health.OVERRUN: "magenta",
    Health.MOVED: "cyan",
    Health.PAUSED: "blue",
    Health.NEW: "dim",
    Health.QUIET: "dim",
    Health.HEALTHY: "green",
}


def feed_table(rows: Sequence[FeedRow], now: datetime, width: int | None = None) -> RenderableType:
    """Return the feeds, a line for each that is well and two for one that is not; wide terminals see more of each.

    Entry is the age of the newest one; Every says `push` while a hub pushes. `width` is the terminal's, unless given.
    """
    wide = (Console().width if width is None else width) >= WIDE
    parts: list[RenderableType] = []
    piece = _piece(wide, header=True)
    for row in rows:
        middle = [plain(row.feed.url.partition("://")[2]), plain("/".join(row.feed.category))] if wide else []
        piece.add_row(row.feed.id[:SHORT_ID], plain(row.name), *middle, state_word(row), *_figures(row, now))
        if reason := _reason(row, now):
            parts += [piece, Padding(reason, (0, 0, 0, SHORT_ID + 2))]
            piece = _piece(wide)
    return Group(*parts, piece) if piece.rows else Group(*parts)


def _piece(wide: bool, *, header: bool = False) -> Table:
    """Return an empty table whose columns are as wide as in every other piece: reasons stand between the pieces."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True, show_header=header)
    table.add_column("Feed", no_wrap=True, style="dim", width=SHORT_ID)
    table.add_column("Name", no_wrap=True, overflow="ellipsis", ratio=4)
    if wide:
        table.add_column("Address", no_wrap=True, overflow="ellipsis", style="dim", ratio=5)
        table.add_column("Category", no_wrap=True, overflow="ellipsis", width=12)
    table.add_column("State", no_wrap=True, width=8)
    for column, width in (("Entry", 7), ("/day", 4), ("Every", 7), ("Next", 10)):
        table.add_column(column, no_wrap=True, justify="right", width=width)
    return table


def summary(rows: Sequence[FeedRow]) -> Text:
    """Return how many feeds are in which state."""
    counts = Counter(row.health.state for row in rows)
    parts = [f"{counts[state]} {state}" for state in Health if counts[state]]
    return Text(f"{counted(len(rows), 'feed')}: {', '.join(parts)}", style="dim")


def feed_text(row: FeedRow, now: datetime) -> RenderableType:
    """Return one feed with all that is known of it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _details(row, now):
        table.add_row(name, value if isinstance(value, Text) else plain(value))
    return Group(plain(row.name, style="bold"), table)


def state_word(row: FeedRow) -> Text:
    """Return the state, coloured."""
    return Text(row.health.state, style=STYLES[row.health.state])


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something was, or in how long it will be, as people say it; empty if it never was."""
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def _reason(row: FeedRow, now: datetime) -> Text | None:
    health = row.health
    if not health.reason:
        return None
    for_long = "" if health.since is None else f"for {span((now - health.since).total_seconds())}: "
    found = plain(f"{for_long}{health.reason}", style="dim")
    found.no_wrap, found.overflow = True, "ellipsis"
    return found


def _figures(row: FeedRow, now: datetime) -> tuple[str, str, str, str]:
    rate = row.entries_per_day
    entry = "" if row.last_entry_at is None else span((now - row.last_entry_at).total_seconds())
    every = "push" if row.is_pushed(now) else "" if row.interval is None else span(row.interval.seconds)
    return entry, "" if rate is None else _short(rate), every, _next(row, now)


def _short(rate: float) -> str:
    """Return a rate in at most four characters."""
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"


def _next(row: FeedRow, now: datetime) -> str:
    if row.next_at is None:
        return "–"
    return "now" if row.next_at <= now else f"in {span((row.next_at - now).total_seconds())}"


def _details(row: FeedRow, now: datetime) -> Iterator[tuple[str, Text | str]]:
    feed, state, health = row.feed, row.state, row.health
    since = f"since {_moment(health.since, now)}" if health.since is not None else ""
    yield "state", Text.assemble(state_word(row), "  ", plain(", ".join(filter(None, (health.reason, since)))))
    yield "address", feed.url
    if state is not None and state.location:
        yield "asked at", state.location
    yield "id", feed.id
    yield "filed under", "/".join(feed.category) or "–"
    yield "publisher", feed.publisher or "–"
    yield "language", row.language or "–"
    yield "added", _moment(feed.added_at, now)
    if state is None or state.last_poll_at is None:
        yield "polled", "not yet"
        return
    status = "no answer" if state.last_status is None else f"answered {state.last_status}"
    yield "polled", f"{_moment(state.last_poll_at, now)}: {status}; {state.polls} in all"
    if state.error:
        yield "error", plain(f"{state.error} ({state.errors_in_a_row} in a row)", style="red")
    yield "last success", "never" if state.last_success_at is None else _moment(state.last_success_at, now)
    yield "next poll", "none" if row.next_at is None else _moment(row.next_at, now)
    if row.rests_until is not None:
        yield "its host", f"asked to be left alone until {_moment(row.rests_until, now)}"
    if row.interval is not None:
        yield "asked every", f"{span(row.interval.seconds)}: {row.interval.reason}"
    yield "hub", _hub(row, now)
    yield "newest entry", "none yet" if state.last_entry_at is None else _moment(state.last_entry_at, now)
    yield "entries", _entries(row)
    yield "validators", ", ".join(filter(None, (state.etag, state.last_modified))) or "none"


def _hub(row: FeedRow, now: datetime) -> str:
    hub, named = row.hub, row.state.hub_url if row.state else None
    if hub is None:
        return "names none" if named is None else f"{named}; not subscribed"
    pushed = (
        f"; {counted(hub.pushes, 'push', 'pushes')}, the last {ago(hub.pushed_at, now)}"
        if hub.pushed_at is not None
        else ""
    )
    failed = f"; {hub.error}" if hub.error else ""
    if hub.lease_until is None:
        return f"{hub.url}; no lease yet{failed}"
    return f"{hub.url}; leased until {_moment(hub.lease_until, now)}{pushed}{failed}"


def _moment(moment: datetime, now: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC ({ago(moment, now)})"


def _entries(row: FeedRow) -> str:
    state = row.state
    if state is None:
        return ""
    rate = "" if state.entries_per_day is None else f"; {state.entries_per_day:.3g} a day"
    lost = f"; {state.overruns} times some may have been lost" if state.overruns else ""
    wander = "; its guids change from poll to poll and are not believed" if state.guids_wander else ""
    return f"{state.entries} in all, {state.window} in the last document{rate}{lost}{wander}"
