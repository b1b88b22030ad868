"""One seed on Kafka: brokers, several `tieup run`, and what the plan does to them.

A whole run goes from feeds to webhooks, through all workers. Else the articles are appended by the harness, and only
extract and story run: that is what most guards are about, and less for a test.
"""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from tests.chaos.ending import SETTLE_S, Backlog, Ending, wait
from tests.chaos.judge import Seen, Verdict, faults, times, webhooks
from tests.chaos.observer import NAMES, Feeder, Observer, read_all, seen, stands
from tests.chaos.pairs import article_id, gazetteer
from tests.chaos.plan import KINDS, Blow, plan
from tests.chaos.processor_time import Share
from tests.chaos.proxy import Proxy
from tests.chaos.system import Process, System
from tests.chaos.world import POLL_S, Publisher, World, subscribe
from tests.kafka_broker import KafkaCluster, free_port
from tests.service import TIEUP, environment
from tieup.bootstrap import WORKERS, open_log
from tieup.config import load_settings
from tieup.log.topics import ARTICLES, ASSIGNMENTS, CATALOGUE, DEAD_LETTERS, DELIVERIES, EVENTS, RELATIONS

PARTITIONS = 4
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: `rate` articles a second, `processes` of tieup on `brokers` brokers.

    The last `late` processes do not run until a blow starts them. The blows are drawn from the seed, of these `kinds`,
    every so many seconds (`every_s`; None: 3 to 7, in a whole run 5 to 11, which lasts longer and whose processes take
    longer to start), unless `blows` names them. `without` names a guard that is switched off (a
    control). `whole`: from feeds to webhooks; `at_once`: a feed's entries are all there at its first poll.
    """

    seed: int
    records: int
    brokers: int = 3
    processes: int = 3
    late: int = 0
    rate: float = 100.0
    batch: int = 100
    every_s: tuple[float, float] | None = None
    kinds: Mapping[str, int] = field(default_factory=lambda: KINDS)
    without: str | None = None
    blows: tuple[Blow, ...] = ()
    whole: bool = False
    at_once: bool = False

    @property
    def workers(self) -> tuple[str, ...]:
        """The workers that each process runs."""
        return WORKERS if self.whole else ("extract", "story")

    @property
    def judged(self) -> dict[str, int]:
        """The topics that the judge reads, and how many partitions they have."""
        more = {ARTICLES: PARTITIONS, DELIVERIES: PARTITIONS} if self.whole else {}
        return {RELATIONS: 1, EVENTS: 1, **more}

    @property
    def command(self) -> tuple[str, ...]:
        """What each process runs: `tieup`, or `tieup` without one of its guards."""
        return (sys.executable, "-m", "tests.chaos.unguarded", self.without) if self.without else (TIEUP,)

    def planned(self) -> list[Blow]:
        """The blows that the seed gives while articles come; in a whole run until the last feed's second poll."""
        seconds = self.records / self.rate + (POLL_S if self.whole and not self.at_once else 0)
        every_s = self.every_s or ((5.0, 11.0) if self.whole else (3.0, 7.0))
        return plan(self.seed, seconds, self.processes, self.brokers, every_s, self.kinds)


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
        world = stack.enter_context(World(trial.records, at_once=trial.at_once)) if trial.whole else None
        env = environment(
            log=f"kafka://{cluster.bootstrap}",
            partitions=str(PARTITIONS),
            gazetteer=str(folder / "pairs.toml"),
            batch_records=str(trial.batch),
        )
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
        if world is not None:
            (folder / "tieup.toml").write_text(world.settings)
            subscribe(world.hooks, f"kafka://{cluster.direct}", folder)
        processes = [
            Process(n, trial.command, trial.workers, env, folder, wanted=n < trial.processes - trial.late)
            for n in range(trial.processes)
        ]
        stack.callback(lambda: [process.kill() for process in processes])
        system = System(cluster, proxies, processes)
        return _run(trial, system, world, say)


def make_topics(servers: str, brokers: int) -> None:
    async def make() -> None:
        flags = {"log": f"kafka://{servers}", "partitions": str(PARTITIONS), "kafka.replication_factor": str(brokers)}
        async with await open_log(load_settings({}, flags)) as log:
            await log.create(CATALOGUE)

    asyncio.run(make())


def _run(trial: Trial, system: System, world: World | None, say: Callable[[str], None]) -> Verdict:
    servers = system.cluster.direct
    ids = {article_id(n): n for n in range(trial.records)}
    if world is not None:
        feeder = Publisher(servers, world, trial.rate, PARTITIONS)
    else:
        feeder = Feeder(servers, trial.records, trial.rate, PARTITIONS)
    isolation = "read_uncommitted" if trial.without == "isolation" else "read_committed"  # the judge's reader too
    observer = Observer(servers, ids, trial.judged, isolation)
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
    ended = _wait(trial, servers, observer, world)
    ended_at = time.monotonic()
    tending.set()
    tender.join()
    codes = system.end()
    observer.listen_out()
    verdict = judged(trial, feeder.sent, observer, servers, ids, ended_at)
    if world is not None:
        to_the_end(verdict, trial, world, ended_at)
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


def to_the_end(verdict: Verdict, trial: Trial, world: World, ended_at: float) -> None:
    """Judge the webhooks as well; the times are those until they came, the stall the longer one."""
    arrived = [Seen(0, number, one, at) for number, one, at in world.hooked]
    stall, p50, p99 = times(world.sent, arrived, ended_at)
    verdict.more |= asdict(webhooks(trial.records, world.hooked)) | {"polls": world.asked, "to_event": verdict.p50_s}
    verdict.stall_s = max(verdict.stall_s, round(stall, 1))
    verdict.p50_s, verdict.p99_s = round(p50, 2), round(p99, 2)


def _wait(trial: Trial, servers: str, observer: Observer, world: World | None) -> str:
    settle_s = SETTLE_S if world is None else SETTLE_S + POLL_S  # a feed may not have been asked again
    ending = Ending(trial.records, max(600.0, 3 * trial.records / trial.rate), settle_s)
    with contextlib.closing(Backlog(servers)) as backlog:

        def left() -> int | None:
            if world is None:
                appended = backlog.appended(PARTITIONS)
                return None if appended is None else backlog.left({**observer.ends, **appended})
            unsent, passed = trial.records - len(world.sent), backlog.left(dict(observer.ends))
            return None if passed is None else unsent + passed

        return wait(
            ending,
            told=lambda: len(observer.told if world is None else observer.told & world.alerted),
            left=left,
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
    trial: Trial,
    sent: Mapping[int, float],
    observer: Observer,
    servers: str,
    ids: Mapping[str, int],
    ended_at: float,
) -> Verdict:
    """The verdict of a second reader, that reads everything when all is over, and of the live one."""
    final = {
        NAMES[topic]: read_all(servers, topic, "read_committed", partial(seen, ids=ids), partitions)
        for topic, partitions in trial.judged.items()
    }
    placed = dict(reversed(read_all(servers, ARTICLES, "read_committed", partial(stands, ids=ids), PARTITIONS)))
    raw = read_all(servers, EVENTS, "read_uncommitted", lambda message: message.offset())
    assigned = set(read_all(servers, ASSIGNMENTS, "read_committed", lambda message: message.key().decode()))
    dead = read_all(servers, DEAD_LETTERS, "read_committed", lambda message: message.key(), PARTITIONS)
    relations, events = final.pop("relations"), final.pop("events")
    found = faults(trial.records, placed, relations, events, observer.seen, final)
    stall, p50, p99 = times(sent, observer.seen["events"], ended_at)
    verdict = Verdict(found, round(stall, 1), round(p50, 2), round(p99, 2))
    verdict.more = {
        "aborted": len(raw) - len(events),
        "state_missing": len(ids.keys() - assigned),
        "dead": len(dead),
    }
    return verdict
