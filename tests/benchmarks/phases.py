"""The work that both sides do: rounds of polls over the same feeds, and how each is timed."""

import argparse
import os
import resource
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

KINDS = ("new", "not modified", "same body")


@dataclass(frozen=True, slots=True)
class Work:
    """`feeds` feeds of `entries` entries; each of `rounds` rounds brings them all anew."""

    port: int
    feeds: int
    entries: int
    rounds: int
    folder: Path

    @property
    def urls(self) -> list[str]:
        """Every feed has a loopback address of its own, as feeds of the web have hosts of their own."""
        return [
            f"http://127.{1 + n // 62_500}.{n // 250 % 250}.{1 + n % 250}:{self.port}/feed/{n}"
            for n in range(self.feeds)
        ]

    def begin(self, number: int, *, validators: bool) -> None:
        """Tell the server what to serve from now on."""
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/set?round={number}&validators={int(validators)}").close()


@dataclass(slots=True)
class Timed:
    """What was measured: seconds and processor seconds by kind of round (worker processes included), resident bytes
    after each round and what of them a side remembers of entries on purpose (None: nobody asks), and more by
    name."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    processor: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    resident: list[int] = field(default_factory=list)
    remembered: list[int] | None = field(default_factory=list)
    more: dict[str, object] = field(default_factory=dict)

    @contextmanager
    def round(self, kind: str) -> Iterator[None]:
        """Time a round."""
        started, before = time.perf_counter(), processor_seconds()
        yield
        self.seconds[kind].append(time.perf_counter() - started)
        self.processor[kind].append(processor_seconds() - before)
        self.resident.append(resident_bytes())

    def report(self) -> None:
        """Write everything to standard output."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        found = {
            "seconds": self.seconds,
            "processor": self.processor,
            "resident": self.resident,
            "remembered": self.remembered,
            "peak": peak,
            "worker_peak": workers,
            **self.more,
        }
        print(orjson.dumps(found).decode(), flush=True)


def processor_seconds() -> float:
    """Return the processor time of this process, its children that ended, and those that run."""
    used = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def resident_bytes() -> int:
    """This process's resident memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def read_work() -> Work:
    """Return the work that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("port", "feeds", "entries", "rounds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    return Work(asked.port, asked.feeds, asked.entries, asked.rounds, asked.folder)
