"""Alerts on a real Kafka: several processes share the endpoints, and one that is killed is taken over from."""

import asyncio
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from tests.alerting import KEY
from tests.receiver import Receiver, receiving
from tests.service import Service, environment, running, tieup
from tests.unit.alerts.making import event, subscription

from tieup.alerts.subscribe import removal_record, subscription_record
from tieup.bootstrap import open_log
from tieup.config import load_settings
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord
from tieup.model.codec import to_millis
from tieup.model.subscription import Subscription

ENDPOINTS = 12
STORIES = 5
MARK = "kafkaalerts"


def recent(numbers: range) -> list[NewRecord]:
    now = datetime.now(UTC)
    made = (event(n, story=f"{MARK} {n % STORIES}", occurred_at=now, observed_at=now) for n in numbers)
    return [envelope(one, to_millis(now)) for one in made]


def wishes(receiver: Receiver) -> list[Subscription]:
    at = datetime.now(UTC) - timedelta(minutes=1)
    urls = {f"{MARK}{number}": f"{receiver.url}/{number}" for number in range(ENDPOINTS)}
    return [subscription("company:ford", name=name, url=url, created_at=at) for name, url in urls.items()]


async def append(url: str, records: list[NewRecord]) -> None:
    async with await open_log(load_settings({}, {"log": url})) as log:
        await log.append(records)


async def eventually(found: Callable[[], bool], *services: Service, within_s: float = 60.0) -> None:
    ends_at = asyncio.get_running_loop().time() + within_s
    while not found():
        assert asyncio.get_running_loop().time() < ends_at, [service.said for service in services]
        await asyncio.sleep(0.05)


async def taken(service: Service) -> float:
    """How many deliveries the process has read, by its own count."""
    (url,) = {word for word in service.said.split() if word.startswith("http://")}
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).text
    start = 'tieup_records_in_total{topic="tieup.deliveries.v1",worker="deliver"} '
    return sum(float(line.removeprefix(start)) for line in text.splitlines() if line.startswith(start))


@pytest.mark.kafka
@pytest.mark.slow
async def test_processes_share_the_endpoints_and_take_over_from_a_killed_one(kafka: str, tmp_path: Path) -> None:
    log = f"kafka://{kafka}"
    env = environment(
        log=log, group=MARK, partitions="4", master_key=KEY, alerts_allow_private="true", http="127.0.0.1:0"
    )
    assert (await asyncio.to_thread(tieup, ["topics", "create"], env, tmp_path)).returncode == 0
    async with receiving() as receiver:
        wanted = wishes(receiver)
        await append(log, [subscription_record(one) for one in wanted])
        command = ["run", "match", "deliver"]
        with running(command, env, tmp_path) as first, running(command, env, tmp_path) as second:
            await eventually(lambda: all("health and metrics on" in one.said for one in (first, second)))
            await shared(log, receiver, first, second)
            before = len(receiver.received)
            await append(log, recent(range(1_000, 1_010)))
            await eventually(lambda: len(receiver.received) > before, first, second)
            await asyncio.to_thread(first.end, signal.SIGKILL)
            await append(log, recent(range(1_010, 1_020)))
            await eventually(lambda: ended(receiver, 1_000, 1_020), second)
            await asyncio.to_thread(second.end)
        assert second.process.returncode == 0, second.said
        await append(log, [removal_record(one, datetime.now(UTC)) for one in wanted])
    check(receiver)


async def shared(log: str, receiver: Receiver, *services: Service) -> None:
    """Tell events until both processes have had a part of them: they join the group one after the other."""
    for start in range(0, 200, 10):
        await append(log, recent(range(start + 1, start + 11)))
        await eventually(lambda end=start + 11: ended(receiver, 1, end), *services)
        if all([await taken(one) > 0 for one in services]):
            return
    raise AssertionError("one process had all the endpoints")


def number_of(body: bytes) -> int:
    return int(orjson.loads(body)["data"]["event"]["revision"])


def ended(receiver: Receiver, first: int, end: int) -> bool:
    """Whether every endpoint has had every event of these numbers."""
    found = {(one.path, number) for one in receiver.received if first <= (number := number_of(one.body)) < end}
    return len(found) == ENDPOINTS * (end - first)


def check(receiver: Receiver) -> None:
    """Of one event one id, to each endpoint; the first arrivals of a story are in order."""
    ids = {(number_of(one.body), one.id) for one in receiver.received}
    assert len(ids) == len({number for number, _ in ids})
    firsts = dict.fromkeys((one.path, number_of(one.body)) for one in receiver.received)
    for path in {path for path, _ in firsts}:
        for story in range(STORIES):
            its = [number for at, number in firsts if at == path and number % STORIES == story]
            assert its == sorted(its)
