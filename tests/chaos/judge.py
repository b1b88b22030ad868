"""The judge: what a read_committed reader saw, held against what was put in. It knows nothing of tieup's log.

Four faults: *lost* (an article without its relation or event), *duplicated* (one with two), *reordered* (events not in
the order of relations, relations of one partition not in the order of their articles) and *aborted-visible* (the live
reader saw a record that is not there in the end). In a run from feeds to webhooks every entry must have its article,
and every event its delivery, in the same way. A webhook may come again, but only with the same id.
"""

import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from types import MappingProxyType

Place = tuple[int, int]
"""Where an article stands: its partition, and its rank there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that the reader saw: which article it is about, and a hash of its value."""

    offset: int
    number: int
    hash: str
    at_s: float = 0.0
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Faults:
    """How many of each."""

    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    aborted_visible: int = 0

    def __bool__(self) -> bool:
        return any((self.lost, self.duplicated, self.reordered, self.aborted_visible))


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How many articles have none, how many ids there are too many, and how many came again with the same id."""

    unheard: int
    renamed: int
    repeats: int


@dataclass(slots=True)
class Verdict:
    """Of one run: the faults and the times in seconds."""

    faults: Faults
    stall_s: float = 0.0
    p50_s: float = 0.0
    p99_s: float = 0.0
    more: dict[str, object] = field(default_factory=dict)


def faults(
    count: int,
    placed: Mapping[int, Place],
    relations: Sequence[Seen],
    events: Sequence[Seen],
    live: Mapping[str, Sequence[Seen]],
    others: Mapping[str, Sequence[Seen]] = MappingProxyType({}),
) -> Faults:
    """Judge the final relations and events, each in the order of the offsets, and what the live reader saw of them.

    `placed` gives each article's place. `others` are topics that must have each article once: articles, in whatever
    order, and deliveries, in each partition in the order of the events.
    """
    final = {"relations": relations, "events": events, **others}
    numbers = {name: [one.number for one in seen] for name, seen in final.items()}
    wanted = set(range(count))
    return Faults(
        lost=sum(len(wanted - set(found)) for found in numbers.values()),
        duplicated=sum(sum(times - 1 for times in Counter(found).values()) for found in numbers.values()),
        reordered=_relations_out_of_order(numbers["relations"], placed)
        + _out_of_order(_ranks(numbers["events"], numbers["relations"]))
        + _deliveries_out_of_order(others.get("deliveries", ()), numbers["events"]),
        aborted_visible=sum(
            len({(one.offset, one.hash) for one in live[name]} - {(one.offset, one.hash) for one in seen})
            for name, seen in final.items()
        ),
    )


def webhooks(count: int, hooked: Sequence[tuple[int, str, float]]) -> Webhooks:
    """Judge the webhooks that arrived: the article that each is about, its id, and when it came."""
    ids: dict[int, set[str]] = {}
    for number, one, _ in hooked:
        ids.setdefault(number, set()).add(one)
    return Webhooks(
        unheard=len(set(range(count)) - ids.keys()),
        renamed=sum(len(found) - 1 for found in ids.values()),
        repeats=len(hooked) - sum(map(len, ids.values())),
    )


def _relations_out_of_order(numbers: Sequence[int], placed: Mapping[int, Place]) -> int:
    partitions: dict[int, list[int]] = {}
    for number in dict.fromkeys(numbers):
        partition, rank = placed.get(number, (-1, number))
        partitions.setdefault(partition, []).append(rank)
    return sum(_out_of_order(found) for found in partitions.values())


def _deliveries_out_of_order(seen: Sequence[Seen], order: Sequence[int]) -> int:
    partitions: dict[int, list[int]] = {}
    for one in seen:
        partitions.setdefault(one.partition, []).append(one.number)
    return sum(_out_of_order(_ranks(numbers, order)) for numbers in partitions.values())


def _ranks(numbers: Sequence[int], order: Sequence[int]) -> list[int]:
    rank = {number: at for at, number in enumerate(dict.fromkeys(order))}
    return [rank[number] for number in dict.fromkeys(numbers) if number in rank]


def _out_of_order(numbers: Sequence[int]) -> int:
    """How many must be taken out so that the rest stands in order (the length less the longest rising sequence)."""
    tails: list[int] = []
    for number in numbers:
        at = bisect.bisect_left(tails, number)
        tails[at : at + 1] = [number]
    return len(numbers) - len(tails)


def times(
    sent: Mapping[int, float], events: Sequence[Seen], ended_at: float | None = None
) -> tuple[float, float, float]:
    """The longest stall, and the p50 and p99 of the way from an article's append to its event (or to its webhook, if
    those are given), in seconds.

    A stall is time without any event while an article had been waiting; with an event missing it lasts until
    `ended_at`.
    """
    arrived: dict[int, float] = {}
    for one in events:
        arrived.setdefault(one.number, one.at_s)
    ways = sorted(arrived[n] - sent[n] for n in arrived if n in sent)
    if not ways:
        return float("inf"), float("inf"), float("inf")
    if ended_at is not None:
        arrived |= dict.fromkeys(sent.keys() - arrived.keys(), ended_at)
    return _longest_stall(sent, arrived), ways[len(ways) // 2], ways[min(len(ways) - 1, int(len(ways) * 0.99))]


def _longest_stall(sent: Mapping[int, float], arrived: Mapping[int, float]) -> float:
    longest, waiting_since = 0.0, float("inf")
    latest_first = sorted(arrived, key=arrived.__getitem__, reverse=True)
    for number, before in zip_longest(latest_first, latest_first[1:]):
        waiting_since = min(waiting_since, sent[number])
        quiet_since = waiting_since if before is None else max(waiting_since, arrived[before])
        longest = max(longest, arrived[number] - quiet_since)
    return longest
