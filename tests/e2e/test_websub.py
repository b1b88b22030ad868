"""`tieup run` with a hub: what is pushed becomes an event, on both logs, whichever process the hub reaches."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.benchmarks.bench_push import document
from tests.hub_server import hub_process
from tests.kafka_broker import free_port
from tests.service import Service, environment, running, tieup, until

from tieup.bootstrap import open_log
from tieup.cli.reading import read_from
from tieup.config import load_settings
from tieup.log.topics import EVENTS, FEED_STATES

KEY = "a master key for tests that is long enough"
TITLE = "Ford and Xiaomi agree on a joint venture"
TEXT = "Ford and Xiaomi have agreed on a joint venture for electric cars, the companies said."


@pytest.fixture
def hub() -> Iterator[str]:
    """A hub in a process of its own; its URL."""
    with hub_process() as url:
        yield url


def settings(log: str, door: int, public: int | None = None, **more: str) -> dict[str, str]:
    own = {"feeds_allow_private": "true", "feeds_host_rate": "0", "http": "off", "master_key": KEY}
    at = {"websub_listen": f"127.0.0.1:{door}", "websub_public_url": f"http://127.0.0.1:{public or door}/hooks"}
    return environment(log=log, **own, **at, **more)


def values(log: str, topic: str) -> list[dict]:
    async def read() -> list[dict]:
        async with await open_log(load_settings({}, {"log": log})) as opened:
            return [json.loads(record.value) async for record in read_from(opened, topic, "begin", follow=False)]

    return asyncio.run(read())


def publish(hub: str, number: int, title: str, text: str) -> list[int]:
    return httpx.post(f"{hub}/publish/news", content=document(number, title, text), timeout=30).json()["answers"]


def state(hub: str) -> dict:
    return httpx.get(f"{hub}/state").json()


def wait_for_lease(hub: str, log: str) -> None:
    until(lambda: state(hub)["held"])
    until(lambda: any((one["hub"] or {}).get("lease_until") for one in values(log, FEED_STATES)))


def pushed(hub: str, log: str, *services: Service) -> list[dict]:
    """Push an article and return the events, once there are any."""
    assert publish(hub, 2, TITLE, TEXT) == [202], [service.said for service in services]
    return until(lambda: values(log, EVENTS))


def test_what_a_hub_pushes_is_an_event(hub: str, tmp_path: Path) -> None:
    log = f"sqlite:///{tmp_path / 'tieup.db'}"
    env = settings(log, free_port())
    publish(hub, 1, "Weather", "It rains.")
    assert tieup(["feeds", "add", f"{hub}/feeds/news"], env, tmp_path).returncode == 0
    with running(["run"], env, tmp_path) as service:
        wait_for_lease(hub, log)
        events = pushed(hub, log, service)
        service.end()
    assert service.process.returncode == 0, service.said
    assert {party["id"] for party in events[0]["parties"]} == {"ford", "xiaomi"}
    assert "hubs are answered on" in service.said
    assert KEY not in service.said
    assert "Traceback" not in service.said
    done = tieup(["run", "--once"], env, tmp_path)  # no door, so no hub is asked
    assert done.returncode == 0, done.stderr
    assert state(hub)["asked"] == 1


def test_half_of_the_settings_switch_it_off_and_say_so(hub: str, tmp_path: Path) -> None:
    env = settings(f"sqlite:///{tmp_path / 'tieup.db'}", free_port())
    del env["TIEUP_MASTER_KEY"]
    with running(["run", "fetch"], env, tmp_path) as service:
        until(lambda: "WebSub is off" in service.said)
        service.end()
    assert service.process.returncode == 0, service.said


@pytest.mark.kafka
@pytest.mark.slow
def test_any_process_on_one_kafka_answers_the_hub(kafka, hub: str, tmp_path: Path) -> None:
    log, doors = f"kafka://{kafka}", (free_port(), free_port())
    group = {"group": f"websub-{doors[0]}", "partitions": "2"}
    envs = [settings(log, door, doors[0], **group) for door in doors]
    publish(hub, 1, "Weather", "It rains.")
    before = len(values(log, EVENTS)) if tieup(["topics", "create"], envs[0], tmp_path).returncode == 0 else 0
    with running(["run"], envs[0], tmp_path) as first, running(["run", "fetch"], envs[1], tmp_path) as second:
        until(lambda: all("hubs are answered on" in one.said for one in (first, second)))
        assert tieup(["feeds", "add", f"{hub}/feeds/news"], envs[0], tmp_path).returncode == 0
        wait_for_lease(hub, log)
        held = httpx.get(f"{hub}/held").json()[0]
        for number, (door, partner) in enumerate(zip(doors, ("Xiaomi", "Northvolt"), strict=True), start=2):
            callback = held["callback"].replace(f":{doors[0]}/", f":{door}/")
            body = document(number, TITLE.replace("Xiaomi", partner), TEXT.replace("Xiaomi", partner))
            answer = httpx.post(f"{hub}/push", params={"callback": callback}, content=body, timeout=30)
            assert answer.json() == [202], (first.said, second.said)
            until(lambda wanted=before + number - 1: len(values(log, EVENTS)) >= wanted)
        first.end()
        second.end()
    assert (first.process.returncode, second.process.returncode) == (0, 0), first.said + second.said
