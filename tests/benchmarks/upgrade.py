"""A rolling upgrade under load: processes of an older version give way, one after the other, to those of this one.

    git worktree add ../older REVISION
    python -m tests.benchmarks.upgrade ../older [--records 3000] [--processes 3] [--back]

Numbered articles with a known truth come all the while; the judge of `make chaos` says what was lost, doubled, out of
order or taken back. One line of JSON. `--back` begins with this version and ends with the older one. Both run under
this Python, with the packages that this version needs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.chaos.kafka_run import PARTITIONS, Trial, judged
from tests.chaos.observer import Feeder, Observer
from tests.chaos.pairs import article_id, gazetteer
from tests.chaos.system import Process
from tests.kafka_broker import KafkaCluster
from tests.service import environment, until

HERE = Path(__file__).parents[2]
READY_S = 120.0
COMMAND = (sys.executable, "-m", "tieup")


def version(tree: Path, given: dict[str, str]) -> dict[str, str]:
    """The environment in which `tieup` is the tree's."""
    env = {**given, "PYTHONPATH": str(tree / "services")}
    ask = [sys.executable, "-c", "import tieup; print(tieup.__file__)"]
    found = subprocess.run(ask, env=env, capture_output=True, text=True, check=True).stdout
    assert Path(found).is_relative_to(tree), f"{found.strip()} is not of {tree}"
    return env


def upgrade(before: Path, after: Path, records: int, processes: int, folder: Path) -> dict[str, object]:
    """Replace all processes while articles come, and judge."""
    trial = Trial(0, records, brokers=1, processes=processes, rate=40.0)
    (folder / "pairs.toml").write_text(gazetteer(records))
    with KafkaCluster() as cluster:
        given = environment(
            log=f"kafka://{cluster.bootstrap}", partitions=str(PARTITIONS), gazetteer=str(folder / "pairs.toml")
        )
        old, new = version(before, given), version(after, given)
        subprocess.run([*COMMAND, "topics", "create"], env=old, cwd=folder, check=True, capture_output=True)
        running = [Process(number, COMMAND, trial.workers, old, folder) for number in range(processes)]
        try:
            until(lambda: all(one.ready for one in running), READY_S)
            ids = {article_id(n): n for n in range(records)}
            feeder, observer = (
                Feeder(cluster.direct, records, trial.rate, PARTITIONS),
                Observer(cluster.direct, ids, trial.judged),
            )
            observer.start()
            feeder.start()
            codes = []
            for number in range(processes):
                told = len(observer.told)
                until(lambda told=told: len(observer.told) > told + 100, READY_S)
                codes.append(running[number].end())
                running[number] = Process(processes + number, COMMAND, trial.workers, new, folder)
                until(lambda: all(one.ready for one in running), READY_S)
            under_way = feeder.is_alive()
            feeder.join()
            until(lambda: len(observer.told) == records, READY_S)
            codes += [one.end() for one in running]
        finally:
            for one in running:
                one.kill()
        observer.listen_out()
        verdict = judged(trial, feeder.sent, observer, cluster.direct, ids, time.monotonic())
    return {
        "records": records,
        "processes": processes,
        "under_load": under_way,
        "exit_codes": codes,
        **asdict(verdict.faults),
        "longest_stall": verdict.stall_s,
        "dead": verdict.more["dead"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.upgrade", description=__doc__.split("\n")[0])
    parser.add_argument("older", type=Path, help="a working tree of the older version")
    parser.add_argument("--records", type=int, default=3_000)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--back", action="store_true", help="from this version to the older one")
    given = parser.parse_args()
    ways = (given.older.resolve(), HERE)
    with tempfile.TemporaryDirectory() as folder:
        seen = upgrade(*(reversed(ways) if given.back else ways), given.records, given.processes, Path(folder))
    print(json.dumps(seen))
    faults = ("lost", "duplicated", "reordered", "aborted_visible", "dead")
    return 0 if seen["under_load"] and not any((*seen["exit_codes"], *(seen[name] for name in faults))) else 1


if __name__ == "__main__":
    sys.exit(main())
