"""`make chaos`: seeds on Kafka, then kills on the embedded log; a line of figures for each, as it ends.

python -m tests.chaos [--seeds 1-20] [--records 10000] [--kills 200] [--minutes 60] [--out FILE]
"""

import argparse
import dataclasses
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import orjson

from tests.chaos import kafka_run, sqlite_run
from tests.chaos.judge import Verdict
from tests.chaos.unguarded import GUARDS

FORM = (
    "{seed:>5} {records:>7} {blows:>5} {lost:>5} {doubled:>8} {order:>10} {aborted:>8} "
    "{stall:>6} {restore:>8} {p50:>6} {p99:>6}"
)
HEAD = {
    "seed": "seed", "records": "records", "blows": "blows", "lost": "lost", "doubled": "doubled",
    "order": "reordered", "aborted": "ab.-vis.", "stall": "stall", "restore": "restore", "p50": "p50", "p99": "p99",
}  # fmt: skip


def line(seed: int, records: int, verdict: Verdict) -> str:
    """The figures of one run; times in seconds."""
    found = verdict.faults
    return FORM.format(
        seed=seed,
        records=records,
        blows=sum(verdict.more["blows"].values()),
        lost=found.lost,
        doubled=found.duplicated,
        order=found.reordered,
        aborted=found.aborted_visible,
        stall=verdict.stall_s,
        restore=verdict.more["restore_s"],
        p50=verdict.p50_s,
        p99=verdict.p99_s,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1-20", help="N or N-M; 0 for none")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--without", choices=GUARDS, help="a control: switch a guard off; a fault must be found")
    parser.add_argument("--minutes", type=float, default=90.0, help="no further seed is begun after that")
    parser.add_argument("--out", type=Path, help="a file to which each verdict is added as a line of JSON")
    parser.add_argument("--keep", type=Path, help="a folder for what the processes of failed seeds said")
    parser.add_argument("--kills", type=int, default=200, help="on the embedded log, after the seeds; 0 for none")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # brokers and processes are ended on the way out
    ends_at, bad = time.monotonic() + 60 * options.minutes, 0
    print(FORM.format(**HEAD), flush=True)
    seeds = range(int(first), int(last or first) + 1) if first != "0" else range(0)
    for seed in seeds:
        if time.monotonic() > ends_at:
            print(f"the time is over: seeds {seed} to {last} were not run", flush=True)
            break
        with tempfile.TemporaryDirectory(prefix="tieup-chaos-") as folder:
            trial = kafka_run.Trial(seed, options.records, options.brokers, rate=options.rate)
            if options.without:
                command = (sys.executable, "-m", "tests.chaos.unguarded", options.without)
                trial = dataclasses.replace(trial, command=command)
            verdict = kafka_run.run(trial, Path(folder), say)
            print(line(seed, options.records, verdict), flush=True)
            print(f"      {verdict.more}", file=sys.stderr, flush=True)
            failed = bool(verdict.faults) or verdict.more["state_missing"] > 0
            if failed and options.keep:
                shutil.copytree(folder, options.keep / str(seed), dirs_exist_ok=True)
        bad += failed
        if options.out:
            with options.out.open("ab") as file:
                file.write(orjson.dumps({"seed": seed, **dataclasses.asdict(verdict)}) + b"\n")
    if options.without:
        return 0 if bad else 1
    if options.kills:
        bad += not embedded(int(first), options.kills)
    return 1 if bad else 0


def embedded(seed: int, kills: int) -> bool:
    """Kill the service on an embedded log so often; print the figures and return whether there was no fault."""
    with tempfile.TemporaryDirectory(prefix="tieup-chaos-") as folder:
        outcome = sqlite_run.run(seed, kills, min(12_000, kills * 50), Path(folder), say=say)
    found = outcome.faults
    print(
        f"embedded log, seed {seed}: {outcome.kills} kills ({outcome.idle_kills} before its first commit), "
        f"lost {found.lost}, doubled {found.duplicated}, reordered {found.reordered}, "
        f"aborted-visible {found.aborted_visible}, integrity {outcome.integrity}, {outcome.seconds} s",
        flush=True,
    )
    return not found and outcome.integrity == "ok"


def say(text: str) -> None:
    """What happens meanwhile, on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
