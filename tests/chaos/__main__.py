"""`make chaos`: seeds on Kafka, kills on the embedded log, controls; a row of figures for each, as it ends.

python -m tests.chaos [--seeds 1-20] [--records 10000] [--kills 200] [--minutes 180] [--out build/chaos.jsonl]

The rows are kept in `--out` and shown as a table beside it (.md). A run that has its row with the same code is not done
again, so whatever stopped may be started anew; `--again` does it all the same.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tests.chaos import kafka_run, sqlite_run
from tests.chaos.controls import CONTROLS
from tests.chaos.kafka_run import Trial
from tests.chaos.processor_time import Share
from tests.chaos.rows import HEAD, STALL_S, Place, Row, Rows, cells, code
from tests.kafka_broker import KafkaMissing

EMBEDDED_RECORDS = 12_000
CONTROL_KILLS = 10
BAD = ("state_missing", "dead", "refused", "renamed", "unheard")
"""Counts of a verdict that must be zero, beside the four faults."""


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1-20", help="N or N-M; 0 for none")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0, help="articles a second")
    parser.add_argument(
        "--part", action="store_true", help="only extract and story, on articles that the harness appends"
    )
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--kills", type=int, default=200, help="on the embedded log, after the seeds; 0 for none")
    parser.add_argument(
        "--controls",
        choices=("after", "only", "no"),
        default="after",
        help="runs with a guard switched off: a fault must be found",
    )
    parser.add_argument("--minutes", type=float, default=180.0, help="no further run is begun after that")
    parser.add_argument("--out", type=Path, default=Path("build/chaos.jsonl"), help="where the rows are kept")
    parser.add_argument("--again", action="store_true", help="also what has its row already")
    parser.add_argument("--keep", type=Path, help="a folder for what the processes of faulty runs said")
    return parser


@dataclass(frozen=True, slots=True)
class Run:
    """One run that is asked for: the place of its row, and what makes the row."""

    place: Place
    make: Callable[[Path], Row]
    control: bool = False


def main() -> int:
    given = options().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # brokers and processes are ended on the way out
    kept, digest, bad = Rows(given.out), code(), 0
    ends_at = time.monotonic() + 60 * given.minutes
    show(HEAD)
    for run in asked_for(given):
        row = None if given.again else kept.find(run.place, digest)
        if row is None and time.monotonic() > ends_at:
            print(f"the time is over: {run.place} was not run", flush=True)
            bad += 1
            continue
        if row is None:
            try:
                row = in_a_folder(run, given.keep)
            except (KafkaMissing, AssertionError) as error:
                print(f"no verdict on {run.place}: {str(error)[:300]}", flush=True)
                bad += 1
                continue
            kept.add(row)
        show(cells(row))
        bad += not row.of_the_four if run.control else bool(row.faults) or row.stall_s > STALL_S
    return 1 if bad else 0


def asked_for(given: argparse.Namespace) -> Iterator[Run]:
    """The seeds, the embedded log, the controls."""
    first, _, last = given.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1) if first != "0" else range(0)
    if given.controls != "only":
        for seed in seeds:
            trial = Trial(seed, given.records, given.brokers, rate=given.rate, whole=not given.part)
            yield Run((named(trial), seed, given.records, given.brokers), partial(on_kafka, trial))
        if given.kills:
            kills = partial(embedded, max(1, seeds.start), given.kills, whole=not given.part)
            name = "embedded, two workers" if given.part else "embedded"
            yield Run((name, max(1, seeds.start), records_for(given.kills), 0), kills)
    if given.controls != "no":
        for one in CONTROLS:
            trial = one.trial()
            place = (named(trial), trial.seed, trial.records, trial.brokers)
            yield Run(place, partial(on_kafka, trial), control=True)
        for guard in sqlite_run.GUARDS:
            place = (f"embedded, two workers, without {guard}", 1, records_for(CONTROL_KILLS), 0)
            yield Run(place, partial(embedded, 1, CONTROL_KILLS, without=guard), control=True)


def in_a_folder(run: Run, keep: Path | None) -> Row:
    """Run it; what the processes said is kept if there are faults or the stall was too long."""
    with tempfile.TemporaryDirectory(prefix="tieup-chaos-") as folder:
        row = run.make(Path(folder))
        if keep and (row.faults or row.stall_s > STALL_S):
            shutil.copytree(folder, keep / f"{time.time():.0f}", dirs_exist_ok=True)
    return row


def on_kafka(trial: Trial, folder: Path) -> Row:
    """One seed on Kafka."""
    verdict = kafka_run.run(trial, folder, say)
    say(f"      {verdict.more}")
    found, more = verdict.faults, dict(verdict.more)
    return Row(
        *(named(trial), trial.seed, trial.records, trial.brokers, code(), more.pop("blows")),
        *(found.lost, found.duplicated, found.reordered, found.aborted_visible),
        *(verdict.stall_s, more.pop("restore_s"), verdict.p50_s, verdict.p99_s, more.pop("seconds")),
        *(more.pop("others"), more.pop("ended")),
        faulty=tuple(what for what in BAD if more.get(what)),
        more=more,
    )


def named(trial: Trial) -> str:
    """What a trial's row is called."""
    name = "kafka" if trial.whole else "kafka, two workers"
    return f"{name}, without {trial.without}" if trial.without else name


def records_for(kills: int) -> int:
    """Enough articles that each kill has work to interrupt."""
    return min(EMBEDDED_RECORDS, kills * 50)


def embedded(seed: int, kills: int, folder: Path, *, whole: bool = False, without: str | None = None) -> Row:
    """Kill the service on an embedded log so often."""
    share = Share()
    outcome = sqlite_run.run(seed, kills, records_for(kills), folder, say=say, whole=whole, without=without)
    found, heard = outcome.faults, asdict(outcome.heard) if outcome.heard else {}
    name = "embedded" if whole else "embedded, two workers"
    return Row(
        *(f"{name}, without {without}" if without else name, seed, records_for(kills), 0, code()),
        *({"kill process": outcome.kills}, found.lost, found.duplicated, found.reordered, found.aborted_visible),
        seconds=outcome.seconds,
        others=round(share.of_others(), 2),
        faulty=(
            *(() if outcome.integrity == "ok" else (outcome.integrity,)),
            *(what for what in BAD if heard.get(what)),
        ),
        more={"idle_kills": outcome.idle_kills, **heard},
    )


def show(line: tuple[str, ...]) -> None:
    print("  ".join(cell.rjust(len(name)) for cell, name in zip(line, HEAD, strict=True)), flush=True)


def say(text: str) -> None:
    """What happens meanwhile, on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
