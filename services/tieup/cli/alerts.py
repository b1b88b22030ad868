"""`tieup alerts`: who is told about what, and how the messages fare."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from tieup.cli import alert_marks
from tieup.cli.alert_channels import (
    Chat,
    Drop,
    Email,
    Feed,
    Stream,
    Webhook,
    endpoints,
    has_secret,
    place,
    replaced,
    sealer,
    secrets,
    wishes,
)
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
from tieup.cli.alerts_past import newest_event, replay, try_filter
from tieup.cli.alerts_view import delivery_table, subscription_table, subscription_text
from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import read_table
from tieup.cli.session import emit, now, say, session, show, tell, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.topics import CATALOGUE, SUBSCRIPTIONS
from tieup.model.subscription import AT_ONCE, DEFAULT_MAX_AGE_H, Subscription

group = typer.Typer(no_args_is_help=True, help="Be told: subscriptions, and how their messages fare.")

Wanted = Annotated[str, typer.Argument(metavar="ID", help="A subscription's name, or the first digits of its id.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group.command("try")(try_filter)
    group.command()(replay)
    alert_marks.register(group)
    app.add_typer(group, name="alerts")


@group.command()
def add(
    context: typer.Context,
    text: FilterText = None,
    watchlist: WatchlistFile = None,
    webhook: Webhook = None,
    email: Email = None,
    chat: Chat = None,
    feed: Feed = False,
    stream: Stream = False,
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
    """Be told of the events that a filter accepts, at one or several places. Secrets are shown this once."""
    from tieup.alerts.subscribe import new_subscription

    settings = session(context).settings(log=log)
    mode = mode_after(AT_ONCE, digest, at, at_once, window, quiet, timezone)
    wanted = wanted_filter(settings, text, watchlist)
    called = name or (text or "")[:200] or (watchlist.name if watchlist else "everything")
    made = new_subscription(called, wanted, [], now(), owner=owner, mode=mode)
    found = endpoints(settings, wishes(webhook, email, chat, feed, stream), made.id, owner)
    if not found:
        raise UsageError("where to? --webhook URL, --email ADDRESS, --chat URL, --feed or --stream")
    made = replace(made, endpoints=found, backfill=bool(backfill), max_age_h=max_age_h or DEFAULT_MAX_AGE_H)
    known = wait_for(_stored(settings, made))
    show(plain(f"added {made.id} {made.name}"))
    for line in secrets(settings, made, [one for one in found if one.id not in known]):
        tell(line)
    if any(one.id in known and has_secret(one) for one in found):
        say("the endpoint is known: its signing secret stays as it is")


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
    webhook: Webhook = None,
    email: Email = None,
    chat: Chat = None,
    feed: Feed = False,
    stream: Stream = False,
    drop: Drop = None,
    immediately: Annotated[bool, typer.Option("--immediately", help="Everything at once, no digest.")] = False,
    log: LogUrl = None,
) -> None:
    """Change a subscription; what is not given stays. A place given replaces those of its channel.

    An endpoint that was stopped is tried again.
    """
    from tieup.alerts.subscribe import checked_name

    settings = session(context).settings(log=log)
    before = pick(wait_for(subscriptions(settings)), wanted)
    mode = mode_after(AT_ONCE if immediately else before.mode, digest, at, at_once, window, quiet, timezone)
    after = replace(before, updated_at=now(), mode=mode)
    if name is not None:
        after = replace(after, name=checked_name(name))
    if text is not None or watchlist is not None:
        after = replace(after, filter=wanted_filter(settings, text, watchlist, before.filter))
    if backfill is not None:
        after = replace(after, backfill=backfill)
    if max_age_h is not None:
        after = replace(after, max_age_h=max_age_h)
    new = endpoints(settings, wishes(webhook, email, chat, feed, stream), after.id, after.owner)
    after = replace(after, endpoints=replaced(after.endpoints, new, drop))
    known = wait_for(_stored(settings, after))
    show(plain(f"changed {after.id} {after.name}"))
    for line in secrets(settings, after, [one for one in new if one.id not in known]):
        tell(line)


@group.command("list")
def list_subscriptions(context: typer.Context, as_json: AsJson = False, log: LogUrl = None) -> None:
    """List the subscriptions and how their endpoints fare."""
    settings = session(context).settings(log=log)
    found, states = wait_for(subscriptions(settings)), wait_for(states_of(settings))
    if as_json:
        for one in found.values():
            emit(one)
    elif not found:
        say("no subscriptions yet; `tieup alerts add FILTER --email ADDRESS` makes one")
    else:
        show(subscription_table(found.values(), states))


@group.command("show")
def show_subscription(
    context: typer.Context,
    wanted: Wanted,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many messages.")] = 50,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Show a subscription, its endpoints, and every attempt to send its messages of the last days."""
    settings = session(context).settings(log=log)
    found, states = pick(wait_for(subscriptions(settings)), wanted), wait_for(states_of(settings))
    ids = {endpoint.id for endpoint in found.endpoints}
    its = [one.delivery for one in states.values() if one.delivery is not None and one.delivery.endpoint_id in ids]
    its = sorted(its, key=lambda one: one.sequence)
    if as_json:
        health = [states[one.id].endpoint for one in found.endpoints if one.id in states]
        emit({"subscription": found, "deliveries": its[-limit:], "endpoints": health})
        return
    keys = None if settings.master_key is None else sealer(settings)
    show(
        subscription_text(found, states, lambda one: place(one, keys)),
        delivery_table(its[-limit:], found.endpoints),
    )
    if len(its) > limit:
        say(f"{len(its) - limit} older; --limit shows them")


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
    """Give the endpoints new secrets and private URLs, shown this once; the former ones hold as well for a day."""
    from tieup.alerts.subscribe import rotated

    settings = session(context).settings(log=log)
    sealer(settings)
    every, at = wait_for(subscriptions(settings)), now()
    found = pick(every, wanted)
    old = [one for one in found.endpoints if has_secret(one)]
    if not old:
        raise UsageError(f"{found.name}: e-mail and chats have no secret of ours: there is nothing to rotate")
    ids = {one.id for one in old}
    users = [one for one in every.values() if any(its.id in ids for its in one.endpoints)]
    _store(settings, [rotated(one, ids, at) for one in users])
    for line in secrets(settings, found, [replace(one, secret_version=one.secret_version + 1) for one in old]):
        tell(line)


@group.command("test")
def send_one(context: typer.Context, wanted: Wanted, log: LogUrl = None) -> None:
    """Send the newest event on the log (or a made-up one) to a subscription's endpoints now, as a test.

    Exit code 1 if one fails.
    """
    from tieup.alerting import alert_shell
    from tieup.alerts.sample import sample_event
    from tieup.alerts.testing import send_test
    from tieup.bootstrap import utc_now

    settings = session(context).settings(log=log)
    sealer(settings)
    found, at = pick(wait_for(subscriptions(settings)), wanted), now()
    event = wait_for(newest_event(settings)) or sample_event(at)
    tests = wait_for(send_test(alert_shell(settings, utc_now), found, event, at))
    wait_for(append(settings, tests.laid))
    if tests.laid:
        show(plain("laid ready in its feed or stream, marked as a test"))
    for channel, one in tests.outcomes:
        word = "received" if one.delivered else "failed"
        line = f"{channel}: {word}: {one.error or one.status or 'taken'} {one.excerpt or ''}"
        show(plain(line, style="green" if one.delivered else "red"))
    if not all(one.delivered for _, one in tests.outcomes):
        raise typer.Exit(1)


def _change(settings: Settings, wanted: str, *, paused: bool) -> None:
    found = pick(wait_for(subscriptions(settings)), wanted)
    _store(settings, [replace(found, paused=paused, updated_at=now())])
    show(plain(f"{'paused' if paused else 'resumed'} {found.id} {found.name}"))


def _store(settings: Settings, subscriptions: Sequence[Subscription]) -> None:
    from tieup.alerts.subscribe import subscription_record

    wait_for(append(settings, [subscription_record(one) for one in subscriptions]))


async def _stored(settings: Settings, made: Subscription) -> frozenset[str]:
    """Append a subscription and return the endpoints that were known before."""
    from tieup.alerts.subscribe import subscription_record
    from tieup.bootstrap import open_log

    async with await open_log(settings, exclusive=False) as log:
        await log.create(CATALOGUE)
        before = await read_table(log, SUBSCRIPTIONS, Subscription)
        known = {endpoint.id: endpoint for one in before.values() for endpoint in one.endpoints}
        chosen = tuple(known.get(one.id, one) for one in made.endpoints)
        await log.append([subscription_record(replace(made, endpoints=chosen))])
    return frozenset(known)
