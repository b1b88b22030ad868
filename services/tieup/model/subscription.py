"""Who is told about what, where, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieup.model.labels import EventType, Factuality, Kind, Role, Stage

SUBSCRIPTION_VERSION = 1
DEFAULT_MAX_AGE_H = 48


class Channel(StrEnum):
    """How a message travels: it is sent, or (`PULLED`) it is laid ready and fetched."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    CHAT = "chat"
    FEED = "feed"
    STREAM = "stream"


PULLED = frozenset({Channel.FEED, Channel.STREAM})


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of an event at once. An empty list or None asks nothing; of a list one value is enough.

    `companies`, `roles` and `countries` speak of one and the same party; with `daughters` a company stands for its
    group. `together` names companies that must all be parties. `countries` are ISO 3166-1 alpha-2, `languages` ISO
    639-1 codes of the coverage; `words` are words or phrases of the headline, the quotes or the article's title.
    """

    companies: tuple[str, ...] = ()
    daughters: bool = True
    roles: tuple[Role, ...] = ()
    countries: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    stages: tuple[Stage, ...] = ()
    factualities: tuple[Factuality, ...] = ()
    event_types: tuple[EventType, ...] = ()
    languages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    min_confidence: float | None = None
    min_origins: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events: all of `all_of`, at least one of `any_of` if there are any, none of `none_of`."""

    all_of: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()
    none_of: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages go. `id` is derived with the master key from owner, channel and address, so that it tells neither.

    `address` is sealed under the master key. `secret_version` names the signing secret, which is derived and stored
    nowhere; the one before signs as well until `former_until`.
    """

    id: str
    channel: Channel
    address: str
    secret_version: int = 1
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """When a message goes out. Without anything: at once.

    `digest_h`: everything waits for a digest, every so many hours (1: hourly, 24: daily). `at_once`: so many messages
    go out in any span of `window_s` seconds, digests included; what comes beyond waits for one, made as soon as the
    span allows. `daily_at`, `quiet_from` and `quiet_to` are
    local times as HH:MM in `timezone` (an IANA name); what falls into the quiet hours comes in a digest at their end.
    """

    digest_h: int | None = None
    daily_at: str | None = None
    at_once: int | None = None
    window_s: int = 3_600
    quiet_from: str | None = None
    quiet_to: str | None = None
    timezone: str = "UTC"


AT_ONCE = Mode()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing wish to be told (topic subscriptions, key `id`); last write wins, a tombstone removes it.

    It speaks of events recorded since `created_at`. Events whose news is older than `max_age_h` hours when they are
    recorded, and those of a new feed's first poll (unless `backfill`), are left out.
    """

    id: str
    name: str
    filter: Filter
    endpoints: tuple[Endpoint, ...]
    created_at: datetime
    updated_at: datetime
    state_version: int = SUBSCRIPTION_VERSION
    owner: str = ""
    mode: Mode = AT_ONCE
    paused: bool = False
    backfill: bool = False
    max_age_h: int = DEFAULT_MAX_AGE_H
