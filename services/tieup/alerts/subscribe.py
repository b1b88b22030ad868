"""Subscriptions made, changed and written as records."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tieup.alerts.modes import check_mode
from tieup.errors import UsageError
from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import SUBSCRIPTIONS
from tieup.model.codec import decode_state, encode, to_millis
from tieup.model.subscription import AT_ONCE, SUBSCRIPTION_VERSION, Endpoint, Filter, Mode, Subscription

MAX_NAME_CHARS: Final = 200
ROTATION: Final = timedelta(hours=24)

_SPAN: Final = re.compile(r"(\d{1,5})([mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def new_subscription(
    name: str,
    wanted: Filter,
    endpoints: Sequence[Endpoint],
    at: datetime,
    *,
    owner: str = "",
    mode: Mode = AT_ONCE,
) -> Subscription:
    """Return a new subscription; its id follows from owner, name and time. Raises UsageError for what cannot be."""
    line = checked_name(name)
    check_mode(mode)
    return Subscription(
        id=derive_id("subscription", owner, line, at.isoformat()),
        name=line,
        filter=wanted,
        endpoints=tuple(endpoints),
        created_at=at,
        updated_at=at,
        owner=owner,
        mode=mode,
    )


def checked_name(name: str) -> str:
    """Return a subscription's name as one line. Raises UsageError for none or too long a one."""
    line = " ".join(name.split())
    if not line or len(line) > MAX_NAME_CHARS or not line.isprintable():
        raise UsageError(f"name: {name[:50]!r}: must be one line of at most {MAX_NAME_CHARS} characters")
    return line


def rotated(subscription: Subscription, endpoint_ids: Collection[str], at: datetime) -> Subscription:
    """Return the subscription with the next secret of each of these endpoints; the former one holds as well for a
    day.
    """
    endpoints = tuple(
        replace(one, secret_version=one.secret_version + 1, former_until=at + ROTATION)
        if one.id in endpoint_ids
        else one
        for one in subscription.endpoints
    )
    return replace(subscription, endpoints=endpoints, updated_at=at)


def subscription_record(subscription: Subscription) -> NewRecord:
    """Return the record that wants the subscription."""
    at = to_millis(subscription.updated_at)
    return NewRecord(SUBSCRIPTIONS, subscription.id.encode(), encode(subscription), at)


def read_subscription(key: str, value: bytes) -> Subscription:
    """Return a subscription of the table. Raises StateVersionError for one that this code cannot read."""
    return decode_state(Subscription, value, f"{SUBSCRIPTIONS} {key}", SUBSCRIPTION_VERSION)


def removal_record(subscription: Subscription, at: datetime) -> NewRecord:
    """Return the tombstone that wants it no longer."""
    return NewRecord(SUBSCRIPTIONS, subscription.id.encode(), None, to_millis(at))


def quiet_hours(text: str) -> tuple[str, str]:
    """Return the beginning and the end of quiet hours given as 22:00-07:00. Raises UsageError."""
    begin, dash, end = text.partition("-")
    if not dash:
        raise UsageError(f"quiet: {text!r}: must be such as 22:00-07:00")
    return begin.strip(), end.strip()


def span(text: str) -> timedelta:
    """Return a span given as 90m, 12h or 30d. Raises UsageError."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(f"{text!r}: not a span such as 90m, 12h or 30d")
    return int(found[1]) * _UNITS[found[2]]
