"""One seed on Kafka: brokers, several `tieup run`, and what the plan does to them."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.ending import Backlog, Ending, wait
from tests.chaos.judge import Verdict, faults, times
from tests.chaos.observer import Feeder, Observer, read_all, seen
from tests.chaos.pairs import article_id, gazetteer
from tests.chaos.plan import KINDS, Blow, plan
from tests.chaos.processor_time import Share
from tests.chaos.proxy import Proxy
from tests.chaos.system import Process, System
from tests.kafka_broker import KafkaCluster, free_port
from tests.service import TIEUP, environment
from tieup.bootstrap import open_log
from tieup.config import load_settings
from tieup.log.topics import ASSIGNMENTS, CATALOGUE, DEAD_LETTERS, EVENTS, RELATIONS

PARTITIONS = 4
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: `rate` articles a second, `processes` of tieup on `brokers` brokers.

    The last `late` processes do not run until a blow starts them. The blows are drawn from the seed, of these `kinds`,
    every so many seconds (`every_s`), unless `blows` names them. `without` names a guard that is switched off (a
    control).
    """

    seed: int
    records: int
    brokers: int = 3
    processes: int = 3
    late: int = 0
    rate: float = 100.0
    batch: int = 100
    every_s: tuple[float, float] = (3.0, 7.0)
    kinds: Mapping[str, int] = field(default_factory=lambda: KINDS)
    without: str | None = None
    blows: tuple[Blow, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """What each process runs: `tieup`, or `tieup` without one of its guards."""
        return (sys.executable, "-m", "tests.chaos.unguarded", self.without) if self.without else (TIEUP,)

    def planned(self) -> list[Blow]:
        """The blows that the seed gives while articles come."""
        return plan(self.seed, self.records / self.rate, self.processes, self.brokers, self.every_s, self.kinds)


def run(trial: Trial, folder: Path, say: Callable[[str], None] = lambda _: None) -> Verdict:
    """Run one seed to its end and judge it."""
    share = Share()
    verdict = _run_on_a_cluster(trial, folder, say)
    verdict.more["others"] = round(share.of_others(), 2)
    return verdict


def _run_on_a_cluster(trial: Trial, folder: Path, say: Callable[[str], None]) -> Verdict:
    (folder / "pairs.toml").write_text(gazetteer(trial.records))
    with ExitStack() as stack:
        backs = [free_port() for _ in range(trial.brokers)]
        cluster = KafkaCluster(trial.brokers, advertised=backs)
        proxies = [stack.enter_context(Proxy(target, port)) for target, port in zip(cluster.ports, backs, strict=True)]
        stack.enter_context(cluster)
        make_topics(cluster.direct, trial.brokers)
        env = environment(
            log=f"kafka://{cluster.bootstrap}",
            partitions=str(PARTITIONS),
            gazetteer=str(folder / "pairs.toml"),
            batch_records=str(trial.batch),
        )
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
        processes = [
            Process(n, trial.command, env, folder, wanted=n < trial.processes - trial.late)
            for n in range(trial.processes)
        ]
        stack.callback(lambda: [process.kill() for process in processes])
        system = System(cluster, proxies, processes)
        return _run(trial, system, say)


def make_topics(servers: str, brokers: int) -> None:
    async def make() -> None:
        flags = {"log": f"kafka://{servers}", "partitions": str(PARTITIONS), "kafka.replication_factor": str(brokers)}
        async with await open_log(load_settings({}, flags)) as log:
            await log.create(CATALOGUE)

    asyncio.run(make())


def _run(trial: Trial, system: System, say: Callable[[str], None]) -> Verdict:
    servers = system.cluster.direct
    ids = {article_id(n): n for n in range(trial.records)}
    feeder, observer = Feeder(servers, trial.records, trial.rate, PARTITIONS), Observer(servers, ids)
    system.until_ready()  # a start is no stall, and no blow hits nothing
    started = time.monotonic()
    tending = threading.Event()
    tender = threading.Thread(target=system.tend_until, args=(tending,), daemon=True)
    for thread in (observer, feeder, tender):
        thread.start()
    _strike(system, trial.blows or trial.planned(), started, say)
    feeder.join()
    if feeder.failed is not None:
        raise feeder.failed
    ended = _wait(trial, servers, observer)
    ended_at = time.monotonic()
    tending.set()
    tender.join()
    codes = system.end()
    observer.listen_out()
    verdict = judged(trial.records, feeder, observer, servers, ids, ended_at)
    verdict.more |= {
        "ended": ended,
        "blows": dict(sorted(system.done.items())),
        "restore_s": round(system.longest_restore_s, 2),
        "seconds": round(ended_at - started, 1),
        "ended_alone": system.ended_alone,
        "exit_codes": codes + system.rolled,
        "served": {worker: sorted(served) for worker, served in system.served.items()},
        "refused": len(feeder.refused),
    }
    return verdict


def _wait(trial: Trial, servers: str, observer: Observer) -> str:
    ending = Ending(trial.records, most_s=max(600.0, 3 * trial.records / trial.rate))
    with contextlib.closing(Backlog(servers, PARTITIONS)) as backlog:
        return wait(
            ending,
            told=lambda: observer.told,
            left=lambda: backlog.left(observer.ends["relations"]),
            clock=time.monotonic,
            sleep=time.sleep,
        )


def _strike(system: System, blows: Sequence[Blow], started: float, say: Callable[[str], None]) -> None:
    running: list[threading.Thread] = []
    for blow in blows:
        while (left := started + blow.at_s - time.monotonic()) > 0:
            time.sleep(left)
        say(f"{blow.at_s:7.1f} s  {blow.kind} {blow.target} for {blow.lasts_s:.1f} s")
        running.append(threading.Thread(target=system.strike, args=(blow,)))
        running[-1].start()
    for thread in running:
        thread.join()
    if system.broken:  # a broker that did not come back, say: no fault of the service, and no verdict on it
        raise system.broken[0]


def judged(
    count: int, feeder: Feeder, observer: Observer, servers: str, ids: dict[str, int], ended_at: float
) -> Verdict:
    """The verdict of a second reader, that reads everything when all is over, and of the live one."""
    final = {
        name: read_all(servers, topic, "read_committed", lambda message: seen(message, ids))
        for name, topic in (("relations", RELATIONS), ("events", EVENTS))
    }
    raw = read_all(servers, EVENTS, "read_uncommitted", lambda message: message.offset())
    assigned = set(read_all(servers, ASSIGNMENTS, "read_committed", lambda message: message.key().decode()))
    dead = read_all(servers, DEAD_LETTERS, "read_committed", lambda message: message.key(), PARTITIONS)
    found = faults(count, feeder.placed, final["relations"], final["events"], observer.seen)
    stall, p50, p99 = times(feeder.sent, observer.seen["events"], ended_at)
    verdict = Verdict(found, round(stall, 1), round(p50, 2), round(p99, 2))
    verdict.more = {
        "aborted": len(raw) - len(final["events"]),
        "state_missing": len(ids.keys() - assigned),
        "dead": len(dead),
    }
    return verdict
