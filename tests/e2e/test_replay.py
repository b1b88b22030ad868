"""Promises 1 and 2, end to end: articles recorded once give the same bytes whenever and however they are replayed."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from tests.sagas import saga_records
from tests.service import environment, running, tieup

from tieup.bootstrap import open_log
from tieup.cli.reading import read_from
from tieup.config import load_settings
from tieup.errors import TopicError
from tieup.log.base import Log, TopicPartition
from tieup.log.suffixed import SuffixedLog
from tieup.log.topics import ASSIGNMENTS, BY_NAME, CATALOGUE, DEAD_LETTERS, EVENTS, RELATIONS, STORIES

ARTICLES = 240
WRITTEN = (RELATIONS, ASSIGNMENTS, STORIES, EVENTS, DEAD_LETTERS)


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def log_url(request, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tieup.db'}"
    return f"kafka://{request.getfixturevalue('own_kafka').bootstrap}"


async def with_log(url: str, work):
    async with await open_log(load_settings({}, {"log": url, "partitions": "1"})) as log:
        return await work(log)


async def record(log: Log) -> None:
    await log.create(CATALOGUE)
    await log.append(saga_records(ARTICLES))


def reading(suffix: str, topic: str):
    async def read(log: Log):
        suffixed = SuffixedLog(log, WRITTEN, suffix)
        # What compaction has dropped of a compacted topic is the broker's affair: the newest of each key counts.
        records = [r async for r in read_from(suffixed, topic, "begin", follow=False)]
        shown = [
            (r.key, r.value, r.timestamp, tuple((n, v) for n, v in r.headers if n != "ce_source")) for r in records
        ]
        return sorted({one[0]: one for one in shown}.values()) if BY_NAME[topic].compact else shown

    return read


def progress(suffix: str) -> Callable:
    async def count(log: Log) -> int:
        try:
            ends = await SuffixedLog(log, WRITTEN, suffix).end_offsets([TopicPartition(ASSIGNMENTS, 0)])
        except TopicError:  # not there yet
            return 0
        return sum(ends.values())

    return count


def replay(url: str, suffix: str, seed: str, cwd: Path, batch: str = "500") -> None:
    env = environment(seed, log=url, partitions="1", suffix=suffix, batch_records=batch)
    done = tieup(["run", "extract", "story", "--once"], env, cwd)
    assert done.returncode == 0, done.stderr


def kill_halfway(url: str, suffix: str, cwd: Path) -> None:
    """Kill -9 a replay once it has worked off some and not all of the articles."""
    env = environment("3", log=url, partitions="1", suffix=suffix, batch_records="3", http="off")
    with running(["run", "extract", "story"], env, cwd) as service:

        async def until_some(log: Log) -> int:
            count = progress(suffix)
            async with asyncio.timeout(60):
                while await count(log) < ARTICLES // 4:  # noqa: ASYNC110 - another process's log has no event
                    await asyncio.sleep(0.01)
            service.process.send_signal(signal.SIGKILL)
            return await count(log)

        asyncio.run(with_log(url, until_some))


@pytest.mark.slow
def test_replays_and_a_replay_killed_halfway_give_the_same_bytes(log_url: str, tmp_path: Path) -> None:
    run = uuid4().hex[:6]
    once, twice, killed = f"{run}-once", f"{run}-twice", f"{run}-killed"
    asyncio.run(with_log(log_url, record))
    replay(log_url, once, "1", tmp_path)
    replay(log_url, twice, "2", tmp_path, batch="7")
    kill_halfway(log_url, killed, tmp_path)
    resumed_at = asyncio.run(with_log(log_url, progress(killed)))
    assert 0 < resumed_at < asyncio.run(with_log(log_url, progress(once))), "the kill came too early or too late"
    replay(log_url, killed, "4", tmp_path)
    for topic in WRITTEN:
        expected = asyncio.run(with_log(log_url, reading(once, topic)))
        assert asyncio.run(with_log(log_url, reading(twice, topic))) == expected, topic
        assert asyncio.run(with_log(log_url, reading(killed, topic))) == expected, topic
    events = asyncio.run(with_log(log_url, reading(once, EVENTS)))
    types = [orjson.loads(value)["type"] for _, value, _, _ in events]
    assert {"story.opened", "story.denied", "story.confirmed"} <= set(types)
    assert asyncio.run(with_log(log_url, reading(once, DEAD_LETTERS))) == []
