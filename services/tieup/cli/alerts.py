"""`tieup alerts`: who is told about what, and how the messages fare."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from tieup.cli.alert_options import (
    At,
    AtOnce,
    Backfill,
    Digest,
    FilterText,
    MaxAge,
    Quiet,
    WatchlistFile,
    Window,
    Zone,
    mode_after,
    wanted_filter,
)
from tieup.cli.alerts_log import append, pick, states_of, subscriptions
from tieup.cli.alerts_past import events_of, replay, try_filter
from tieup.cli.alerts_view import delivery_table, subscription_table, subscription_text
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import read_table
from tieup.cli.session import emit, now, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import SettingsError, UsageError
from tieup.log.topics import CATALOGUE, SUBSCRIPTIONS
from tieup.model.subscription import AT_ONCE, DEFAULT_MAX_AGE_H, Channel, Endpoint, Subscription

if TYPE_CHECKING:
    from tieup.alerts.sealing import Sealer

group = typer.Typer(no_args_is_help=True, help="Be told: subscriptions, and how their messages fare.")

Wanted = Annotated[str, typer.Argument(metavar="ID", help="A subscription's name, or the first digits of its id.")]
Webhook = Annotated[str | None, typer.Option("--webhook", metavar="URL", help="Where to post signed messages.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group.command("try")(try_filter)
    group.command()(replay)
    app.add_typer(group, name="alerts")


@group.command()
def add(
    context: typer.Context,
    text: FilterText = None,
    watchlist: WatchlistFile = None,
    webhook: Webhook = None,
    name: Annotated[str | None, typer.Option(help="A name of your own; the filter if none.")] = None,
    owner: Annotated[str, typer.Option(help="Whose it is: two owners share no endpoint and no secret.")] = "",
    digest: Digest = None,
    at: At = None,
    at_once: AtOnce = None,
    window: Window = None,
    quiet: Quiet = None,
    timezone: Zone = None,
    backfill: Backfill = None,
    max_age_h: MaxAge = None,
    log: LogUrl = None,
) -> None:
    """Be told of the events that a filter accepts. The signing secret is shown this once."""
    from tieup.alerts.sealing import shown_secret
    from tieup.alerts.subscribe import new_subscription

    settings = session(context).settings(log=log)
    mode = mode_after(AT_ONCE, digest, at, at_once, window, quiet, timezone)
    wanted = wanted_filter(settings, text, watchlist)
    endpoint = _webhook(settings, webhook, owner)
    called = name or (text or "")[:200] or (watchlist.name if watchlist else "everything")
    made = new_subscription(called, wanted, [endpoint], now(), owner=owner, mode=mode)
    made = replace(made, backfill=bool(backfill), max_age_h=max_age_h or DEFAULT_MAX_AGE_H)
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
    watchlist: WatchlistFile = None,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    digest: Digest = None,
    at: At = None,
    at_once: AtOnce = None,
    window: Window = None,
    quiet: Quiet = None,
    timezone: Zone = None,
    backfill: Backfill = None,
    max_age_h: MaxAge = None,
    immediately: Annotated[bool, typer.Option("--immediately", help="Everything at once, no digest.")] = False,
    log: LogUrl = None,
) -> None:
    """Change a subscription; what is not given stays. An endpoint that was stopped is tried again."""
    from tieup.alerts.subscribe import checked_name

    settings = session(context).settings(log=log)
    before = pick(wait_for(subscriptions(settings)), wanted)
    mode = mode_after(AT_ONCE if immediately else before.mode, digest, at, at_once, window, quiet, timezone)
    after = replace(before, updated_at=now(), mode=mode)
    if name is not None:
        after = replace(after, name=checked_name(name))
    if text is not None or watchlist is not None:
        after = replace(after, filter=wanted_filter(settings, text, watchlist))
    if backfill is not None:
        after = replace(after, backfill=backfill)
    if max_age_h is not None:
        after = replace(after, max_age_h=max_age_h)
    _store(settings, [after])
    show(plain(f"changed {after.id} {after.name}"))


@group.command("list")
def list_subscriptions(context: typer.Context, as_json: AsJson = False, log: LogUrl = None) -> None:
    """List the subscriptions and how their endpoints fare."""
    settings = session(context).settings(log=log)
    found, states = wait_for(subscriptions(settings)), wait_for(states_of(settings))
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
    found, states = pick(wait_for(subscriptions(settings)), wanted), wait_for(states_of(settings))
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
    found = pick(wait_for(subscriptions(settings)), wanted)
    wait_for(append(settings, [removal_record(found, now())]))
    show(plain(f"removed {found.id} {found.name}"))


@group.command()
def rotate(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Give the endpoints new signing secrets, shown this once; the former ones sign as well for a day."""
    from tieup.alerts.sealing import shown_secret
    from tieup.alerts.subscribe import rotated

    settings = session(context).settings(log=log)
    sealer, every, at = _sealer(settings), wait_for(subscriptions(settings)), now()
    for endpoint in pick(every, wanted).endpoints:
        users = [one for one in every.values() if any(its.id == endpoint.id for its in one.endpoints)]
        _store(settings, [rotated(one, endpoint.id, at) for one in users])
        secret = sealer.secret(endpoint.id, endpoint.secret_version + 1)
        show(plain(f"signing secret, shown this once: {shown_secret(secret)}"))


@group.command("test")
def send_one(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Send the newest event on the log to a subscription's endpoints now, as a test; exit code 1 if one fails."""
    from tieup.alerts.testing import send_test
    from tieup.bootstrap import delivery_shell, utc_now

    settings = session(context).settings(log=log)
    _sealer(settings)
    found, events = pick(wait_for(subscriptions(settings)), wanted), wait_for(events_of(settings, None))
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


def _change(settings: Settings, wanted: str, *, paused: bool) -> None:
    found = pick(wait_for(subscriptions(settings)), wanted)
    _store(settings, [replace(found, paused=paused, updated_at=now())])
    show(plain(f"{'paused' if paused else 'resumed'} {found.id} {found.name}"))


def _store(settings: Settings, subscriptions: Sequence[Subscription]) -> None:
    from tieup.alerts.subscribe import subscription_record

    wait_for(append(settings, [subscription_record(one) for one in subscriptions]))


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
