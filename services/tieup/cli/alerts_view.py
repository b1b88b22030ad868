"""How subscriptions and their messages are shown to people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tieup.cli.render import SHORT_ID, minute, words
from tieup.cli.terminal import one_line, plain
from tieup.model.delivery import DeliveryProgress, DeliveryState
from tieup.model.story import StoryEvent
from tieup.model.subscription import Endpoint, Mode, Subscription

MAX_FILTER_SHOWN: Final = 200


def subscription_table(found: Iterable[Subscription], states: Mapping[str, DeliveryState]) -> Table:
    """Return a table of subscriptions: id, name, filter, when, and how the endpoints fare."""
    from tieup.alerts.filters import describe

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Alert", no_wrap=True, style="dim")
    for column in ("Name", "Filter", "When", "By", "Endpoint"):
        table.add_column(column, overflow="fold")
    for one in found:
        fares = plain("paused", style="yellow") if one.paused else _fares(one.endpoints, states, one.updated_at)
        events = describe(one.filter)
        events = events if len(events) <= MAX_FILTER_SHOWN else f"{events[:MAX_FILTER_SHOWN]}…"
        by = ", ".join(dict.fromkeys(endpoint.channel.value for endpoint in one.endpoints))
        table.add_row(one.id[:SHORT_ID], plain(one.name), plain(events), plain(when(one.mode)), plain(by), fares)
    return table


def subscription_text(one: Subscription, states: Mapping[str, DeliveryState], place: Callable[[Endpoint], str]) -> Text:
    """Return one subscription in a few lines, and where each of its endpoints is and how it fares."""
    from tieup.alerts.filters import describe

    lines = [
        f"alert {one.id}",
        f"filter: {describe(one.filter)}",
        f"when: {when(one.mode)}; news at most {one.max_age_h} h old{', backfill too' if one.backfill else ''}",
    ]
    body = Text("".join(f"\n{one_line(line)}" for line in lines) + "\n", style="dim")
    fares = [
        Text.assemble(
            (one_line(f"endpoint {endpoint.id}: {endpoint.channel} {place(endpoint)}") + ": ", "dim"),
            *(_fares([endpoint], states, one.updated_at), "\n"),
        )
        for endpoint in one.endpoints
    ]
    paused = [Text("paused\n", style="yellow")] if one.paused else []
    return Text.assemble(Text(one_line(one.name), style="bold"), body, *fares, *paused)


def delivery_table(found: Sequence[DeliveryProgress], endpoints: Sequence[Endpoint]) -> RenderableType:
    """Return a table of the deliveries to these endpoints with each attempt."""
    channels = {one.id: one.channel for one in endpoints}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Message", "By", "State", "Attempt", "ms", "Answer"):
        table.add_column(column, overflow="fold")
    for one in found:
        message = plain((one.message_id or one.id)[:SHORT_ID])
        table.add_row(message, channels[one.endpoint_id], words(one.status), *_attempt(one, 0))
        for number in range(1, len(one.attempts)):
            table.add_row("", "", "", *_attempt(one, number))
    return table if found else Text("no messages yet", style="dim")


def event_line(event: StoryEvent, event_id: str, at: datetime) -> Text:
    """Return an event in one line."""
    known_by = one_line(event_id[:SHORT_ID])
    return Text.assemble(
        (f"{minute(at)}  {known_by}", "dim"), "  ", (words(event.type), "bold cyan"), "  ", plain(event.headline.en)
    )


def when(mode: Mode) -> str:
    """Return a mode in words."""
    local = f" {mode.timezone}" if mode.daily_at or mode.quiet_from else ""
    parts = ["at once"]
    if mode.digest_h is not None:
        parts = [f"digest every {mode.digest_h} h{f' from {mode.daily_at}' if mode.daily_at else ''}"]
    elif mode.at_once is not None:
        parts = [f"at most {mode.at_once} in {mode.window_s} s, the rest in a digest"]
    if mode.quiet_from is not None:
        parts.append(f"quiet {mode.quiet_from}-{mode.quiet_to}")
    return ", ".join(parts) + local


def _attempt(one: DeliveryProgress, number: int) -> tuple[str, str, Text]:
    if number >= len(one.attempts):
        return "", "", plain("")
    attempt = one.attempts[number]
    answer = f"{attempt.error or attempt.status or ''} {attempt.excerpt or ''}"
    return minute(attempt.at), str(attempt.duration_ms), plain(answer, style="red" if attempt.error else "green")


def _fares(endpoints: Sequence[Endpoint], states: Mapping[str, DeliveryState], edited_at: datetime) -> Text:
    """How the endpoint fares that fares worst. One that was stopped and whose alert was edited since is tried again."""
    found = [states[one.id].endpoint for one in endpoints if one.id in states]
    failing = [one for one in found if one is not None and one.stopped_at is None and one.failures]
    stopped = [(one.stopped_at, one.reason) for one in found if one is not None and one.stopped_at is not None]
    for at, reason in stopped:
        if at > edited_at:
            return plain(f"stopped {minute(at)}: {reason}", style="red")
    if failing:
        return plain(f"{max(one.failures for one in failing)} failures in a row", style="yellow")
    return plain("tried again, was stopped", style="yellow") if stopped else plain("well", style="green")
