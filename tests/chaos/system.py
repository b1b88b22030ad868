"""The running system of one trial: several `tieup run`, brokers behind proxies, and the blows that they take."""

import contextlib
import re
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tests.chaos.plan import Blow
from tests.chaos.proxy import END_TXN, Proxy
from tests.kafka_broker import KafkaCluster, free_port
from tests.service import Service, until

BROKER_REST_S = 8.0
"""After a broker is back the others are spared so long: a cluster of three may lose one at a time."""

CATCH_S = 5.0
"""How long a hold or a refusal waits for the request that it is for."""


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


class System:
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
        if blow.kind in {"cut", "delay", "hold", "refuse"}:
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

    def _hold(self, blow: Blow) -> bool:
        """Break the connection of the next end of a transaction, and let the broker have it later."""
        proxy = self.proxies[blow.target]
        proxy.hold(END_TXN)
        if not proxy.held.wait(CATCH_S):
            proxy.hold_no_more()
            return False
        time.sleep(blow.lasts_s)
        proxy.let_go()
        return True

    def _refuse(self, blow: Blow) -> bool:
        """Refuse one append of the workers."""
        proxy = self.proxies[blow.target]
        proxy.refuse()
        caught = proxy.refused.wait(CATCH_S)
        proxy.refuse_no_more()
        return caught

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
