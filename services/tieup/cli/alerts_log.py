"""Subscriptions and how they fare, read from the log and written to it."""

from collections.abc import Mapping, Sequence

from tieup.cli.reading import existing, read_table
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.base import NewRecord
from tieup.log.topics import DELIVERY_STATES, SUBSCRIPTIONS
from tieup.model.delivery import DeliveryState
from tieup.model.subscription import Subscription


def pick(found: Mapping[str, Subscription], wanted: str) -> Subscription:
    """Return the subscription of this name, or whose id begins so. Raises UsageError if it is none or several."""
    named = [one for one in found.values() if one.name == wanted]
    matching = named or [one for key, one in found.items() if wanted and key.startswith(wanted.lower())]
    if len(matching) != 1:
        raise UsageError(f"{wanted}: {'no such subscription' if not matching else f'{len(matching)} are meant'}")
    return matching[0]


async def subscriptions(settings: Settings) -> dict[str, Subscription]:
    """Read the subscriptions, by id."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, SUBSCRIPTIONS, Subscription)


async def states_of(settings: Settings) -> dict[str, DeliveryState]:
    """Read how deliveries and endpoints fare, by key."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await read_table(log, DELIVERY_STATES, DeliveryState)


async def append(settings: Settings, records: Sequence[NewRecord]) -> None:
    """Append records, a few hundred at a time."""
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        for start in range(0, len(records), 500):
            await log.append(records[start : start + 500])
