"""One seed on Kafka: brokers, several `tieup run`, and what the plan does to them."""

import asyncio
import contextlib
import os
import re
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import orjson

from tests.chaos.judge import Verdict, faults, times
from tests.chaos.observer import Feeder, Observer, read_all, seen
from tests.chaos.pairs import article_id, gazetteer
from tests.chaos.plan import Blow, plan
from tests.chaos.proxy import Proxy
from tests.kafka_broker import KafkaCluster, free_port
from tests.service import TIEUP, Service, environment, until
from tieup.bootstrap import open_log
from tieup.config import load_settings
from tieup.log.topics import ASSIGNMENTS, CATALOGUE, DEAD_LETTERS, EVENTS, RELATIONS

PARTITIONS = 4
ROOT = Path(__file__).parent.parent.parent
SILENCE_S = 60.0
"""After the last article: what is not told when nothing new was told for so long counts as lost."""
BROKER_REST_S = 8.0
"""After a broker is back the others are spared so long: a cluster of three may lose one at a time."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run: `rate` articles a second, `processes` of tieup on `brokers` brokers."""

    seed: int
    records: int
    brokers: int = 3
    processes: int = 3
    rate: float = 100.0
    batch: int = 100
    every_s: tuple[float, float] = (3.0, 7.0)
    command: tuple[str, ...] = (TIEUP,)
    blows: tuple[Blow, ...] = ()


class Process:
    """One `tieup run`, started anew whenever it ends. All that is done to it is done by one thread at a time."""

    def __init__(self, number: int, command: Sequence[str], env: dict[str, str], folder: Path) -> None:
        self.port = free_port()
        self.lives = 0
        self.lock = threading.Lock()
        self.number, self._folder, self._env = number, folder, env
        self._command = [*command, "run", "extract", "story", "--http", f"127.0.0.1:{self.port}"]
        self.start()

    def start(self) -> None:
        self.lives += 1
        self.said = self._folder / f"process-{self.number}-{self.lives}.log"
        self.service = Service(self._command, self._env, self._folder, self.said)

    @property
    def ended(self) -> bool:
        return self.service.process.poll() is not None

    def kill(self) -> None:
        self.service.process.kill()
        self.service.process.wait()

    def hang(self, seconds: float) -> None:
        self.service.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.service.process.send_signal(signal.SIGCONT)

    @property
    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as page:
                return page.status == 200
        except (OSError, HTTPException):
            return False

    def metric(self, name: str) -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=1) as page:
                text = page.read().decode()
        except (OSError, HTTPException):
            return {}
        return {label: float(found) for label, found in re.findall(rf"^{name}(\{{.*\}}) (\S+)$", text, re.MULTILINE)}


class Stage:
    """The running system and the blows that it takes."""

    def __init__(self, cluster: KafkaCluster, proxies: Sequence[Proxy], processes: Sequence[Process]) -> None:
        self.cluster, self.proxies, self.processes = cluster, proxies, processes
        self.done: Counter[str] = Counter()
        self.ended_alone: list[str] = []
        self.longest_restore_s = 0.0
        self.rolled: list[int] = []
        self.served: dict[str, set[int]] = {"extract": set(), "story": set()}
        self._broker_lock = threading.Lock()
        self._rests_until = 0.0

    def strike(self, blow: Blow) -> None:
        """Do it and undo it; what is already struck is left alone."""
        lock = self.processes[blow.target].lock if "process" in blow.kind else self._broker_lock
        if blow.kind in {"cut", "delay"}:
            lock = contextlib.nullcontext()
        elif not lock.acquire(blocking=False):
            return
        else:
            lock = contextlib.closing(_Released(lock))
        with lock:
            if getattr(self, "_" + blow.kind.replace(" ", "_"))(blow) is not False:
                self.done[blow.kind] += 1

    def _kill_process(self, blow: Blow) -> None:
        process = self.processes[blow.target]
        process.kill()
        time.sleep(blow.lasts_s)
        process.start()

    def _roll_process(self, blow: Blow) -> None:
        """As a rolling upgrade does: only when all are ready."""
        until(lambda: all(one.ready for one in self.processes))
        process = self.processes[blow.target]
        process.service.process.terminate()
        self.rolled.append(process.service.process.wait(20))
        time.sleep(blow.lasts_s)
        process.start()

    def _hang_process(self, blow: Blow) -> None:
        self.processes[blow.target].hang(blow.lasts_s)

    def _kill_broker(self, blow: Blow) -> bool:
        if time.monotonic() < self._rests_until:
            return False
        broker = self.cluster.brokers[blow.target]
        broker.kill()
        time.sleep(blow.lasts_s)
        broker.start()
        self.cluster.wait()
        self._rests_until = time.monotonic() + BROKER_REST_S
        return True

    def _hang_broker(self, blow: Blow) -> None:
        self.cluster.brokers[blow.target].pause()
        time.sleep(blow.lasts_s)
        self.cluster.brokers[blow.target].resume()
        self._rests_until = time.monotonic() + BROKER_REST_S

    def _cut(self, blow: Blow) -> None:
        self.proxies[blow.target].cut()

    def _delay(self, blow: Blow) -> None:
        self.proxies[blow.target].delay_s = 0.02 * (1 + blow.lasts_s)
        time.sleep(blow.lasts_s)
        self.proxies[blow.target].delay_s = 0.0

    def tend_until(self, ending: threading.Event) -> None:
        """Tend to it all the time."""
        while not ending.wait(0.5):
            self.tend()

    def tend(self) -> None:
        """Start what ended by itself, as a supervisor does, and note the restores."""
        for process in self.processes:
            if process.lock.acquire(blocking=False):
                with contextlib.closing(_Released(process.lock)):
                    if process.ended:
                        self.ended_alone.append(process.said.read_text(errors="replace")[-300:])
                        process.start()
            self.longest_restore_s = max([self.longest_restore_s, *process.metric("tieup_restore_seconds").values()])
            for label, count in process.metric("tieup_tasks_running").items():
                for worker, served in self.served.items():
                    if count and f'"{worker}"' in label:
                        served.add(process.number)


@dataclass
class _Released:
    lock: threading.Lock

    def close(self) -> None:
        self.lock.release()


def run(trial: Trial, folder: Path, say: Callable[[str], None] = lambda _: None) -> Verdict:
    """Run one seed to its end and judge it."""
    (folder / "pairs.toml").write_text(gazetteer())
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
        processes = [Process(n, trial.command, env, folder) for n in range(trial.processes)]
        stack.callback(lambda: [process.kill() for process in processes])
        stage = Stage(cluster, proxies, processes)
        return _run(trial, stage, say)


def make_topics(servers: str, brokers: int) -> None:
    async def make() -> None:
        flags = {"log": f"kafka://{servers}", "partitions": str(PARTITIONS), "kafka.replication_factor": str(brokers)}
        async with await open_log(load_settings({}, flags)) as log:
            await log.create(CATALOGUE)

    asyncio.run(make())


def _run(trial: Trial, stage: Stage, say: Callable[[str], None]) -> Verdict:
    servers = stage.cluster.direct
    ids = {article_id(n): n for n in range(trial.records)}
    feeder, observer = Feeder(servers, trial.records, trial.rate, PARTITIONS), Observer(servers, ids)
    started = time.monotonic()
    tending = threading.Event()
    tender = threading.Thread(target=stage.tend_until, args=(tending,), daemon=True)
    for thread in (observer, feeder, tender):
        thread.start()
    blows = trial.blows or plan(trial.seed, trial.records / trial.rate, trial.processes, trial.brokers, trial.every_s)
    _strike(stage, blows, started, say)
    feeder.join()
    told, moved_at = -1, time.monotonic()
    while (now_told := observer.told) < trial.records and time.monotonic() - moved_at < SILENCE_S:
        told, moved_at = now_told, (moved_at if now_told == told else time.monotonic())
        time.sleep(0.5)
    took = time.monotonic() - started
    tending.set()
    tender.join()
    codes = _end(stage)
    time.sleep(1)
    observer.ending.set()
    observer.join()
    verdict = judged(trial.records, feeder, observer, servers, ids)
    verdict.more |= {
        "blows": dict(sorted(stage.done.items())),
        "restore_s": round(stage.longest_restore_s, 2),
        "seconds": round(took, 1),
        "ended_alone": stage.ended_alone,
        "exit_codes": codes + stage.rolled,
        "served": {worker: sorted(served) for worker, served in stage.served.items()},
        "refused": len(feeder.refused),
    }
    return verdict


def _strike(stage: Stage, blows: Sequence[Blow], started: float, say: Callable[[str], None]) -> None:
    running: list[threading.Thread] = []
    for blow in blows:
        while (left := started + blow.at_s - time.monotonic()) > 0:
            time.sleep(left)
        say(f"{blow.at_s:7.1f} s  {blow.kind} {blow.target} for {blow.lasts_s:.1f} s")
        running.append(threading.Thread(target=stage.strike, args=(blow,)))
        running[-1].start()
    for thread in running:
        thread.join()


def _end(stage: Stage) -> list[int | None]:
    """End all processes: those too that a late blow has just restarted, once they listen to signals."""
    with contextlib.suppress(Exception):
        until(lambda: all(one.ready for one in stage.processes))
    for process in stage.processes:
        process.service.process.terminate()
    for process in stage.processes:
        with contextlib.suppress(Exception):
            process.service.process.wait(20)
    return [process.service.process.poll() for process in stage.processes]


def judged(count: int, feeder: Feeder, observer: Observer, servers: str, ids: dict[str, int]) -> Verdict:
    """The verdict of a second reader, that reads everything when all is over, and of the live one."""
    final = {
        name: read_all(servers, topic, "read_committed", lambda message: seen(message, ids))
        for name, topic in (("relations", RELATIONS), ("events", EVENTS))
    }
    raw = read_all(servers, EVENTS, "read_uncommitted", lambda message: message.offset())
    assigned = set(read_all(servers, ASSIGNMENTS, "read_committed", lambda message: message.key().decode()))
    dead = read_all(servers, DEAD_LETTERS, "read_committed", lambda message: orjson.loads(message.value())["message"])
    found = faults(count, feeder.placed, final["relations"], final["events"], observer.seen)
    stall, p50, p99 = times(feeder.sent, observer.seen["events"])
    verdict = Verdict(found, round(stall, 1), round(p50, 2), round(p99, 2))
    verdict.more = {
        "aborted": len(raw) - len(final["events"]),
        "state_missing": len(ids.keys() - assigned),
        "dead": len(dead),
    }
    return verdict
