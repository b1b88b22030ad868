"""Where a feed stands with its hub (WebSub, W3C Recommendation of 23 January 2018), and what came of asking one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

SUBSCRIBE: Final = "subscribe"
UNSUBSCRIBE: Final = "unsubscribe"
DENIED: Final = "denied"
PUSH: Final = "push"
PING: Final = "ping"


@dataclass(frozen=True, slots=True)
class HubSubscription:
    """A feed's subscription at the hub `url` to `topic`; a part of the feed's state.

    `callback` is a hash of the callback that the hub was given: another public URL or master key makes another one.
    `asks` counts the requests, `ask_at` is when the hub is asked next (renewal, retry), `failures` counts those in a
    row that led to no verified subscription, `error` says why. `spoke_at` is when the hub last verified or denied;
    `lease_until` is None while nothing is verified. `leaving`: an attempt to unsubscribe has failed. `quiet_until`:
    the hub asked to be left alone.

    `pushes` and `pushed_at` tell of the documents and pings that came; `pinged_at` of those without usable content.
    `new_since_poll` counts the new entries pushed since the last poll. `doubted_until`: a poll found what no push had
    told, so the hub is not relied on before. `scheduled_at` is when the feed would be polled next without a hub.
    """

    url: str
    topic: str
    callback: str
    ask_at: datetime
    asks: int = 0
    failures: int = 0
    error: str | None = None
    spoke_at: datetime | None = None
    lease_until: datetime | None = None
    leaving: bool = False
    quiet_until: datetime | None = None
    pushes: int = 0
    pushed_at: datetime | None = None
    pinged_at: datetime | None = None
    new_since_poll: int = 0
    doubted_until: datetime | None = None
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HubRequest:
    """A request to a hub: the payload of an act. `mode` is subscribe or unsubscribe; `domain` is the feed's."""

    feed_id: str
    domain: str
    mode: str
    hub: str
    topic: str


@dataclass(frozen=True, slots=True)
class HubOutcome:
    """What came of one request to a hub: handed by the shell to the core as a record.

    The hub may have spoken to the callback between `asked_at` and `observed_at`. `error` is None for any 2xx.
    """

    feed_id: str
    mode: str
    hub: str
    topic: str
    asked_at: datetime
    observed_at: datetime
    status: int | None = None
    error: str | None = None
    retry_after_s: int | None = None
