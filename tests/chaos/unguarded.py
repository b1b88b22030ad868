"""`tieup` with one guard switched off, as a control of the judge: python -m tests.chaos.unguarded GUARD run ...

- fencing: every producer has an id of its own, so nobody fences a former owner
- atomic: the input's position is committed in a transaction after the one with the output
- sends: an append that failed is not looked at before the commit
- position: a task reads its position before it is opened, while the former owner can still commit
- end-once: the end of a transaction is sent again when its connection broke
- order: what a transaction appends is sent as it comes, not in the order of its inputs
- isolation: readers also see what is not committed, and may never be
"""

import asyncio
import random
import sys
import uuid

from tieup.log import kafka_transactions
from tieup.log.kafka_client import Brokers
from tieup.log.kafka_transactions import Transactor
from tieup.log.task import Task

OPEN = Transactor.open.__func__
TRANSACTION = Transactor._transaction
SEND = Transactor._send
RUN, START = Task.run, Task._start_positions
CONSUMER = Brokers.consumer


async def unfenced(cls, brokers, transactional_id):
    """A producer that fences nobody."""
    return await OPEN(cls, brokers, f"{transactional_id}-{uuid.uuid4().hex}")


async def in_two(self, placed, group, offsets):
    """The records first, the position afterwards."""
    found = await TRANSACTION(self, placed, group, {}) if placed else []
    if offsets:
        await TRANSACTION(self, [], group, offsets)
    return found


async def unawaited(self, placed):
    """A future that is done at once, in the place of the one that may fail."""
    sent = await SEND(self, placed)
    sent.add_done_callback(lambda future: future.cancelled() or future.exception())
    other = asyncio.get_running_loop().create_future()
    other.set_result(type("Unknown", (), {"offset": -1}))
    return other


async def asked_too_early(self):
    """The positions first, the task afterwards."""
    streams = self._own(self._spec.streams)
    self.early = await self._log._cluster.committed(self.id.group, streams)
    await RUN(self)


class Early:
    """Tells the positions that were read too early."""

    def __init__(self, positions):
        self._positions = positions

    async def committed(self, partitions):
        return {at: self._positions[at] for at in partitions}


async def as_they_come(self, placed, group, offsets):
    """The records in any order, as several connections or threads would send them."""
    return await TRANSACTION(self, random.Random(len(placed)).sample(placed, len(placed)), group, offsets)


def of_all(self, **options):
    """A consumer that is given everything, committed or not."""
    return CONSUMER(self, **{**options, "isolation_level": "read_uncommitted"})


def without_late_position():
    Task.run = asked_too_early
    Task._start_positions = lambda self, hold: START(self, Early(self.early))


def without_fencing():
    Transactor.open = classmethod(unfenced)


def without_one_transaction():
    Transactor._transaction = in_two


def without_awaited_sends():
    Transactor._send = unawaited


def without_end_once():
    kafka_transactions.end_once = lambda producer: None


def without_order():
    Transactor._transaction = as_they_come


def without_isolation():
    Brokers.consumer = of_all


GUARDS = {
    "fencing": without_fencing,
    "atomic": without_one_transaction,
    "sends": without_awaited_sends,
    "end-once": without_end_once,
    "position": without_late_position,
    "order": without_order,
    "isolation": without_isolation,
}


if __name__ == "__main__":
    from tieup.cli.app import run

    GUARDS[sys.argv[1]]()
    sys.exit(run(sys.argv[2:]))
