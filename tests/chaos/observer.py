"""The client that feeds the articles and the one that reads what comes of them: confluent-kafka, not tieup's own."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping

import orjson
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from tests.chaos.appender import Appender
from tests.chaos.judge import Place, Seen
from tests.chaos.pairs import articles
from tests.chaos.world import about
from tieup.log.base import partition_for
from tieup.log.topics import ARTICLES, DELIVERIES, EVENTS, RELATIONS
from tieup.model.codec import encode, to_millis

END_S = 60.0
NAMES = {RELATIONS: "relations", EVENTS: "events", ARTICLES: "articles", DELIVERIES: "deliveries"}
"""What the judge calls the topics."""


class Feeder(Appender):
    """Appends the articles at a steady rate, each once, in order within a partition."""

    def __init__(self, servers: str, count: int, rate: float, partitions: int) -> None:
        super().__init__(servers, **{"linger.ms": 5, "delivery.report.only.error": True})
        self._rate = rate
        self._articles = list(articles(count))
        self._partitions = {n: partition_for(a.id.encode(), partitions) for n, a in enumerate(self._articles)}

    def append_all(self) -> None:
        started = time.monotonic()
        for n, article in enumerate(self._articles):
            time.sleep(max(0.0, started + n / self._rate - time.monotonic()))
            self.sent[n] = time.monotonic()
            self.producer.produce(
                ARTICLES,
                encode(article),
                article.id.encode(),
                partition=self._partitions[n],
                timestamp=to_millis(article.observed_at),
                on_delivery=self.delivered,
            )
            self.producer.poll(0)


class Observer(threading.Thread):
    """Reads topics as they come, until told to end; committed records only, but for the control of just that.

    `places`: partitions of each topic.
    """

    def __init__(
        self, servers: str, ids: Mapping[str, int], places: Mapping[str, int], isolation: str = "read_committed"
    ) -> None:
        super().__init__(name="observer", daemon=True)
        self._servers, self._ids, self._places, self._isolation = servers, ids, places, isolation
        self.seen: dict[str, list[Seen]] = {NAMES[topic]: [] for topic in places}
        self.ends: dict[tuple[str, int], int] = {}
        self.told: set[int] = set()
        self._ending = threading.Event()

    def run(self) -> None:
        consumer = _consumer(self._servers, self._isolation)
        consumer.assign([TopicPartition(topic, p, 0) for topic, count in self._places.items() for p in range(count)])
        while not self._ending.is_set():
            for message in consumer.consume(500, 0.1):
                if message.error() is None:
                    self.ends[message.topic(), message.partition()] = message.offset() + 1
                    self._note(NAMES[message.topic()], seen(message, self._ids, time.monotonic()))
        consumer.close()

    def _note(self, name: str, one: Seen) -> None:
        self.seen[name].append(one)
        if name == "events":
            self.told.add(one.number)

    def listen_out(self, seconds: float = 1.0) -> None:
        """Listen a little longer for what nobody waits for (a second event), then end."""
        self._ending.wait(seconds)
        self._ending.set()
        self.join()


def read_all(
    servers: str, topic: str, isolation: str, make: Callable[[Message], object], partitions: int = 1
) -> list[object]:
    """Everything on a topic's partitions up to their ends, in order. Raises AssertionError if the end never comes."""
    consumer = _consumer(servers, isolation, enable_partition_eof=True)
    consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    found, ended, deadline = [], set(), time.monotonic() + END_S
    while time.monotonic() < deadline:
        for message in consumer.consume(1000, 0.5):
            if message.error() is None:
                found.append(make(message))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
        if len(ended) == partitions:
            consumer.close()
            return found
    raise AssertionError(f"{topic}: no end within {END_S} s")


def seen(message: Message, ids: Mapping[str, int], at_s: float = 0.0) -> Seen:
    """A message as the judge wants it: the article that it is about is in the key, or the event's cause."""
    value = message.value()
    return Seen(message.offset(), ids[_about(message)], hashlib.sha256(value).hexdigest(), at_s, message.partition())


def stands(message: Message, ids: Mapping[str, int]) -> tuple[int, Place]:
    """An article's number and place."""
    return ids[message.key().decode()], (message.partition(), message.offset())


def _about(message: Message) -> str:
    match message.topic():
        case topic if topic == EVENTS:
            return orjson.loads(message.value())["cause"]["article_id"]
        case topic if topic == DELIVERIES:
            return about(orjson.loads(message.value())["body"])
        case _:
            return message.key().decode()


def _consumer(servers: str, isolation: str, *, enable_partition_eof: bool = False) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "judge",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "auto.offset.reset": "error",
            "enable.partition.eof": enable_partition_eof,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
    )
