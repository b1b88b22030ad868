"""The topics: names, keys, partitioning and retention. Partition counts never change in place."""

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
TOMBSTONE_MS: Final = DAY_MS
"""How long a tombstone stays on a compacted topic, for readers that are behind (Kafka's `delete.retention.ms`)."""

FEEDS: Final = "tieup.feeds.v1"
FEED_STATES: Final = "tieup.feed-states.v1"
SEEN_ENTRIES: Final = "tieup.seen-entries.v1"
FETCH_REQUESTS: Final = "tieup.fetch-requests.v1"
PAGE_WANTS: Final = "tieup.page-wants.v1"
PAGES: Final = "tieup.pages.v1"
ARTICLES: Final = "tieup.articles.v1"
RELATIONS: Final = "tieup.relations.v1"
ASSIGNMENTS: Final = "tieup.assignments.v1"
STORIES: Final = "tieup.stories.v1"
EVENTS: Final = "tieup.events.v1"
CORRECTIONS: Final = "tieup.corrections.v1"
SUBSCRIPTIONS: Final = "tieup.subscriptions.v1"
MARKS: Final = "tieup.marks.v1"
DELIVERIES: Final = "tieup.deliveries.v1"
DELIVERY_STATES: Final = "tieup.delivery-states.v1"
DEAD_LETTERS: Final = "tieup.dead-letters.v1"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it is wanted.

    `single` topics have one partition for ever (total order); the others get the configured count at creation.
    `compact` keeps the newest record of
    each key; `retention_ms` (None: for ever) drops records older than that by their timestamp. `max_bytes` bounds one
    record's value.
    """

    name: str
    single: bool = False
    compact: bool = False
    retention_ms: int | None = None
    max_bytes: int = 1_000_000


CATALOGUE: Final[tuple[Topic, ...]] = (
    Topic(FEEDS, compact=True),
    Topic(FEED_STATES, compact=True),
    Topic(SEEN_ENTRIES, compact=True),
    Topic(FETCH_REQUESTS, retention_ms=7 * DAY_MS),
    Topic(PAGE_WANTS, compact=True),
    Topic(PAGES, compact=True),
    Topic(ARTICLES, retention_ms=400 * DAY_MS),
    Topic(RELATIONS, single=True),
    Topic(ASSIGNMENTS, single=True, compact=True, retention_ms=400 * DAY_MS),
    Topic(STORIES, single=True, compact=True),
    Topic(EVENTS, single=True, max_bytes=200_000),
    Topic(CORRECTIONS, single=True),
    Topic(SUBSCRIPTIONS, compact=True),
    Topic(MARKS, compact=True),
    Topic(DELIVERIES, retention_ms=30 * DAY_MS),
    Topic(DELIVERY_STATES, compact=True),
    Topic(DEAD_LETTERS, retention_ms=90 * DAY_MS, max_bytes=6_500_000),
)

BY_NAME: Final[dict[str, Topic]] = {topic.name: topic for topic in CATALOGUE}


def full_name(name: str) -> str:
    """Return the topic that a user means: `events` and `tieup.events.v1` are the same."""
    short = f"tieup.{name}.v1"
    return short if short in BY_NAME else name


def partitions_of(topic: Topic, count: int) -> int:
    """Return how many partitions the topic is created with, `count` being the configured number."""
    return 1 if topic.single else count
