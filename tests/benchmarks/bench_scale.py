"""Many registered feeds measured: how long a start takes, what memory holds, what one poll costs beside so many.

    python -m tests.benchmarks.bench_scale [--feeds 100000] [--entries 50]

Two logs are made, one of 1,000 feeds and one of all, each feed with as many entries seen; each is then started in a
process of its own, which polls the same number of feeds. Nothing is asked over a network: a poll is answered by
`not modified` on the spot, so that what is left is the scheduling.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

FEW = 1_000
GOAL_START_S = 30.0
GOAL_BYTES = 1 << 30
MB = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="What so many registered feeds cost.")
    parser.add_argument("--feeds", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=50)
    asked = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for feeds in (FEW, asked.feeds):
            options = [f"--feeds={feeds}", f"--entries={asked.entries}", f"--path={Path(folder) / f'{feeds}.db'}"]
            found[feeds] = [step(name, options) for name in ("make", "start")]
    show(found, asked.entries)


def step(name: str, options: list[str]) -> dict:
    """Do one step in a process of its own, and return what it measured."""
    command = [sys.executable, "-m", "tests.benchmarks.scale", name, *options]
    return orjson.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def show(found: dict[int, list[dict]], entries: int) -> None:
    """Print the table, and the ratios with their goals."""
    print(f"feeds with {entries} entries seen each, on the embedded log")
    for feeds, (made, started) in found.items():
        print(
            f"{feeds:>9,} feeds: file {made['bytes'] / MB:,.0f} MB; start {started['start_s']:.1f} s"
            f" ({started['start_processor_s']:.1f} s of processor time), peak {started['peak'] / MB:,.0f} MB;"
            f" a poll {started['poll_us']:.0f} µs in the worker (wake, process, apply),"
            f" {started['service_us']:.0f} µs of processor time in the service"
        )
    (_, few), (_, many) = found.values()
    print(f"start: {many['start_s']:.1f} s (goal under {GOAL_START_S:g})")
    print(f"peak memory: {many['peak'] / MB:,.0f} MB (goal under {GOAL_BYTES / MB:,.0f})")
    print(f"a poll among many costs {many['poll_us'] / few['poll_us']:.2f} times one among few (goal 1)")


if __name__ == "__main__":
    main()
