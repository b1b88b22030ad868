"""`tieup` with one guard switched off, as a control of the judge: python -m tests.chaos.unguarded GUARD run ...

- fencing: every producer has an id of its own, so nobody fences a former owner
- atomic: the input's position is committed in a transaction after the one with the output
"""

import sys
import uuid

from tieup.log.kafka_transactions import Transactor

OPEN = Transactor.open.__func__
TRANSACTION = Transactor._transaction


async def unfenced(cls, brokers, transactional_id):
    """A producer that fences nobody."""
    return await OPEN(cls, brokers, f"{transactional_id}-{uuid.uuid4().hex}")


async def in_two(self, placed, group, offsets):
    """The records first, the position afterwards."""
    found = await TRANSACTION(self, placed, group, {}) if placed else []
    if offsets:
        await TRANSACTION(self, [], group, offsets)
    return found


def without_fencing():
    Transactor.open = classmethod(unfenced)


def without_one_transaction():
    Transactor._transaction = in_two


GUARDS = {"fencing": without_fencing, "atomic": without_one_transaction}


if __name__ == "__main__":
    from tieup.cli.app import run

    GUARDS[sys.argv[1]]()
    sys.exit(run(sys.argv[2:]))
