"""What the core asks a channel for, and what a channel is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tieup.model.delivery import AttemptOutcome
from tieup.model.subscription import Endpoint


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """One attempt to send one message: `attempt` counts the tries before it, `message_id` is the same in each."""

    delivery_id: str
    attempt: int
    message_id: str
    story_id: str
    endpoint: Endpoint
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from an endpoint, in the words of its channel."""

    delivered: bool = False
    gone: bool = False
    status: int | None = None
    retry_after_s: int | None = None
    error: str | None = None
    excerpt: str | None = None


class Sender(Protocol):
    """A channel: sends to addresses of its sort. What goes wrong outside is a reply, not an exception."""

    async def send(self, request: AttemptRequest, address: str, at: datetime) -> Reply:
        """Send one message, within the settings' bounds. Raises DeliveryError naming what went wrong."""

    async def close(self) -> None:
        """Release connections."""


def outcome(request: AttemptRequest, reply: Reply, started_at: datetime, at: datetime) -> AttemptOutcome:
    """Return the outcome as a record for the core."""
    return AttemptOutcome(
        delivery_id=request.delivery_id,
        attempt=request.attempt,
        started_at=started_at,
        at=at,
        delivered=reply.delivered,
        gone=reply.gone,
        status=reply.status,
        retry_after_s=reply.retry_after_s,
        error=reply.error,
        excerpt=reply.excerpt,
    )
