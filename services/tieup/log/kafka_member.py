"""Membership in a Kafka group, for one thing only: to be told which partitions are ours.

The consumer behind it reads nothing: its partitions are paused as soon as they are given. It is polled all the same,
for a member that does not poll is put out of the group.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

import aiokafka
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from tieup.errors import LogUnavailable, TieupError
from tieup.log.base import Assignments
from tieup.log.kafka_client import FOREIGN, Brokers, millis, stop_consumer, translate

logger = logging.getLogger(__name__)

POLL_S = 1.0


class KafkaMember(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member of a group. Rebalances start and stop tasks, nothing else."""

    def __init__(self, brokers: Brokers, group: str, topics: Sequence[str], assignments: Assignments) -> None:
        self._brokers = brokers
        self._group = group
        self._topics = tuple(topics)
        self._assignments = assignments
        self._held: frozenset[int] = frozenset()
        self._failed: Exception | None = None
        self.closed = False
        self._told = asyncio.Event()
        self._stopping: set[asyncio.Task[None]] = set()
        bounds = brokers.bounds
        # range gives partition p of every topic to the same member if all members read the same topics
        self._consumer: AIOKafkaConsumer = brokers.consumer(
            group_id=group,
            auto_offset_reset="latest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=millis(bounds.session_s),
            heartbeat_interval_ms=millis(bounds.heartbeat_s),
            rebalance_timeout_ms=millis(bounds.rebalance_s),
        )
        self._running: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Join; returns at the first assignment, or when it takes longer than `join_s`: it then goes on by itself.

        Raises LogUnavailable, LogError.
        """
        self._consumer.subscribe(list(self._topics), listener=self)
        self._running = asyncio.create_task(self._run(), name=f"member of {self._group}")
        told = asyncio.create_task(self._told.wait())
        try:
            await asyncio.wait(
                {self._running, told}, timeout=self._brokers.bounds.join_s, return_when="FIRST_COMPLETED"
            )
        except BaseException:
            await self.leave()
            raise
        finally:
            told.cancel()
        if self._failed is not None:
            await self.leave()
            raise self._failed

    async def _run(self) -> None:
        bounds = self._brokers.bounds
        try:
            async with asyncio.timeout(bounds.connect_s + bounds.rebalance_s + bounds.session_s):
                await self._consumer.start()
            while True:
                await self._consumer.getmany(timeout_ms=millis(POLL_S))
        except FOREIGN as error:
            self._failed = self._translated(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of the client ends the membership, not the process
            self._failed = self._translated(error)

    def _translated(self, error: Exception) -> TieupError:
        return translate(error, f"{self._brokers.address}: group {self._group}")

    @property
    def failed(self) -> Exception | None:
        """Why the membership ended by itself, if it did."""
        return self._failed

    async def on_partitions_assigned(self, assigned: Iterable[aiokafka.TopicPartition]) -> None:
        """Start the tasks of these partitions (called by aiokafka, which would log and swallow an error)."""
        try:
            await self._take(list(assigned))
        except Exception as error:  # noqa: BLE001 - whatever it is, a member that serves nothing must not stay one
            self._failed = self._translated(error)

    async def _take(self, given: list[aiokafka.TopicPartition]) -> None:
        self._consumer.pause(*given)
        if self.closed:
            return
        ours = frozenset(at.partition for at in given)
        if len(ours) * len(self._topics) != len(given):
            self._failed = LogUnavailable(f"group {self._group}: its members read different topics: {sorted(given)}")
            ours = frozenset()
        gone, self._held = self._held - ours, ours
        await self._stop_soon(gone)
        if self._failed is None:
            logger.info("group %s: %s", self._group, f"partitions {sorted(ours)} are ours" if ours else "standing by")
            await self._assignments.start(ours)
        self._told.set()

    async def _stop_soon(self, gone: frozenset[int]) -> None:
        """Stop these tasks; what takes longer goes on in the background, for heartbeats wait for this listener."""
        if not gone:
            return
        stopping = asyncio.create_task(self._assignments.stop(gone))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopped)
        await asyncio.wait({stopping}, timeout=self._brokers.bounds.heartbeat_s)

    def _stopped(self, stopping: "asyncio.Task[None]") -> None:
        self._stopping.discard(stopping)
        if not stopping.cancelled() and (error := stopping.exception()) is not None:
            self._failed = translate(error, f"{self._brokers.address}: group {self._group}")

    async def on_partitions_revoked(self, revoked: Iterable[aiokafka.TopicPartition]) -> None:
        """Let the tasks work on while the group deals out its partitions anew (called by aiokafka).

        Every rebalance revokes everything and waits for members that may be dead. Whoever is given a task fences its
        former owner, so nothing is won by stopping before that is known, and all work would stand still so long.
        """

    async def _give_back(self) -> None:
        held, self._held = self._held, frozenset()
        if held:
            await self._assignments.stop(held)

    async def leave(self) -> None:
        """Stop the tasks and leave the group, within the bound of a stop. A second time does nothing."""
        if self.closed:
            return
        self.closed = True
        await self._give_back()
        if self._stopping:
            await asyncio.wait(self._stopping)
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running}, timeout=self._brokers.bounds.stop_s)
        await stop_consumer(self._consumer, self._brokers.bounds.stop_s)
