"""What the cluster knows: topics, their settings, offsets at both ends, groups' positions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self, TypeVar

import aiokafka
import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tieup.errors import LogUnavailable, TopicError
from tieup.log.base import NewRecord, TopicPartition, place
from tieup.log.kafka_client import FOREIGN, Brokers, stop_consumer, translate, within
from tieup.log.kafka_leaders import leaders_told
from tieup.log.topics import TOMBSTONE_MS, Topic, partitions_of

T = TypeVar("T")

PAUSE_S: Final = 0.05
ROOM_BYTES: Final = 64 * 1024
"""What a record's key and headers and the batch around it may take beyond its value."""
FOREVER: Final = "9223372036854775807"


@dataclass(frozen=True, slots=True)
class Placed:
    """A new record and its partition."""

    record: NewRecord
    partition: int


def settings_of(topic: Topic, replicas: int, batch_bytes: int) -> dict[str, str]:
    """A topic's settings as Kafka names them.

    Time stamps come from the input, so the broker accepts any. With three replicas one may be lost without a stop.
    """
    policies = [name for name, on in (("compact", topic.compact), ("delete", topic.retention_ms is not None)) if on]
    largest = max(topic.max_bytes, batch_bytes) + ROOM_BYTES
    return {
        "cleanup.policy": ",".join(policies or ["delete"]),
        "retention.ms": str(-1 if topic.retention_ms is None else topic.retention_ms),
        "max.message.bytes": str(largest),
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": FOREVER,
        "message.timestamp.before.max.ms": FOREVER,
        **({"delete.retention.ms": str(TOMBSTONE_MS)} if topic.compact else {}),
        **({"min.insync.replicas": "2"} if replicas >= 3 else {}),
    }


def differences(topic: Topic, count: int, found_count: int, settings: Mapping[str, str]) -> str:
    """One line that says how the topic found differs from the topic wanted; empty if it does not."""
    policies = settings.get("cleanup.policy", "").split(",")
    kept = int(settings.get("retention.ms", "-1")) if "delete" in policies else -1
    wanted: dict[str, object] = {
        "partitions": partitions_of(topic, count),
        "compact": topic.compact,
        "retention_ms": topic.retention_ms,
    }
    found: dict[str, object] = {
        "partitions": found_count,
        "compact": "compact" in policies,
        "retention_ms": None if kept < 0 else kept,
    }
    if topic.compact and (tombstone_ms := int(settings.get("delete.retention.ms", TOMBSTONE_MS))) < TOMBSTONE_MS:
        wanted["delete.retention.ms"], found["delete.retention.ms"] = f"{TOMBSTONE_MS} or more", tombstone_ms
    parts = [f"{name} is {found[name]}, wanted {wanted[name]}" for name in wanted if found[name] != wanted[name]]
    return f"{topic.name}: {'; '.join(parts)}" if parts else ""


class Cluster:
    """Questions to the cluster, each answered within the bound of a request or ended with LogUnavailable."""

    def __init__(
        self, brokers: Brokers, admin: AIOKafkaAdminClient, stable: AIOKafkaConsumer, newest: AIOKafkaConsumer
    ) -> None:
        self._brokers = brokers
        self._admin = admin
        self._stable = stable
        self._newest = newest
        self._counts: dict[str, int] = {}
        self._closed = False
        self._open: set[asyncio.Task[Any]] = set()

    @classmethod
    async def connect(cls, brokers: Brokers) -> Self:
        """Reach the cluster. Raises LogUnavailable, LogError, SettingsError."""
        admin = brokers.admin()
        stable, newest = brokers.consumer(), brokers.consumer(isolation_level="read_uncommitted")
        cluster = cls(brokers, admin, stable, newest)
        try:
            async with asyncio.timeout(brokers.bounds.connect_s):
                for client in (admin, stable, newest):
                    await client.start()
        except FOREIGN as error:
            await cluster.close()
            raise translate(error, f"{brokers.address}: cannot be reached") from error
        except BaseException:
            await cluster.close()
            raise
        return cluster

    async def close(self) -> None:
        """Close the clients, each within the bound of a stop."""
        self._closed = True
        for asking in self._open:
            asking.cancel()
        seconds = self._brokers.bounds.stop_s
        stops = (stop_consumer(self._stable, seconds), stop_consumer(self._newest, seconds))
        await asyncio.gather(*stops, within(self._admin.close(), seconds))

    async def look_anew(self) -> None:
        """Learn which brokers lead now, before the ends of a task's state are asked for.

        aiokafka's questions carry no leader epoch: a broker that hung, and does not know yet that it leads no more,
        would answer with an end that lies before the last commit. Raises LogUnavailable.
        """
        told = await self._ask("learn the leaders", lambda: leaders_told(self._admin._client))  # noqa: SLF001
        for client in (self._admin._client, self._stable._client, self._newest._client):  # noqa: SLF001
            client.cluster.update_metadata(told)  # there is no public way

    async def create(self, topics: Sequence[Topic], count: int, replicas: int | None) -> list[str]:
        """Create the missing topics and return their names. Raises TopicError, LogUnavailable."""
        known = await self._known()
        missing = [topic for topic in topics if topic.name not in known]
        if not missing:
            return []
        if replicas is None:
            replicas = min(3, await self._ask("count the brokers", self._brokers_there))
        wanted = [self._new_topic(topic, count, replicas) for topic in missing]
        answer = await self._ask("create topics", lambda: self._admin.create_topics(wanted))
        created = []
        for name, code, *message in answer.topic_errors:
            if code == 0:
                created.append(name)
            elif code != kafka_errors.TopicAlreadyExistsError.errno:
                error = kafka_errors.for_code(code)
                raise TopicError(f"{name}: cannot be created: {error.__name__} {' '.join(map(str, message))}")
        await self._ask("see the new topics", lambda: self._appeared([topic.name for topic in missing]))
        return [topic.name for topic in missing if topic.name in created]

    async def _brokers_there(self) -> int:
        """How many brokers there are. One that has just started names none, not even itself, for a moment."""
        brokers: Sequence[object] = (await self._admin.describe_cluster())["brokers"]
        if not brokers:
            raise kafka_errors.LeaderNotAvailableError
        return len(brokers)

    def _new_topic(self, topic: Topic, count: int, replicas: int) -> NewTopic:
        settings = settings_of(topic, replicas, self._brokers.bounds.batch_bytes)
        return NewTopic(topic.name, partitions_of(topic, count), replicas, topic_configs=settings)

    async def _appeared(self, names: Sequence[str]) -> None:
        known = await self._listed()
        if not set(names) <= known.keys():
            raise kafka_errors.LeaderNotAvailableError

    async def check(self, topics: Sequence[Topic], count: int) -> list[str]:
        """One line for each topic that is missing or differs. Raises LogUnavailable."""
        known = await self._known()
        present = [topic.name for topic in topics if topic.name in known]
        settings = await self._settings(present) if present else {}
        lines = []
        for topic in topics:
            if topic.name not in known:
                lines.append(f"{topic.name}: missing")
            elif line := differences(topic, count, known[topic.name], settings[topic.name]):
                lines.append(line)
        return lines

    async def _settings(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers = await self._ask("read topic settings", lambda: self._admin.describe_configs(resources))
        found = {}
        for answer in answers:
            for code, message, _kind, name, entries in answer.resources:
                if code != 0:
                    raise TopicError(f"{name}: its settings cannot be read: {message}")
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found

    async def _known(self) -> dict[str, int]:
        return await self._ask("list topics", self._listed)

    async def _listed(self) -> dict[str, int]:
        described = await self._admin.describe_topics()
        return {
            one["topic"]: len(one["partitions"])
            for one in described
            if one["error_code"] == 0 and all(part["leader"] >= 0 for part in one["partitions"])
        }

    async def _counted(self) -> dict[str, int]:
        """Partitions by topic, also of topics that have no leader just now: those are away, not missing."""
        described = await self._admin.describe_topics()
        return {one["topic"]: len(one["partitions"]) for one in described if one["partitions"]}

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has; that never changes. Raises TopicError, LogUnavailable."""
        if topic not in self._counts:
            self._counts.update(await self._ask("list topics", self._counted))
        if topic not in self._counts:
            raise TopicError(f"{topic}: there is no such topic")
        return self._counts[topic]

    async def placed(self, records: Sequence[NewRecord]) -> list[Placed]:
        """The records with their partitions. Raises TopicError, LogUnavailable."""
        counts = {topic: await self.partitions(topic) for topic in sorted({record.topic for record in records})}
        placed = [Placed(record, place(record, counts[record.topic])) for record in records]
        for one in placed:
            _inside(TopicPartition(one.record.topic, one.partition), counts[one.record.topic])
        return placed

    async def require(self, partitions: Sequence[TopicPartition]) -> None:
        """Return if all these exist. Raises TopicError, LogUnavailable."""
        for at in partitions:
            _inside(at, await self.partitions(at.topic))

    async def first_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset held. Raises TopicError, LogUnavailable."""
        return await self._offsets(partitions, self._newest.beginning_offsets)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offset. Raises TopicError, LogUnavailable.

        A commit is answered before its markers stand in the partitions, and until then the last stable offset stays
        behind. So where records stand beyond it, they get a moment to be settled; only a transaction that is open
        longer holds the end back.
        """
        newest = await self._offsets(partitions, self._newest.end_offsets)
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._brokers.bounds.settle_s
        while True:
            stable = await self._offsets(partitions, self._stable.end_offsets)
            if clock() > deadline or all(stable[at] >= newest[at] for at in partitions):
                return stable
            await asyncio.sleep(0.005)

    async def _offsets(
        self,
        partitions: Sequence[TopicPartition],
        ask: Callable[[list[aiokafka.TopicPartition]], Awaitable[Mapping[aiokafka.TopicPartition, int]]],
    ) -> dict[TopicPartition, int]:
        await self.require(partitions)
        named = [aiokafka.TopicPartition(at.topic, at.partition) for at in partitions]
        told = await self._ask("read offsets", lambda: ask(named)) if named else {}
        return {TopicPartition(at.topic, at.partition): offset for at, offset in told.items()}

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        """The group's positions. Raises TopicError, LogUnavailable."""
        await self.require(partitions)
        named = [aiokafka.TopicPartition(at.topic, at.partition) for at in partitions]
        told = await self._ask(f"read the positions of {group}", partial(_told, self._admin, group, named))
        positions = {TopicPartition(at.topic, at.partition): found.offset for at, found in told.items()}
        return {at: None if positions[at] < 0 else positions[at] for at in partitions}

    async def _ask(self, what: str, question: Callable[[], Awaitable[T]]) -> T:
        """Ask until answered; a question still open when the log is closed ends with LogUnavailable."""
        if self._closed:
            raise LogUnavailable(f"{self._brokers.address}: cannot {what}: the log is closed")
        asking = asyncio.create_task(self._answer(question, f"{self._brokers.address}: cannot {what}"))
        self._open.add(asking)
        try:
            await asyncio.wait({asking})
        finally:
            self._open.discard(asking)
            asking.cancel()
        if asking.cancelled():
            raise LogUnavailable(f"{self._brokers.address}: cannot {what}: the log is closed")
        return asking.result()

    async def _answer(self, question: Callable[[], Awaitable[T]], failing: str) -> T:
        """What a moving or starting cluster answers at first is worth another try."""
        last: BaseException | None = None
        try:
            async with asyncio.timeout(self._brokers.bounds.request_s):
                while True:
                    try:
                        return await question()
                    except kafka_errors.KafkaError as error:
                        if not error.retriable:
                            raise
                        last = error
                        await asyncio.sleep(PAUSE_S)
        except FOREIGN as error:
            raise translate(last or error, failing) from error


async def _told(
    admin: AIOKafkaAdminClient, group: str, named: Sequence[aiokafka.TopicPartition]
) -> Mapping[aiokafka.TopicPartition, Any]:
    """The group's positions. An answer that tells of no partition is an error that aiokafka overlooks: the group has
    just moved to another coordinator, or that one still loads it.
    """
    told: Mapping[aiokafka.TopicPartition, Any] = await admin.list_consumer_group_offsets(group, partitions=named)
    if not told.keys() >= set(named):
        raise kafka_errors.GroupCoordinatorNotAvailableError
    return told


def _inside(at: TopicPartition, count: int) -> None:
    if not 0 <= at.partition < count:
        raise TopicError(f"{at.topic}[{at.partition}]: there is no such partition, the topic has {count}")
