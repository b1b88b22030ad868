"""Who leads each partition, on the word of more than one broker.

A broker that hung, and wakes, tells for some milliseconds that it still leads what others lead by now. To ask any one
broker is not enough: it may be that one.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiokafka.errors as kafka_errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.metadata import MetadataRequest

from tieup.log.kafka_client import FOREIGN, one_line

logger = logging.getLogger(__name__)

ANSWER_S: Final = 3.0
"""How long one broker has for its answer: the next is asked then."""


class Answer(Protocol):
    """Of Kafka's Metadata answers, in any version from 1 on, what is looked at here."""

    brokers: Sequence[tuple[Any, ...]]
    topics: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Told:
    """What one broker tells: the brokers that it counts among the living, and each partition's leader (-1: none)."""

    living: frozenset[int]
    leaders: Mapping[tuple[str, int], int]


def trusted(told: Mapping[int, Told]) -> int | None:
    """Return a broker whose word on the leaders holds, None if there is none yet.

    A broker that another one does not count among the living is not heard: a broker that hung is fenced, and not named
    until it has caught up (KIP-631). Those that are heard must be more than half of the brokers that each of them
    names, and of one mind.
    """
    heard = [node for node in sorted(told) if all(node in other.living for other in told.values())]
    if not heard:
        return None
    enough = all(2 * len(told[node].living.intersection(heard)) > len(told[node].living) for node in heard)
    agreed = all(told[node].leaders == told[heard[0]].leaders for node in heard)
    return heard[0] if enough and agreed else None


async def leaders_told(client: AIOKafkaClient) -> Answer:
    """Ask every broker that the client knows or comes to know, one after the other; return an answer that holds.

    The client takes over what each tells, as that is how it learns of brokers: it must be one that is asked nothing
    that only leaders know. One after the other, since a client that connects to a broker that hangs connects to no
    other meanwhile. Raises LeaderNotAvailableError, which is worth another try, if no answer holds.
    """
    answers: dict[int, Answer] = {}
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    for node in nodes:  # which grows
        try:
            async with asyncio.timeout(ANSWER_S):
                answers[node] = await client.send(node, MetadataRequest())
        except FOREIGN as error:
            logger.debug("broker %s does not tell who leads: %s", node, one_line(error))
            continue
        client.cluster.update_metadata(answers[node])
        nodes += [new for new, *_ in answers[node].brokers if new not in nodes]
    holds = trusted({node: _told(answer) for node, answer in answers.items()})
    if holds is None:
        raise kafka_errors.LeaderNotAvailableError
    return answers[holds]


def _told(answer: Answer) -> Told:
    leaders = {
        (topic, number): leader for _, topic, _, partitions in answer.topics for _, number, leader, *_ in partitions
    }
    return Told(frozenset(node for node, *_ in answer.brokers), leaders)
