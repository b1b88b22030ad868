"""A burst before a slow consumer, in a process of its own, so that its memory can be told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_a_burst_takes_bounded_memory_shows_its_lag_and_keeps_its_order():
    command = [sys.executable, "-m", "tests.benchmarks.burst", "--records", "25000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    seen = json.loads(done.stdout)
    assert seen["in_order"]
    assert seen["largest_lag"] > 10_000
    assert seen["memory_mib"] < seen["burst_mib"] / 2, seen
