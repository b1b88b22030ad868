"""`tieup dead-letters` on both logs: what was poison is listed, shown, and goes back to where it came from."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from tests.sagas import saga_records
from tests.service import environment, running, tieup, until

from tieup.bootstrap import open_log
from tieup.cli.reading import read_from
from tieup.config import load_settings
from tieup.log.base import NewRecord, Record, place
from tieup.log.dead_letters import dead_letter
from tieup.log.topics import ARTICLES, CATALOGUE, DEAD_LETTERS, EVENTS, RELATIONS
from tieup.model.codec import from_millis

PARTITIONS = 2
ABSENT = "1:777777"


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def url(request, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tieup.db'}"
    return f"kafka://{request.getfixturevalue('own_kafka').bootstrap}"


def with_log(url: str, work):
    async def run():
        async with await open_log(load_settings({}, {"log": url, "partitions": str(PARTITIONS)})) as log:
            return await work(log)

    return asyncio.run(run())


def append(url: str, records: list[NewRecord]) -> None:
    async def work(log):
        await log.create(CATALOGUE)
        await log.append(records)

    with_log(url, work)


def standing(url: str, topic: str) -> list[Record]:
    async def work(log):
        return [record async for record in read_from(log, topic, "begin", follow=False)]

    return with_log(url, work)


def values(url: str, topic: str) -> list[dict]:
    return [json.loads(record.value) for record in standing(url, topic)]


def told_of(url: str, article: NewRecord) -> list[dict]:
    """The events that this article caused."""
    return [one for one in values(url, EVENTS) if one["cause"]["article_id"] == article.key.decode()]


def letter_of(record: NewRecord, partition: int) -> NewRecord:
    """The dead letter of an article that a worker could not use for a while."""
    at = from_millis(record.timestamp)
    return dead_letter(ARTICLES, partition, 9, record.key, record.value, ValueError("out of sorts"), "extract", at)


def elsewhere(topic: str, key: bytes) -> int:
    """A partition that the key alone would not lead to."""
    return (place(NewRecord(topic, key, None, 0), PARTITIONS) + 1) % PARTITIONS


def command(url: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return tieup(["dead-letters", *arguments], environment(log=url, partitions=str(PARTITIONS)), cwd)


def rows(url: str, cwd: Path) -> dict[str, dict]:
    """What `list` tells, by the input's key; the newest letter of each."""
    listed = command(url, cwd, "list", "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["key"]: row for row in map(json.loads, listed.stdout.splitlines())}


@pytest.mark.slow
def test_the_running_service_takes_in_once_what_is_retried_and_refuses_again_what_is_still_poison(
    url: str, tmp_path: Path
) -> None:
    *good, later = saga_records(9)
    last = saga_records(13)[12]  # the next of the same saga
    there = elsewhere(ARTICLES, later.key)
    poison = NewRecord(ARTICLES, b"not-json", b"\xff{", later.timestamp, partition=elsewhere(ARTICLES, b"not-json"))
    append(url, [*good, poison, letter_of(later, there)])
    env = environment(log=url, partitions=str(PARTITIONS), http="off")
    with running(["run", "extract", "story"], env, tmp_path) as service:
        until(lambda: len(standing(url, DEAD_LETTERS)) == 2 and len(standing(url, RELATIONS)) == len(good))
        found = rows(url, tmp_path)
        good_again, bad_again = found[later.key.decode()]["place"], found["not-json"]["place"]
        shown = json.loads(command(url, tmp_path, "show", bad_again).stdout)
        assert (shown["key"], shown["encoding"], shown["error"]) == ("not-json", "base64", "BadRecord")
        (origin,) = (record for record in standing(url, ARTICLES) if record.key == poison.key)
        assert (shown["topic"], shown["partition"], shown["offset"]) == (ARTICLES, poison.partition, origin.offset)

        assert command(url, tmp_path, "retry", good_again).stdout == "1 appended again\n"
        until(lambda: told_of(url, later))

        done = command(url, tmp_path, "retry", "--all", "--json")
        assert sorted(json.loads(done.stdout)["retried"]) == sorted([good_again, bad_again])
        assert json.loads(done.stdout)["refused"] == []
        append(url, [NewRecord(last.topic, last.key, last.value, last.timestamp, partition=there)])
        until(lambda: told_of(url, last) and len(standing(url, DEAD_LETTERS)) == 3)
        service.end()
    assert service.process.returncode == 0, service.said

    again = [record for record in standing(url, ARTICLES) if dict(record.headers).get("tieup-retry-of")]
    assert sorted(
        (r.partition, r.key, r.value, r.timestamp, dict(r.headers)["tieup-retry-of"]) for r in again
    ) == sorted(
        [(there, later.key, later.value, later.timestamp, good_again.encode())] * 2
        + [(poison.partition, poison.key, poison.value, poison.timestamp, bad_again.encode())]
    )
    assert len(told_of(url, later)) == 1, "a retry of what was taken in meanwhile tells nothing new"
    assert sorted(one["key"] for one in values(url, DEAD_LETTERS)) == sorted([later.key.decode(), *["not-json"] * 2])


@pytest.mark.parametrize("asked", ["retry", "show"])
def test_a_letter_that_is_not_there_is_said_in_one_line(url: str, tmp_path: Path, asked: str) -> None:
    append(url, [])
    said_in_one_line(command(url, tmp_path, asked, ABSENT), ABSENT)


@pytest.mark.parametrize("arguments", [["retry"], ["retry", "0:0", "--all"]], ids=["nothing named", "both named"])
def test_wrong_use_is_said_in_one_line(tmp_path: Path, arguments: list[str]) -> None:
    said_in_one_line(command(f"sqlite:///{tmp_path / 'tieup.db'}", tmp_path, *arguments), "--all")


def said_in_one_line(done: subprocess.CompletedProcess[str], word: str) -> None:
    assert done.returncode == 2
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1
