"""The installed command, run as a user or a container platform runs it: processes, signals, exit codes."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

TIEUP = str(Path(sys.executable).parent / "tieup")
END_S = 60.0


def environment(hash_seed: str = "random", **settings: str) -> dict[str, str]:
    """This process's environment without its own settings, plus the given ones (`log` is TIEUP_LOG)."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TIEUP_")}
    given = {f"TIEUP_{name.upper()}": value for name, value in settings.items()}
    return {**own, **given, "PYTHONHASHSEED": hash_seed, "PYTHONWARNINGS": "default"}


def tieup(arguments: Sequence[str], env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [TIEUP, *arguments], env=env, cwd=cwd, capture_output=True, text=True, timeout=END_S, check=False
    )


class Service:
    """The command in the background; what it says on standard error goes to a file, so that it never waits for us."""

    def __init__(self, command: Sequence[str], env: dict[str, str], cwd: Path, said: Path) -> None:
        self._said = said
        with said.open("w") as file:
            self.process = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=file)

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._said.read_text(errors="replace")

    def end(self, number: int = signal.SIGTERM, within_s: float = 10.0) -> float:
        """Send a signal and wait; returns the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=within_s)
        return time.monotonic() - started


@contextmanager
def running(arguments: Sequence[str], env: dict[str, str], cwd: Path, before: Sequence[str] = ()) -> Iterator[Service]:
    """Start the command in the background, `before` standing before it; it is killed at the end if it still runs."""
    handle, name = tempfile.mkstemp(suffix=".log", dir=cwd)
    os.close(handle)
    service = Service([*before, TIEUP, *arguments], env, cwd, Path(name))
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait()


def until(found: Callable[[], T], within_s: float = 40.0) -> T:
    """Ask again and again until the answer is true; AssertionError if it never is."""
    ends_at = time.monotonic() + within_s
    while time.monotonic() < ends_at:
        result = found()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def said_url(service: Service) -> str:
    """The address of health and metrics, from the log line that tells it."""
    return until(lambda: re.search(r"health and metrics on (http://\S+)", service.said))[1]
