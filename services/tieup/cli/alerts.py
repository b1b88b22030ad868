"""`tieup alerts`: who is told about what, and how the messages fare."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tieup.cli.alerts_view import delivery_table, event_line, subscription_table, subscription_text
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, read_from, read_table
from tieup.cli.session import emit, now, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import SettingsError, UsageError
from tieup.log.base import NewRecord, Record
from tieup.log.topics import CATALOGUE, DELIVERY_STATES, EVENTS, SUBSCRIPTIONS
from tieup.model.codec import decode, from_millis
from tieup.model.delivery import DeliveryState
from tieup.model.story import StoryEvent
from tieup.model.subscription import AT_ONCE, Channel, Endpoint, Mode, Subscription

if TYPE_CHECKING:
    from tieup.alerts.sealing import Sealer

group = typer.Typer(no_args_is_help=True, help="Be told: subscriptions, and how their messages fare.")

FilterText = Annotated[
    str, typer.Argument(metavar="FILTER", help='Such as "company:ford kind:joint_venture -type:updated".')
]
Wanted = Annotated[str, typer.Argument(metavar="ID", help="A subscription's name, or the first digits of its id.")]
Webhook = Annotated[str | None, typer.Option("--webhook", metavar="URL", help="Where to post signed messages.")]
Digest = Annotated[int | None, typer.Option("--digest", metavar="HOURS", help="A digest every so many hours.")]
At = Annotated[str | None, typer.Option("--at", metavar="HH:MM", help="When the daily digest is made, local time.")]
AtOnce = Annotated[int | None, typer.Option("--at-once", metavar="N", help="So many at once, the rest in a digest.")]
Window = Annotated[int, typer.Option("--window", metavar="SECONDS", help="The window of --at-once.")]
Quiet = Annotated[str | None, typer.Option("--quiet", metavar="22:00-07:00", help="Then a digest.")]
Zone = Annotated[str, typer.Option("--timezone", metavar="NAME", help="IANA zone of local times.")]
Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back: 90m, 12h, 30d.")]
LONGEST: Final = 36_500


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="alerts")


@group.command()
def add(
    context: typer.Context,
    text: FilterText,
    webhook: Webhook = None,
    name: Annotated[str | None, typer.Option(help="A name of your own; the filter if none.")] = None,
    owner: Annotated[str, typer.Option(help="Whose it is: two owners share no endpoint and no secret.")] = "",
    digest: Digest = None,
    at: At = None,
    at_once: AtOnce = None,
    window: Window = 3_600,
    quiet: Quiet = None,
    timezone: Zone = "UTC",
    backfill: Annotated[bool, typer.Option("--backfill", help="Also what a new feed's first poll brings.")] = False,
    max_age_h: Annotated[int, typer.Option("--max-age-h", min=1, max=LONGEST, help="Older news is left out.")] = 48,
    log: LogUrl = None,
) -> None:
    """Be told of the events that a filter accepts. The signing secret is shown this once."""
    from tieup.alerts.filters import parse_filter
    from tieup.alerts.sealing import shown_secret
    from tieup.alerts.subscribe import new_subscription
    from tieup.companies.gazetteer import load_gazetteer

    settings = session(context).settings(log=log)
    wanted = parse_filter(text, load_gazetteer(settings.gazetteer))
    endpoint = _webhook(settings, webhook, owner)
    mode = _mode(digest, at, at_once, window, quiet, timezone)
    made = new_subscription(name or text[:200] or "everything", wanted, [endpoint], now(), owner=owner, mode=mode)
    made = replace(made, backfill=backfill, max_age_h=max_age_h)
    known = wait_for(_added(settings, made))
    show(plain(f"added {made.id} {made.name}"))
    if endpoint.id in known:
        say("the endpoint is known: its signing secret stays as it is")
    else:
        show(plain(f"signing secret, shown this once: {shown_secret(_sealer(settings).secret(endpoint.id, 1))}"))


@group.command()
def edit(
    context: typer.Context,
    wanted: Wanted,
    text: Annotated[str | None, typer.Option("--filter", metavar="FILTER", help="Another filter.")] = None,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    digest: Digest = None,
    at: At = None,
    at_once: AtOnce = None,
    window: Window = 3_600,
    quiet: Quiet = None,
    timezone: Zone = "UTC",
    immediately: Annotated[bool, typer.Option("--immediately", help="Everything at once, no digest.")] = False,
    log: LogUrl = None,
) -> None:
    """Change a subscription; what is not given stays. An endpoint that was stopped is tried again."""
    from tieup.alerts.filters import parse_filter
    from tieup.companies.gazetteer import load_gazetteer

    settings = session(context).settings(log=log)
    before = pick(wait_for(_subscriptions(settings)), wanted)
    after = replace(before, updated_at=now(), name=name or before.name)
    if text is not None:
        after = replace(after, filter=parse_filter(text, load_gazetteer(settings.gazetteer)))
    mode = _mode(digest, at, at_once, window, quiet, timezone)
    if immediately or mode != AT_ONCE:
        after = replace(after, mode=mode)
    _store(settings, [after])
    show(plain(f"changed {after.id} {after.name}"))


@group.command("list")
def list_subscriptions(context: typer.Context, as_json: AsJson = False, log: LogUrl = None) -> None:
    """List the subscriptions and how their endpoints fare."""
    settings = session(context).settings(log=log)
    found, states = wait_for(_subscriptions(settings)), wait_for(_states(settings))
    if as_json:
        for one in found.values():
            emit(one)
    elif not found:
        say("no subscriptions yet; `tieup alerts add FILTER --webhook URL` makes one")
    else:
        show(subscription_table(found.values(), states))


@group.command("show")
def show_subscription(context: typer.Context, wanted: Wanted, as_json: AsJson = False, log: LogUrl = None) -> None:
    """Show a subscription, its endpoint, and every attempt of the last days."""
    settings = session(context).settings(log=log)
    found, states = pick(wait_for(_subscriptions(settings)), wanted), wait_for(_states(settings))
    ids = {endpoint.id for endpoint in found.endpoints}
    its = [one.delivery for one in states.values() if one.delivery is not None and one.delivery.endpoint_id in ids]
    if as_json:
        emit(
            {
                "subscription": found,
                "deliveries": its,
                "endpoints": [states[one].endpoint for one in ids if one in states],
            }
        )
        return
    show(subscription_text(found, states), delivery_table(sorted(its, key=lambda one: one.sequence)))


@group.command()
def pause(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Be told no more until `resume`; what happens meanwhile can be replayed."""
    _change(session(context).settings(log=log), wanted, paused=True)


@group.command()
def resume(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Be told again. An endpoint that was stopped is tried again."""
    _change(session(context).settings(log=log), wanted, paused=False)


@group.command()
def remove(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Remove a subscription; what still waits for it is not sent."""
    from tieup.alerts.subscribe import removal_record

    settings = session(context).settings(log=log)
    found = pick(wait_for(_subscriptions(settings)), wanted)
    wait_for(_append(settings, [removal_record(found, now())]))
    show(plain(f"removed {found.id} {found.name}"))


@group.command()
def rotate(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Give the endpoints new signing secrets, shown this once; the former ones sign as well for a day."""
    from tieup.alerts.sealing import shown_secret
    from tieup.alerts.subscribe import rotated

    settings = session(context).settings(log=log)
    sealer, every, at = _sealer(settings), wait_for(_subscriptions(settings)), now()
    for endpoint in pick(every, wanted).endpoints:
        users = [one for one in every.values() if any(its.id == endpoint.id for its in one.endpoints)]
        _store(settings, [rotated(one, endpoint.id, at) for one in users])
        secret = sealer.secret(endpoint.id, endpoint.secret_version + 1)
        show(plain(f"signing secret, shown this once: {shown_secret(secret)}"))


@group.command("try")
def try_filter(
    context: typer.Context, text: FilterText, since: Since = "30d", as_json: AsJson = False, log: LogUrl = None
) -> None:
    """Show what a filter would have sent. Nothing is sent."""
    from tieup.alerts.conditions import facts_of, passes
    from tieup.alerts.filters import parse_filter
    from tieup.alerts.match import event_id_of
    from tieup.alerts.subscribe import span
    from tieup.companies.gazetteer import load_gazetteer

    settings = session(context).settings(log=log)
    gazetteer = load_gazetteer(settings.gazetteer)
    wanted, events = parse_filter(text, gazetteer), wait_for(_events(settings, now() - span(since)))
    found = [(record, one) for record, one in events if passes(wanted, facts_of(one, gazetteer))]
    for record, one in found:
        if as_json:
            emit(
                {"event_id": event_id_of(record), "story_id": one.story_id, "type": one.type, "headline": one.headline}
            )
        else:
            show(event_line(one, from_millis(record.timestamp)))
    say(f"{len(found)} of {len(events)} events in the last {since}")


@group.command("test")
def send_one(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Send the newest event on the log to a subscription's endpoints now, as a test; exit code 1 if one fails."""
    from tieup.alerts.testing import send_test
    from tieup.bootstrap import delivery_shell, utc_now

    settings = session(context).settings(log=log)
    _sealer(settings)
    found, events = pick(wait_for(_subscriptions(settings)), wanted), wait_for(_events(settings, None))
    if not events:
        raise UsageError("no events on the log yet: there is nothing to send as a test")
    outcomes = wait_for(
        send_test(delivery_shell(settings.alerts, settings.master_key, utc_now), found, events[-1][1], now())
    )
    for one in outcomes:
        word = "received" if one.delivered else "failed"
        show(plain(f"{word}: {one.error or one.status} {one.excerpt or ''}", style="green" if one.delivered else "red"))
    if not all(one.delivered for one in outcomes):
        raise typer.Exit(1)


@group.command()
def replay(
    context: typer.Context,
    wanted: Wanted,
    event: Annotated[str | None, typer.Option("--event", metavar="ID", help="One event, by its ce_id.")] = None,
    story: Annotated[str | None, typer.Option("--story", metavar="ID", help="All events of a story.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="SPAN", help="All events of 90m, 12h, 30d.")] = None,
    log: LogUrl = None,
) -> None:
    """Send again what a subscription's filter accepts, with the same webhook-id as ever, at once and in order."""
    from tieup.alerts.match import replays
    from tieup.alerts.subscribe import span
    from tieup.companies.gazetteer import load_gazetteer

    if sum(one is not None for one in (event, story, since)) != 1:
        raise UsageError("replay: give one of --event, --story and --since")
    settings, at = session(context).settings(log=log), now()
    found = pick(wait_for(_subscriptions(settings)), wanted)
    events = [record for record, _ in wait_for(_events(settings, None if since is None else at - span(since)))]
    records = replays(events, found, load_gazetteer(settings.gazetteer), at, event_id=event, story_id=story)
    wait_for(_append(settings, records))
    show(plain(f"{len(records)} messages are sent again"))


def pick(found: Mapping[str, Subscription], wanted: str) -> Subscription:
    """Return the subscription of this name, or whose id begins so. Raises UsageError if it is none or several."""
    named = [one for one in found.values() if one.name == wanted]
    matching = named or [one for key, one in found.items() if wanted and key.startswith(wanted.lower())]
    if len(matching) != 1:
        raise UsageError(f"{wanted}: {'no such subscription' if not matching else f'{len(matching)} are meant'}")
    return matching[0]


def _webhook(settings: Settings, url: str | None, owner: str) -> Endpoint:
    from tieup.alerts.channels.webhook import webhook_url

    if url is None:
        raise UsageError("where to? --webhook URL")
    return _sealer(settings).endpoint(Channel.WEBHOOK, webhook_url(url, settings.alerts), owner)


def _sealer(settings: Settings) -> "Sealer":
    from tieup.alerts.sealing import Sealer

    if settings.master_key is None:
        raise SettingsError("master_key: not set; `tieup key` makes one for TIEUP_MASTER_KEY")
    return Sealer(settings.master_key)


def _mode(digest: int | None, at: str | None, at_once: int | None, window: int, quiet: str | None, zone: str) -> Mode:
    from tieup.alerts.modes import check_mode
    from tieup.alerts.subscribe import quiet_hours

    begin, end = (None, None) if quiet is None else quiet_hours(quiet)
    mode = Mode(digest, at, at_once, window, begin, end, zone)
    check_mode(mode)
    return mode


def _change(settings: Settings, wanted: str, *, paused: bool) -> None:
    found = pick(wait_for(_subscriptions(settings)), wanted)
    _store(settings, [replace(found, paused=paused, updated_at=now())])
    show(plain(f"{'paused' if paused else 'resumed'} {found.id} {found.name}"))


def _store(settings: Settings, subscriptions: Sequence[Subscription]) -> None:
    from tieup.alerts.subscribe import subscription_record

    wait_for(_append(settings, [subscription_record(one) for one in subscriptions]))


async def _added(settings: Settings, made: Subscription) -> frozenset[str]:
    """Append a new subscription and return the endpoints that were known before."""
    from tieup.alerts.subscribe import subscription_record
    from tieup.bootstrap import open_log

    async with await open_log(settings, exclusive=False) as log:
        await log.create(CATALOGUE)
        before = await read_table(log, SUBSCRIPTIONS, Subscription)
        known = {endpoint.id: endpoint for one in before.values() for endpoint in one.endpoints}
        endpoints = tuple(known.get(one.id, one) for one in made.endpoints)
        await log.append([subscription_record(replace(made, endpoints=endpoints))])
    return frozenset(known)


async def _subscriptions(settings: Settings) -> dict[str, Subscription]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, SUBSCRIPTIONS, Subscription)


async def _states(settings: Settings) -> dict[str, DeliveryState]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, DELIVERY_STATES, DeliveryState)


async def _events(settings: Settings, since: datetime | None) -> list[tuple[Record, StoryEvent]]:
    """Read the events recorded since a time, in their order."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return [
            (record, decode(StoryEvent, record.value, record.place))
            async for record in read_from(log, EVENTS, "begin", follow=False)
            if since is None or from_millis(record.timestamp) >= since
        ]


async def _append(settings: Settings, records: Sequence[NewRecord]) -> None:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        for start in range(0, len(records), 500):
            await log.append(records[start : start + 500])
