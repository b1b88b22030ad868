"""`tieup` with one guard switched off, as a control of the judge: python -m tests.chaos.unguarded GUARD run ...

- fencing: every producer has an id of its own, so nobody fences a former owner
- atomic: the input's position is committed in a transaction after the one with the output
- sends: an append that failed is not looked at before the commit
- end-once: the end of a transaction is sent again when its connection broke
- position: where to begin is read before the former owner is fenced, seconds before, as on a broker that hangs
"""

import asyncio
import sys
import uuid

from tieup.log import kafka_transactions
from tieup.log.base import TopicPartition
from tieup.log.kafka import KafkaLog
from tieup.log.kafka_transactions import Transactor
from tieup.log.topics import ARTICLES, CORRECTIONS, RELATIONS

OPEN = Transactor.open.__func__
TRANSACTION = Transactor._transaction
SEND = Transactor._send
OPEN_TASK = KafkaLog.open_task
STREAMS = {"extract": (ARTICLES,), "story": (RELATIONS, CORRECTIONS)}


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


async def position_first(self, task):
    """A hold whose position was read before it was opened."""
    early = await self._cluster.committed(
        task.group, [TopicPartition(topic, task.partition) for topic in STREAMS[task.worker]]
    )
    await asyncio.sleep(5.0)
    hold = await OPEN_TASK(self, task)
    hold._own.update({at: offset or 0 for at, offset in early.items()})
    return hold


def without_fencing():
    Transactor.open = classmethod(unfenced)


def without_one_transaction():
    Transactor._transaction = in_two


def without_awaited_sends():
    Transactor._send = unawaited


def without_end_once():
    kafka_transactions.end_once = lambda producer: None


def without_the_position_of_now():
    KafkaLog.open_task = position_first


GUARDS = {
    "fencing": without_fencing,
    "atomic": without_one_transaction,
    "sends": without_awaited_sends,
    "end-once": without_end_once,
    "position": without_the_position_of_now,
}


if __name__ == "__main__":
    from tieup.cli.app import run

    GUARDS[sys.argv[1]]()
    sys.exit(run(sys.argv[2:]))
