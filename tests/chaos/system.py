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
from tests.chaos.proxy import END_TXN, INIT_PRODUCER_ID, OFFSET_FETCH, Proxy
from tests.kafka_broker import KafkaCluster, free_port
from tests.service import Service, until
from tieup.bootstrap import WORKERS

BROKER_REST_S = 8.0
"""After a broker is back the others are spared so long: a cluster of three may lose one at a time."""

START_S = 120.0
END_S = 60.0
TEND_S = 3.0
"""How long a blow waits for whoever only looks after a process."""
CATCH_S = 5.0
"""How long a hold or a refusal waits for the request that it is for."""


class Process:
    """One `tieup run`, started anew whenever it ends while it is `wanted`.

    All that is done to it is done by one thread at a time.
    """

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        workers: Sequence[str],
        env: dict[str, str],
        folder: Path,
        *,
        wanted: bool = True,
    ) -> None:
        self.port = free_port()
        self.lives = 0
        self.wanted = wanted
        self.service: Service | None = None
        self.lock = threading.Lock()
        self.number, self._folder, self._env = number, folder, env
        self._command = [*command, "run", *workers, "--http", f"127.0.0.1:{self.port}"]
        if wanted:
            self.start()

    def start(self) -> None:
        self.lives, self.wanted = self.lives + 1, True
        self.said = self._folder / f"process-{self.number}-{self.lives}.log"
        self.service = Service(self._command, self._env, self._folder, self.said)

    @property
    def ended(self) -> bool:
        return self.service is None or self.service.process.poll() is not None

    def kill(self) -> None:
        if self.service is not None:
            self.service.process.kill()
            self.service.process.wait()

    def end(self) -> int:
        """Ask it to end; returns its exit code."""
        self.service.process.terminate()
        return self.service.process.wait(END_S)

    def hang(self, seconds: float) -> None:
        self.service.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.service.process.send_signal(signal.SIGCONT)

    @property
    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as page:
                return page.status == 200
        except (OSError, HTTPException):
            return False

    def metric(self, name: str) -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as page:
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
        self.broken: list[Exception] = []
        self.longest_restore_s = 0.0
        self.rolled: list[int] = []
        self.served: dict[str, set[tuple[int, int]]] = {worker: set() for worker in WORKERS}  # process, life
        self._broker_lock = threading.Lock()
        self._hold_lock = threading.Lock()
        self._rests_until = 0.0

    def strike(self, blow: Blow) -> None:
        """Do it and undo it; what is already struck is left alone."""
        lock = self.processes[blow.target].lock if "process" in blow.kind else self._broker_lock
        if blow.kind in {"cut", "delay", "hold", "hold until asked", "refuse"}:
            lock = contextlib.nullcontext()
        elif not lock.acquire(timeout=TEND_S):
            return
        else:
            lock = contextlib.closing(_Released(lock))
        with lock:
            try:
                if getattr(self, "_" + blow.kind.replace(" ", "_"))(blow) is not False:
                    self.done[blow.kind] += 1
            except Exception as error:  # noqa: BLE001 - told to whoever runs the plan
                self.broken.append(error)

    def _kill_process(self, blow: Blow) -> None:
        process = self.processes[blow.target]
        process.kill()
        time.sleep(blow.lasts_s)
        process.start()

    def _roll_process(self, blow: Blow) -> None:
        """As a rolling upgrade does: only when all are ready."""
        self.until_ready()
        process = self.processes[blow.target]
        self._note(process)
        self.rolled.append(process.end())
        time.sleep(blow.lasts_s)
        process.start()

    def _start_process(self, blow: Blow) -> None:
        self.processes[blow.target].start()

    def _end_process(self, blow: Blow) -> None:
        self.until_ready()
        process = self.processes[blow.target]
        self._note(process)
        process.wanted = False
        self.rolled.append(process.end())

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

    def _hold_until_asked(self, blow: Blow) -> bool:
        """The same, but the broker has it as soon as a task that is opened has asked its first question: for its
        position, or for the former owner to be fenced, whichever it asks first.
        """
        if not self._hold_lock.acquire(blocking=False):
            return False
        with contextlib.closing(_Released(self._hold_lock)):
            proxy = self.proxies[blow.target]
            proxy.hold(END_TXN, after=(OFFSET_FETCH, INIT_PRODUCER_ID))
            if not proxy.held.wait(CATCH_S):
                proxy.hold_no_more()
                return False
            return proxy.passed_on.wait(END_S)

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

    def until_ready(self) -> None:
        """Wait until every process that is wanted is ready."""
        until(lambda: all(one.ready for one in self.processes if one.wanted), START_S)

    def end(self) -> list[int]:
        """End all processes, once they listen to signals; returns their exit codes."""
        self.until_ready()
        running = [process for process in self.processes if process.wanted]
        for process in running:
            process.service.process.terminate()
        return [process.service.process.wait(END_S) for process in running]

    def tend_until(self, ending: threading.Event) -> None:
        """Tend to it all the time."""
        while not ending.wait(0.5):
            self.tend()

    def tend(self) -> None:
        """Start what ended by itself, as a supervisor does, and note the restores; what is being struck is left."""
        for process in self.processes:
            if process.lock.acquire(blocking=False):
                with contextlib.closing(_Released(process.lock)):
                    if process.wanted and process.ended:
                        self.ended_alone.append(process.said.read_text(errors="replace")[-300:])
                        process.start()
                    if process.wanted:
                        self._note(process)

    def _note(self, process: Process) -> None:
        self.longest_restore_s = max([self.longest_restore_s, *process.metric("tieup_restore_seconds").values()])
        for label, count in process.metric("tieup_tasks_running").items():
            for worker, served in self.served.items():
                if count and f'"{worker}"' in label:
                    served.add((process.number, process.lives))


@dataclass
class _Released:
    lock: threading.Lock

    def close(self) -> None:
        self.lock.release()
