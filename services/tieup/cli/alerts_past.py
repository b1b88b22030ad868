"""`tieup alerts try|replay`: what a filter would have sent, and sending again."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Annotated

import typer

from tieup.cli.alert_options import Backfill, FilterText, MaxAge, WatchlistFile, wanted_filter
from tieup.cli.alerts_log import append, pick, subscriptions
from tieup.cli.alerts_view import event_line
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, read_from
from tieup.cli.session import emit, now, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.base import Record
from tieup.log.topics import EVENTS
from tieup.model.codec import decode, from_millis
from tieup.model.story import StoryEvent
from tieup.model.subscription import DEFAULT_MAX_AGE_H, Subscription

Since = Annotated[
    str, typer.Option("--since", metavar="SPAN|TIME", help="How far back: 90m, 12h, 30d, or a time with its zone.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="SPAN|TIME", help="Up to then: 12h is twelve hours ago.")]

Events = list[tuple[Record, StoryEvent]]


def try_filter(
    context: typer.Context,
    text: FilterText = None,
    watchlist: WatchlistFile = None,
    since: Since = "30d",
    until: Until = None,
    backfill: Backfill = None,
    max_age_h: MaxAge = None,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Show what a subscription with this filter would have sent, by the same rules. Nothing is sent."""
    from tieup.alerts.conditions import facts_of, passes
    from tieup.alerts.match import event_id_of, is_news
    from tieup.companies.gazetteer import load_gazetteer

    settings = session(context).settings(log=log)
    wanted, (begin, end) = wanted_filter(settings, text, watchlist), span_of(since, until)
    trial = Subscription(
        "", "", wanted, (), begin, begin, backfill=bool(backfill), max_age_h=max_age_h or DEFAULT_MAX_AGE_H
    )
    gazetteer, events = load_gazetteer(settings.gazetteer), wait_for(events_of(settings, begin, end))
    accepted = [(record, one) for record, one in events if passes(wanted, facts_of(one, gazetteer))]
    sent = [(record, one) for record, one in accepted if is_news(one, from_millis(record.timestamp), trial)]
    for record, one in sent:
        if as_json:
            emit(
                {"event_id": event_id_of(record), "story_id": one.story_id, "type": one.type, "headline": one.headline}
            )
        else:
            show(event_line(one, event_id_of(record), from_millis(record.timestamp)))
    say(f"{len(sent)} of {len(events)} events since {since}{_left_out(accepted, sent, trial)}")


def replay(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A subscription's name, or the first digits of its id.")],
    event: Annotated[
        str | None, typer.Option("--event", metavar="ID", help="One event, by the first digits of its id.")
    ] = None,
    story: Annotated[
        str | None, typer.Option("--story", metavar="ID", help="All events of a story, by the first digits of its id.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SPAN|TIME", help="All events of 90m, 12h, 30d, or since a time.")
    ] = None,
    until: Until = None,
    log: LogUrl = None,
) -> None:
    """Send again what a subscription's filter accepts, with the same webhook-id as ever, at once and in order."""
    from tieup.alerts.match import replays
    from tieup.companies.gazetteer import load_gazetteer

    if sum(one is not None for one in (event, story, since)) != 1:
        raise UsageError("replay: give one of --event, --story and --since")
    if until is not None and since is None:
        raise UsageError("replay: --until goes with --since")
    settings, at = session(context).settings(log=log), now()
    found = pick(wait_for(subscriptions(settings)), wanted)
    begin, end = (None, None) if since is None else span_of(since, until)
    events = [record for record, _ in wait_for(events_of(settings, begin, end, event_id=event, story_id=story))]
    records = replays(events, found, load_gazetteer(settings.gazetteer), at)
    if not records and since is None:
        raise UsageError(f"replay: no event {event or f'of the story {story}'} that the filter accepts")
    most = settings.alerts.max_pending
    if len(records) > most * max(1, len(found.endpoints)):
        raise UsageError(
            f"replay: {len(records)} messages, more than may wait for a place ({most}): take a shorter range"
        )
    wait_for(append(settings, records))
    show(plain(f"{len(records)} message{' is' if len(records) == 1 else 's are'} sent again"))


def span_of(since: str, until: str | None) -> tuple[datetime, datetime | None]:
    """Return the beginning and the end (None: open) of a range of time. Raises UsageError."""
    begin, end = _moment(since), None if until is None else _moment(until)
    if end is not None and end <= begin:
        raise UsageError(f"--until {until}: is not after --since {since}")
    return begin, end


async def events_of(
    settings: Settings,
    since: datetime | None,
    until: datetime | None = None,
    *,
    event_id: str | None = None,
    story_id: str | None = None,
) -> Events:
    """Read the events recorded in a range of time, in their order, or of them one event or one story's, whose ids begin
    so; the end is not in the range. Raises UsageError where several are meant.
    """
    from tieup.alerts.match import event_id_of

    found: Events = []
    if "" in (event_id, story_id):  # an empty variable of a script means none, not all of them
        return found
    async for record in _records(settings):
        at = from_millis(record.timestamp)
        if (since is None or at >= since) and (until is None or at < until):
            event = decode(StoryEvent, record.value, record.place)
            if event_id_of(record).startswith(event_id or "") and event.story_id.startswith(story_id or ""):
                found.append((record, event))
    _check_one("event", event_id, {event_id_of(record) for record, _ in found})
    _check_one("story", story_id, {event.story_id for _, event in found})
    return found


def _check_one(what: str, begin: str | None, found: Collection[str]) -> None:
    if begin is not None and len(found) > 1:
        raise UsageError(f"replay: --{what} {begin}: {len(found)} are meant")


async def newest_event(settings: Settings) -> StoryEvent | None:
    """Read the newest event on the log, None if there is none."""
    newest: Record | None = None
    async for record in _records(settings):
        newest = record
    return None if newest is None else decode(StoryEvent, newest.value, newest.place)


async def _records(settings: Settings) -> AsyncIterator[Record]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        async for record in read_from(log, EVENTS, "begin", follow=False):
            yield record


def _moment(text: str) -> datetime:
    """Return the time so long ago, or the time given."""
    from tieup.alerts.subscribe import span

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now() - span(text)
    if moment.tzinfo is None:
        raise UsageError(f"{text!r}: a time needs its zone, such as 2026-02-01T12:00Z")
    return moment


def _left_out(accepted: Sequence[tuple[Record, StoryEvent]], sent: Events, trial: Subscription) -> str:
    """Say why some that the filter accepts would not have been sent."""
    backfill = sum(one.backfill and not trial.backfill for _, one in accepted)
    old = len(accepted) - len(sent) - backfill
    parts = [f"{backfill} of a new feed's first poll"] if backfill else []
    parts += [f"{old} older than {trial.max_age_h} h"] if old else []
    return f"; left out: {', '.join(parts)}" if parts else ""
