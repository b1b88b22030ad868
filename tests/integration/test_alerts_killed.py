"""kill -9 at seeded moments: each event reaches each matching subscriber, and repeats carry the same id."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from tests.alerting import append, read
from tests.alerting_child import serving
from tests.receiver import Answer, Received, Receiver, receiving
from tests.unit.alerts.making import event, subscription

from tieup.alerts.settings import AlertSettings
from tieup.alerts.subscribe import subscription_record
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord
from tieup.log.topics import DELIVERIES
from tieup.model.codec import to_millis

ROUNDS = int(os.environ.get("TIEUP_TEST_ALERT_ROUNDS", "3"))
SEED = int(os.environ.get("TIEUP_TEST_SEED", "7"))
EVENTS_A_ROUND = 12
CONCURRENT = AlertSettings().per_endpoint


def recent(number: int) -> NewRecord:
    now = datetime.now(UTC)
    story = f"story {number % 5}"
    return envelope(event(number, story=story, occurred_at=now - timedelta(hours=1), observed_at=now), to_millis(now))


def number_of(message: Received) -> int:
    return int(orjson.loads(message.body)["data"]["event"]["revision"])


@pytest.mark.slow
async def test_killed_at_any_moment_nothing_is_lost_and_repeats_have_the_same_id(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    path = tmp_path / "log.db"

    failed: set[str] = set()

    def moody(received: Received) -> Answer:
        """Fail once with every tenth message; a second failure would wait five minutes."""
        if chance.random() < 0.1 and received.id not in failed:
            failed.add(received.id)
            return Answer(500)
        return Answer(wait_s=chance.random() * 0.02)

    async with receiving(moody) as first, receiving() as second:
        wishes = [
            subscription("company:ford", name="one", url=first.url),
            subscription("company:xiaomi", name="two", url=second.url),
            subscription("company:bmw", name="never", url=second.url.replace("/hook", "/never")),
        ]
        await append(path, [subscription_record(one) for one in wishes])
        for number in range(ROUNDS):
            numbers = range(number * EVENTS_A_ROUND + 1, (number + 1) * EVENTS_A_ROUND + 1)
            await append(path, [recent(one) for one in numbers])
            before = len(first.received) + len(second.received)
            with serving(path):
                await until(lambda now=before: len(first.received) + len(second.received) > now)
                await asyncio.sleep(chance.random() * 0.15)
        with serving(path):
            wanted = set(range(1, ROUNDS * EVENTS_A_ROUND + 1))
            await until(lambda: all({number_of(one) for one in r.received} == wanted for r in (first, second)))
            await asyncio.sleep(0.3)
    assert len(await read(path, DELIVERIES)) == 2 * ROUNDS * EVENTS_A_ROUND
    check(second, repeats=ROUNDS * CONCURRENT)
    check(first, repeats=None)


def check(receiver: Receiver, repeats: int | None) -> None:
    """One id for each event; in a story the first arrivals are in order; repeats only of what was in flight."""
    ids: dict[int, set[str]] = {}
    for message in receiver.received:
        ids.setdefault(number_of(message), set()).add(message.id)
    assert all(len(its) == 1 for its in ids.values())
    assert len({one for its in ids.values() for one in its}) == len(ids)
    firsts = list(dict.fromkeys(number_of(message) for message in receiver.received))
    for story in range(5):
        its = [number for number in firsts if number % 5 == story]
        assert its == sorted(its)
    if repeats is not None:
        again = Counter(message.id for message in receiver.received)
        assert sum(count - 1 for count in again.values()) <= repeats


async def until(found: Callable[[], bool], within_s: float = 60.0) -> None:
    ends_at = asyncio.get_running_loop().time() + within_s
    while not found():
        assert asyncio.get_running_loop().time() < ends_at, "it did not come about"
        await asyncio.sleep(0.01)
