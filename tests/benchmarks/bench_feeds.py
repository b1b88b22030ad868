"""Fetching measured: tieup and lemon24/reader do the same work in one run, each in a process of its own.

    python -m tests.benchmarks.bench_feeds [--full]

By default 200 feeds and four rounds; `--full` is 2,000 feeds of 50 entries and ten rounds.

Either side does it as it comes. Connections: reader's session keeps those to ten hosts, and only during one update;
tieup keeps 256 for five seconds. So 200 feeds that were polled a moment ago have their connections when tieup asks for
them again, as no feed has that is polled by the hour; with 2,000 both make a new one for each poll, and that is where
answers of 304 are compared like with like. Storing: both commit what a feed brought to SQLite, reader feed by feed in
WAL mode, tieup many outcomes at once, each on the disk before it counts. Beginning: reader is called, tieup
looks for what is due four times a second, so that up to 0.25 s of a round are waiting.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import orjson

GOALS = {"new": 6.0, "not modified": 5.0}
MB = 1_000_000
SETTING = {"MALLOC_ARENA_MAX": "2"}  # as in the image


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetching, side by side with reader.")
    parser.add_argument("--full", action="store_true", help="2,000 feeds, ten rounds")
    parser.add_argument("--feeds", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--only", choices=("tieup", "reader"))
    asked = parser.parse_args()
    feeds = asked.feeds or (2_000 if asked.full else 200)
    rounds = asked.rounds or (10 if asked.full else 4)
    sides = [asked.only] if asked.only else ["tieup", "reader"]
    # A round of reader's takes so long that its memory over many is not asked for.
    found = {side: measure(side, feeds, asked.entries, rounds if side == "tieup" else 1) for side in sides}
    show(found, feeds, asked.entries)


def measure(side: str, feeds: int, entries: int, rounds: int) -> dict:
    """Start a server and a side, and return what the side measured."""
    command = [sys.executable, "-m", "tests.benchmarks.server", "--entries", str(entries)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        port = server.stdout.readline().decode().strip()
        options = {"port": port, "feeds": feeds, "entries": entries, "rounds": rounds, "folder": folder}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        module = f"tests.benchmarks.with_{side}"
        try:
            whole = [sys.executable, "-m", module, *arguments]
            done = subprocess.run(whole, stdout=subprocess.PIPE, env=os.environ | SETTING, check=True)
        finally:
            server.stdin.close()
            server.terminate()
        files = sum(file.stat().st_size for file in Path(folder).iterdir())
    return orjson.loads(done.stdout) | {"files": files}


def show(found: dict[str, dict], feeds: int, entries: int) -> None:
    """Print the table, and the ratios with their goals."""
    print(f"{feeds} feeds of {entries} entries; medians of the rounds")
    for base, words in (("seconds", ""), ("processor", " of processor time")):
        rates = {side: _rates(timed, base, feeds, entries) for side, timed in found.items()}
        for kind, unit in (("new", "entries/s"), ("not modified", "polls/s"), ("same body", "polls/s")):
            values = "  ".join(f"{side} {rate[kind]:>9,.0f}" for side, rate in rates.items())
            print(f"{kind:<13} {unit + words:<27} {values}  {_ratio(rates, kind)}")
    for side, timed in found.items():
        resident = " ".join(f"{value / MB:.0f}" for value in timed["resident"])
        print(f"{side}: peak {timed['peak'] / MB:.0f} MB, resident after each round {resident} MB", end="")
        if timed["remembered"]:
            rest = (whole - part for whole, part in zip(timed["resident"], timed["remembered"], strict=True))
            print(f" (all but the entries remembered: {' '.join(f'{value / MB:.0f}' for value in rest)} MB)", end="")
        print(f", a worker process at most {timed['worker_peak'] / MB:.0f} MB, files {timed['files'] / MB:.0f} MB")
    for side, timed in found.items():
        lag = {name: value for name, value in timed.items() if name.startswith("loop") or name == "entries"}
        print(f"{side}: {lag}")


def _rates(timed: dict, base: str, feeds: int, entries: int) -> dict[str, float]:
    seconds = {kind: median(values) for kind, values in timed[base].items()}
    return {kind: feeds * (entries if kind == "new" else 1) / value for kind, value in seconds.items()}


def _ratio(rates: dict[str, dict[str, float]], kind: str) -> str:
    if len(rates) < 2:
        return ""
    goal = f" (goal {GOALS[kind]:g})" if kind in GOALS else ""
    return f"{rates['tieup'][kind] / rates['reader'][kind]:.1f} times{goal}"


if __name__ == "__main__":
    main()
