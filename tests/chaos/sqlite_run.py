"""Kills on the embedded log: one life of the service after the other, each ended by kill -9 at a seeded moment.

A whole run goes from feeds to webhooks, through all workers; else the articles stand on the log and only extract and
story run. A life is forked from a process that has imported and loaded everything, so that most of it is work. What is
judged is read from the file by plain SQL, after every kill and at the end.
"""

import asyncio
import hashlib
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.chaos.judge import Faults, Seen, Webhooks, faults, webhooks
from tests.chaos.pairs import article_id, articles, gazetteer
from tests.chaos.world import ENTRIES, about, outside, subscribe, wanted
from tieup import bootstrap
from tieup.claims import meaning
from tieup.config import Settings, load_settings
from tieup.log import sqlite_records
from tieup.log.base import NewRecord
from tieup.log.sqlite_file import OFFSET_BITS
from tieup.log.topics import ARTICLES, CATALOGUE, DELIVERIES, EVENTS, RELATIONS
from tieup.model.codec import encode, to_millis

TOPICS = {"relations": RELATIONS, "events": EVENTS}
WHOLE = {"articles": ARTICLES, **TOPICS, "deliveries": DELIVERIES}
LIFE_S = 30.0


@dataclass(slots=True)
class Outcome:
    """What a run of kills came to. `idle_kills` hit a service that had told nothing new in that life. `heard` is the
    verdict on the webhooks of a whole run.
    """

    faults: Faults
    kills: int
    idle_kills: int
    integrity: str
    seconds: float
    lives: list[int] = field(default_factory=list, repr=False)
    heard: Webhooks | None = None


def in_two(connection, task, epoch, records, offsets):
    """A commit of the records and, after it, one of the positions; between them the time that a slow disk takes."""
    COMMIT(connection, task, epoch, records, {})
    connection.execute("COMMIT")
    time.sleep(0.05)
    connection.execute("BEGIN IMMEDIATE")
    COMMIT(connection, task, epoch, [], offsets)


def without_one_transaction() -> None:
    """Switch a guard off, in a process that is to be killed."""
    sqlite_records.commit = in_two


def as_they_come(connection, task, epoch, records, offsets):
    """A commit of the records in any order, as several threads would append them."""
    COMMIT(connection, task, epoch, random.Random(len(records)).sample(records, len(records)), offsets)


def without_order() -> None:
    sqlite_records.commit = as_they_come


COMMIT = sqlite_records.commit
GUARDS = {"atomic": without_one_transaction, "order": without_order}


def run(
    seed: int,
    kills: int,
    records: int,
    folder: Path,
    batch: int = 20,
    say: Callable[[str], None] = lambda _: None,
    *,
    whole: bool = True,
    without: str | None = None,
) -> Outcome:
    """Append the articles or want their feeds, kill the service so often, let a last life finish, and judge.

    `without` names a guard that the lives to be killed do without (a control).
    """
    (folder / "pairs.toml").write_text(gazetteer(records))
    meaning.encode(["so that no life has to load the encoder"])
    if not whole:
        return _run(seed, kills, records, _settings(folder, batch), say, without)
    with outside(records) as world:
        (folder / "tieup.toml").write_text(world.settings)
        settings = _settings(folder, batch)
        subscribe(world.hooks, settings.log, folder)
        outcome = _run(seed, kills, records, settings, say, without, whole=True)
        outcome.heard = webhooks(records, world.end())
    return outcome


def _run(
    seed: int,
    kills: int,
    records: int,
    settings: Settings,
    say: Callable[[str], None],
    without: str | None,
    *,
    whole: bool = False,
) -> Outcome:
    started = time.monotonic()
    rng = random.Random(seed)
    file = Path(settings.log.removeprefix("sqlite:///"))
    topics, workers = (WHOLE, bootstrap.WORKERS) if whole else (TOPICS, ("extract", "story"))
    asyncio.run(_append(settings, _wanted(records) if whole else _articles(records)))
    life = (settings, workers, without)
    ids = {article_id(n): n for n in range(records)}
    live: dict[str, list[Seen]] = {name: [] for name in topics}
    progress, idle = [], 0
    for number in range(kills):
        before = len(live["events"])
        if rng.random() < 0.15:
            _life(*life, lambda: True, rng.uniform(0.05, 0.6))  # while it starts or restores
        else:
            _life(*life, lambda before=before: length(file) > before, rng.uniform(0.0, 0.3))
        for name, topic in topics.items():
            live[name] += read(file, topic, ids, after=len(live[name]))
        progress.append(len(live["events"]))
        idle += progress[-1] == before
        if number % 20 == 19:
            say(f"{number + 1} kills, {progress[-1]} of {records} articles told")
    asyncio.run(bootstrap.run(settings, workers, once=True))
    final = {name: read(file, topic, ids) for name, topic in topics.items()}
    placed = {one.number: (0, one.offset) for one in reversed(read(file, ARTICLES, ids))}
    found = faults(records, placed, final.pop("relations"), final.pop("events"), live, final)
    with closing(sqlite3.connect(file)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
    return Outcome(found, kills, idle, integrity, round(time.monotonic() - started, 1), progress)


def read(file: Path, topic: str, ids: dict[str, int], after: int = 0) -> list[Seen]:
    """The topic's records on partition 0 from that offset on."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        (identity,) = connection.execute(
            "SELECT p.id FROM partitions p JOIN topics t ON t.id = p.topic WHERE t.name = ? AND p.partition = 0",
            (topic,),
        ).fetchone()
        base = identity << OFFSET_BITS
        rows = connection.execute(
            "SELECT id, key, value FROM records WHERE id >= ? AND id < ? ORDER BY id",
            (base + after, (identity + 1) << OFFSET_BITS),
        ).fetchall()
    return [
        Seen(row - base, ids[_about(topic, key, value)], hashlib.sha256(value).hexdigest()) for row, key, value in rows
    ]


def length(file: Path) -> int:
    """How many events there are."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        (end,) = connection.execute(
            "SELECT p.next_offset FROM partitions p JOIN topics t ON t.id = p.topic WHERE t.name = ?", (EVENTS,)
        ).fetchone()
    return int(end)


def _about(topic: str, key: bytes, value: bytes) -> str:
    if topic == EVENTS:
        return orjson.loads(value)["cause"]["article_id"]
    return about(orjson.loads(value)["body"]) if topic == DELIVERIES else key.decode()


def _settings(folder: Path, batch: int) -> Settings:
    file = folder / "tieup.toml"
    flags = {"log": f"sqlite:///{folder / 'tieup.db'}", "gazetteer": str(folder / "pairs.toml"), "http": "off"}
    return load_settings({}, {**flags, "batch_records": str(batch), "partitions": "1"}, file if file.exists() else None)


def _articles(records: int) -> list[NewRecord]:
    return [NewRecord(ARTICLES, a.id.encode(), encode(a), to_millis(a.observed_at)) for a in articles(records)]


def _wanted(records: int) -> list[NewRecord]:
    return [wanted(number) for number in range(-(-records // ENTRIES))]


async def _append(settings: Settings, made: list[NewRecord]) -> None:
    async with await bootstrap.open_log(settings) as log:
        await log.create(CATALOGUE)
        for at in range(0, len(made), 1000):
            await log.append(made[at : at + 1000])


def _life(
    settings: Settings, workers: Sequence[str], without: str | None, begun: Callable[[], bool], seconds: float
) -> None:
    """Let the service live until it has begun and for so many seconds more."""
    child = os.fork()
    if child == 0:
        try:
            if without:
                GUARDS[without]()
            asyncio.run(bootstrap.run(settings, workers))
        except BaseException as error:  # noqa: BLE001 - the child must not go on as a second parent
            sys.stderr.write(f"a life ended by itself: {error!r}\n")
            os._exit(70)
        os._exit(0)
    deadline = time.monotonic() + LIFE_S
    while not begun() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"a life ended by itself: {status}"
