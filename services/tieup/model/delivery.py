"""A message on its way to an endpoint: what is to be told, every attempt, and how the endpoint fares."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieup.model.subscription import AT_ONCE, Channel, Mode

DELIVERY_STATE_VERSION = 1
MAX_BODY_BYTES = 20_000
MAX_EXCERPT_CHARS = 200
MAX_ATTEMPTS_KEPT = 20


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    HELD = "held"
    DELIVERED = "delivered"
    DIGESTED = "digested"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event to be told to one endpoint (topic deliveries, key `id`, placed by endpoint).

    `event_id` is the event's `ce_id`, and what the receiver knows the message by. `subscription_ids` are all that
    matched there; `mode` is the first one's and decides when. `body` is the message as it is sent: JSON, the same bytes
    at every attempt. `matched_at` is the event record's time. `replay`: sent again because somebody asked for it.
    `story_ids` are the stories of a digest, whose later messages wait for it. A notice to an owner, that another
    endpoint of theirs was stopped, has no subscriptions.
    `channel` is the endpoint's: what is pulled is never sent, but read from this topic.
    """

    id: str
    event_id: str
    story_id: str
    endpoint_id: str
    subscription_ids: tuple[str, ...]
    matched_at: datetime
    body: str
    mode: Mode = AT_ONCE
    replay: bool = False
    story_ids: tuple[str, ...] = ()
    channel: Channel = Channel.WEBHOOK


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when it ended, how long it took, what came back (`excerpt`: the first bytes, as text)."""

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryProgress:
    """How one delivery fares. `tries` counts all attempts, `attempts` holds the newest 20.

    `sequence` is its offset on the deliveries topic: a story's messages go to an endpoint in this order. `due_at` is
    when it is tried next, or, held, when its digest is made. `delivery` is dropped at the end, which keeps `event_id`,
    what its receiver knows it by; `digest_id` names the digest that it went into. `story_sequences` are a digest's
    places among the messages of its stories: of each of its `story_ids` the last sequence in it.
    """

    id: str
    endpoint_id: str
    sequence: int
    status: DeliveryStatus
    due_at: datetime
    delivery: Delivery | None = None
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    ended_at: datetime | None = None
    digest_id: str | None = None
    story_sequences: tuple[int, ...] = ()
    event_id: str | None = None

    @property
    def message_id(self) -> str | None:
        """What its receiver knows it by at every attempt; None for one that ended before this was kept."""
        return self.event_id if self.delivery is None else self.delivery.event_id


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How an endpoint fares. `failures` are in a row over all its deliveries, since `failing_since`.

    Nothing is tried before `not_before` (circuit breaker, or Retry-After). `stopped_at`: it asked for no more (410), or
    failed for days; it starts again when one of its subscriptions is edited or resumed.
    """

    endpoint_id: str
    failures: int = 0
    failing_since: datetime | None = None
    not_before: datetime | None = None
    stopped_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SendingWindow:
    """When the newest messages of a subscription went to an endpoint, as many as its mode sends at once in a window.

    `began_at` is the first of `times`, `sent` how many they are.
    """

    endpoint_id: str
    subscription_id: str
    began_at: datetime
    sent: int = 0
    times: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """A record of the deliver worker's state (topic delivery-states): one of three sorts, the others None.

    The key is the delivery's id, the endpoint's id, or `<endpoint id>:<subscription id>` of a window.
    """

    state_version: int = DELIVERY_STATE_VERSION
    delivery: DeliveryProgress | None = None
    endpoint: EndpointHealth | None = None
    window: SendingWindow | None = None


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What came of one attempt: handed by the delivery shell to the core as a record.

    `attempt` is the number of tries before it. `status` is the channel's own code, `delivered` whether the channel's
    rules count it as received, `gone` whether the receiver wants no more.
    """

    delivery_id: str
    attempt: int
    started_at: datetime
    at: datetime
    delivered: bool = False
    gone: bool = False
    status: int | None = None
    retry_after_s: int | None = None
    error: str | None = None
    excerpt: str | None = None
