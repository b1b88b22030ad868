"""Builds the real objects of alerts for `bootstrap.py`: the channels, and what subscribers fetch."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from tieup.alerts.attempt import Sender
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.channels.chat import ChatSender
from tieup.alerts.channels.mail import MailSender
from tieup.alerts.channels.stream import Streams
from tieup.alerts.channels.webhook import WebhookSender
from tieup.alerts.door import FEED_AHEAD, AlertDoor
from tieup.alerts.sealing import Sealer
from tieup.alerts.settings import NO_MAIL, AlertSettings, MailSettings
from tieup.alerts.shell import DeliveryShell
from tieup.alerts.watch import ApiWatch, DeliveryWatch
from tieup.api.alerts import alerts_app
from tieup.api.read_model import ReadModel
from tieup.api.server import listen, serving
from tieup.api.settings import ApiSettings
from tieup.api.shelf import Shelf
from tieup.config import Settings
from tieup.events.validate import SchemaValidator
from tieup.log.base import Clock, Log
from tieup.model.subscription import Channel

logger: Final = logging.getLogger("tieup")


def capabilities(settings: Settings) -> Capabilities | None:
    """Return the maker of links, None unless all that serving them needs is set."""
    api, key = settings.api, settings.master_key
    if api.public_url is None or api.listen is None or key is None:
        return None
    return Capabilities(key, api.public_url)


def alert_shell(settings: Settings, clock: Clock, watch: DeliveryWatch | None = None) -> DeliveryShell:
    """Return the shell that sends by all channels, as the settings have it. Raises SettingsError."""
    return delivery_shell(
        settings.alerts, settings.master_key, clock, mail=settings.mail, links=capabilities(settings), watch=watch
    )


def delivery_shell(
    settings: AlertSettings,
    master_key: str | None,
    clock: Clock,
    *,
    mail: MailSettings = NO_MAIL,
    links: Capabilities | None = None,
    watch: DeliveryWatch | None = None,
) -> DeliveryShell:
    """Return the shell with all channels; without a master key it has none, and says so at every attempt.

    Raises SettingsError for mail settings that cannot work.
    """
    if master_key is None:
        return DeliveryShell({}, None, clock, watch)
    sealer = Sealer(master_key)
    senders: dict[Channel, Sender] = {
        Channel.WEBHOOK: WebhookSender(settings, sealer, links),
        Channel.EMAIL: MailSender(mail, settings, links),
        Channel.CHAT: ChatSender(settings, links),
    }
    return DeliveryShell(senders, sealer, clock, watch)


@asynccontextmanager
async def subscribers_served(settings: Settings, log: Log, watch: ApiWatch, clock: Clock) -> AsyncIterator[None]:
    """Serve feeds, streams and the pages behind links, where that is set."""
    links, api = capabilities(settings), settings.api
    if links is None or api.listen is None:
        if api != ApiSettings():
            logger.warning("feeds and streams are off: they need api.public_url, api.listen and master_key")
        yield
        return
    async with alerts_served(log, api, links, listen(api.listen, "api.listen"), watch, clock) as url:
        logger.info("feeds, streams and links are served on %s", url)
        yield


@asynccontextmanager
async def alerts_served(
    log: Log, api: ApiSettings, links: Capabilities, at: socket.socket, watch: ApiWatch, clock: Clock
) -> AsyncIterator[str]:
    """Serve subscribers on the socket while the context is open; gives its URL."""
    model = ReadModel(max(api.stream_items, FEED_AHEAD * api.feed_items), api.keep_items)
    shelf = Shelf(log, model, clock)
    streams = Streams(
        shelf,
        links,
        watch,
        most=api.streams,
        most_of_one=api.streams_per_subscription,
        heartbeat_s=api.heartbeat_s,
    )
    door = AlertDoor(links, shelf, streams, log.append, SchemaValidator(), clock, watch, api.feed_items)
    app = alerts_app(door, form_s=api.stall_s)
    following = asyncio.create_task(shelf.follow())
    try:
        dropped = partial(watch.dropped, "slow")
        async with serving(app, at, head_s=api.stall_s, stall_s=api.stall_s, stalled=dropped) as url:
            try:
                yield url
            finally:
                streams.end()
    finally:
        following.cancel()
        await asyncio.wait([following])
        await model.close()
