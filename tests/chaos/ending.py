"""When a run on Kafka is over: not while anything still moves, and not for ever.

A slow machine must not pass for a loss. So the run waits as long as events come or the workers' positions move; a
record counts as lost only when everything is told, or the workers have passed all their input and tell nothing more,
or nothing has moved for so long that nobody would wait on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tieup.log.topics import ARTICLES, DELIVERIES, EVENTS, RELATIONS

SETTLE_S = 10.0
STUCK_S = 180.0

READ_BY = {ARTICLES: "extract", RELATIONS: "story", EVENTS: "match", DELIVERIES: "deliver"}
Where = tuple[str, int]
"""A topic's partition."""


@dataclass(slots=True)
class Ending:
    """Looks at a run now and then, and says whether and how it has ended.

    `wanted`: how many articles are to be told. `most_s`: the bound of all waiting after the last article. `settle_s`:
    how long nothing may come after the workers have passed all input. `stuck_s`: how long nothing may move before.
    """

    wanted: int
    most_s: float
    settle_s: float = SETTLE_S
    stuck_s: float = STUCK_S
    _began_at: float | None = None
    _moved_at: float = 0.0
    _last: tuple[int, int | None] = (-1, None)

    def look(self, now: float, told: int, left: int | None) -> str | None:
        """Return how it ended: told, passed, stuck, late; None: it goes on.

        `told` articles have their event; `left` inputs are not yet passed (None: nobody knows just now).
        """
        if self._began_at is None:
            self._began_at = self._moved_at = now
        moved = told != self._last[0] or (left is not None and left != self._last[1])
        if moved:
            self._moved_at = now
        self._last = (told, self._last[1] if left is None else left)
        if told >= self.wanted:
            return "told"
        if left == 0 and now - self._moved_at >= self.settle_s:
            return "passed"
        if now - self._moved_at >= self.stuck_s:
            return "stuck"
        return "late" if now - self._began_at >= self.most_s else None


class Backlog:
    """How much of its input the workers' groups have not passed: their committed positions, read without joining."""

    def __init__(self, servers: str, app: str = "tieup") -> None:
        options = {"bootstrap.servers": servers, "enable.auto.commit": False, "log_level": 0}
        self._groups = {
            topic: Consumer({**options, "group.id": f"{app}-{worker}"}) for topic, worker in READ_BY.items()
        }

    def appended(self, partitions: int) -> dict[Where, int] | None:
        """The ends of the articles' topic, if they are appended outside any transaction: what stands before the high
        watermark is a record then. None while a broker does not answer.
        """
        try:
            places = [TopicPartition(ARTICLES, number) for number in range(partitions)]
            ask = self._groups[ARTICLES].get_watermark_offsets
            return {(ARTICLES, at.partition): ask(at, timeout=5)[1] for at in places}
        except KafkaException:
            return None

    def left(self, ends: Mapping[Where, int]) -> int | None:
        """How many records before those ends (last offset + 1) are not passed.

        None while a broker or the group's coordinator does not answer.
        """
        try:
            return sum(self._left(TopicPartition(*at), end) for at, end in ends.items())
        except KafkaException:
            return None

    def _left(self, at: TopicPartition, end: int) -> int:
        (found,) = self._groups[at.topic].committed([at], timeout=5)
        return max(0, end - max(0, found.offset))

    def close(self) -> None:
        """Let the connections go."""
        for consumer in self._groups.values():
            consumer.close()


def wait(ending: Ending, told: Callable[[], int], left: Callable[[], int | None], clock, sleep) -> str:
    """Look twice a second until it has ended; return how."""
    while (how := ending.look(clock(), told(), left())) is None:
        sleep(0.5)
    return how
