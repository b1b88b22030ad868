"""What feeds, streams and pages ask of whoever follows the log for them (`api/shelf.py`)."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from tieup.model.subscription import Endpoint, Subscription


class Message(Protocol):
    """A message laid ready."""

    @property
    def offset(self) -> int:
        """Its place in the endpoint's partition."""

    @property
    def at(self) -> int:
        """Milliseconds since 1970 UTC."""

    @property
    def body(self) -> bytes:
        """The message, one line of JSON."""


class Shelf(Protocol):
    """The log as this process has read it; nothing else holds before `is_ready`."""

    def is_ready(self) -> bool:
        """Whether all that was on the log at the start was read."""

    def subscription(self, subscription_id: str) -> Subscription | None:
        """Return a subscription that is wanted."""

    def users(self, endpoint_id: str) -> list[Subscription]:
        """Return the subscriptions that tell an endpoint."""

    def partition(self, endpoint: Endpoint) -> int:
        """Return the partition of an endpoint's messages."""

    def end(self, endpoint: Endpoint) -> int:
        """Return up to which offset of that partition everything was read."""

    async def end_of_log(self, endpoint: Endpoint) -> int:
        """Return where the log itself ends that partition now, read or not. Raises LogError."""

    async def kept_from(self, endpoint: Endpoint) -> int:
        """Return the offset from which nothing is missing."""

    async def newest(self, endpoint_id: str, limit: int) -> Sequence[Message]:
        """Return an endpoint's newest messages, the newest first."""

    async def from_offset(self, endpoint_id: str, offset: int, limit: int) -> Sequence[Message]:
        """Return an endpoint's messages from an offset on, in their order."""

    async def headline(self, event_id: str) -> str | None:
        """Return an event's headline, if it is known."""

    def news(self, endpoint_id: str) -> asyncio.Event:
        """Return what is set when an endpoint's next message is laid ready; take it before looking for messages."""

    def wake(self) -> None:
        """Wake all who wait for news."""
