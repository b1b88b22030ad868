"""A burst before a slow consumer and before a slow disk, in a process of its own, so that its memory can be told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(("slow", "records"), [("worker", 25_000), ("disk", 15_000)])
def test_a_burst_takes_bounded_memory_shows_its_lag_and_keeps_its_order(slow, records):
    command = [sys.executable, "-m", "tests.benchmarks.burst", "--records", f"{records}", "--slow", slow]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    seen = json.loads(done.stdout)
    assert seen["in_order"]
    assert seen["largest_lag"] > records / 3
    assert seen["memory_mib"] < seen["burst_mib"] / 2, seen
