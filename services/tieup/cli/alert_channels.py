"""Where an alert goes: the options for channels, the endpoints that they make, and what of them is shown once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import typer

from tieup.alerts.capabilities import Form
from tieup.alerts.sealing import Sealer, shown_secret
from tieup.cli.render import SHORT_ID
from tieup.cli.session import wait_for
from tieup.config import Settings
from tieup.errors import DeliveryError, SettingsError, UsageError
from tieup.model.subscription import PULLED, Channel, Endpoint, Subscription

Webhook = Annotated[list[str] | None, typer.Option("--webhook", metavar="URL", help="Post signed messages there.")]
Email = Annotated[list[str] | None, typer.Option("--email", metavar="ADDRESS", help="Write e-mail there.")]
Chat = Annotated[
    list[str] | None,
    typer.Option("--chat", metavar="URL", help="Chats and phones, as Apprise names them: slack://…, workflows://…"),
]
Feed = Annotated[bool, typer.Option("--feed", help="A private Atom and JSON feed.")]
Stream = Annotated[bool, typer.Option("--stream", help="A private live stream (server-sent events).")]

Drop = Annotated[
    list[Channel] | None, typer.Option("--drop", metavar="WAY", help="No more by webhook, email, chat, feed or stream.")
]

MAX_ENDPOINTS = 10


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options as given."""

    webhooks: Sequence[str] = ()
    emails: Sequence[str] = ()
    chats: Sequence[str] = ()
    feed: bool = False
    stream: bool = False


def wishes(webhook: Webhook, email: Email, chat: Chat, feed: bool, stream: bool) -> Wishes:
    """Return the options of a call."""
    return Wishes(webhook or (), email or (), chat or (), feed, stream)


def sealer(settings: Settings) -> Sealer:
    """Return the keys. Raises SettingsError without a master key."""
    if settings.master_key is None:
        raise SettingsError("master_key: not set; `tieup key` makes one for TIEUP_MASTER_KEY")
    return Sealer(settings.master_key)


def endpoints(settings: Settings, wanted: Wishes, subscription_id: str, owner: str) -> tuple[Endpoint, ...]:
    """Return the endpoints that are wished for. Raises UsageError for a wrong address, SettingsError naming what a
    channel needs."""
    if wanted == Wishes():
        return ()
    keys = sealer(settings)
    addresses = dict.fromkeys(_addresses(settings, wanted, subscription_id))
    if len(addresses) > MAX_ENDPOINTS:
        raise UsageError(f"{len(addresses)} places: an alert has at most {MAX_ENDPOINTS}")
    return tuple(keys.endpoint(channel, address, owner) for channel, address in addresses)


def replaced(
    before: Sequence[Endpoint], new: Sequence[Endpoint], drop: Sequence[Channel] | None = None
) -> tuple[Endpoint, ...]:
    """Return the endpoints with the new ones in place of the former of their channels, and without the dropped."""
    channels = {one.channel for one in new} | set(drop or ())
    kept = {one.id: one for one in before}
    found = [one for one in before if one.channel not in channels] + [kept.get(one.id, one) for one in new]
    if len(found) > MAX_ENDPOINTS:
        raise UsageError(f"{len(found)} places: an alert has at most {MAX_ENDPOINTS}")
    if not found:
        raise UsageError("no place is left; `tieup alerts pause` or `remove` tells no more")
    return tuple(found)


def secrets(settings: Settings, subscription: Subscription, shown: Sequence[Endpoint]) -> Iterator[str]:
    """Yield a line for each secret of these endpoints: signing secrets, and the URLs of what is private."""
    from tieup.alerting import capabilities

    links = capabilities(settings)
    for one in shown:
        if one.channel is Channel.WEBHOOK:
            keys = sealer(settings)
            secret = shown_secret(keys.secret(one.id, one.secret_version))
            yield f"signing secret for {place(one, keys)} (endpoint {one.id[:SHORT_ID]}), shown this once: {secret}"
        elif links is not None:
            for form in (form for form in Form if form.channel is one.channel):
                word = {Form.ATOM: "Atom feed", Form.JSON: "JSON feed", Form.STREAM: "stream"}[form]
                url = links.pull_url(subscription.id, form, one.secret_version)
                yield f"{word}, shown this once: {url}"


def place(endpoint: Endpoint, keys: Sealer | None) -> str:
    """Return where an endpoint is, without what in its address may be a secret: a host, a mailbox, a chat's service.

    Nothing without the key, nor for what is fetched.
    """
    if keys is None or endpoint.channel in PULLED:
        return ""
    try:
        address = keys.address(endpoint)
    except DeliveryError:
        return "sealed under another master key"
    if endpoint.channel is Channel.EMAIL:
        return address
    return urlsplit(address).netloc if endpoint.channel is Channel.WEBHOOK else f"{address.partition(':')[0]}://…"


def has_secret(endpoint: Endpoint) -> bool:
    """Whether there is something to rotate: e-mail and chats have nothing of ours."""
    return endpoint.channel is Channel.WEBHOOK or endpoint.channel in PULLED


def _addresses(settings: Settings, wanted: Wishes, subscription_id: str) -> Iterator[tuple[Channel, str]]:
    from tieup.alerts.channels.chat import chat_url
    from tieup.alerts.channels.mail import mail_address
    from tieup.alerts.channels.webhook import webhook_url

    yield from ((Channel.WEBHOOK, webhook_url(url, settings.alerts)) for url in wanted.webhooks)
    if wanted.emails and settings.mail.host is None:
        raise SettingsError("mail.host: not set; e-mail needs the mail server that hands it on")
    yield from ((Channel.EMAIL, mail_address(text)) for text in wanted.emails)
    yield from ((Channel.CHAT, wait_for(chat_url(url))) for url in wanted.chats)
    if (wanted.feed or wanted.stream) and (settings.api.public_url is None or settings.api.listen is None):
        raise SettingsError("api.public_url and api.listen: not set; feeds and streams need both")
    yield from ((Channel.FEED, subscription_id) for _ in range(wanted.feed))
    yield from ((Channel.STREAM, subscription_id) for _ in range(wanted.stream))
