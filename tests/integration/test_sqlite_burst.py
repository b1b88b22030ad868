"""A burst before a slow consumer and before a slow disk, in a process of its own, so that its memory can be told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def burst(records, slow, *more):
    command = [sys.executable, "-m", "tests.benchmarks.burst", "--records", f"{records}", "--slow", slow, *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("slow", "records"), [("worker", 10_000), ("disk", 6_000)])
def test_a_burst_takes_bounded_memory_shows_its_lag_and_keeps_its_order(slow, records):
    seen = burst(records, slow)
    assert seen["in_order"]
    assert seen["largest_lag"] > records / 3
    assert seen["memory_mib"] < seen["burst_mib"] / 2, seen


def test_without_the_bound_of_a_batch_a_burst_takes_its_memory():
    """The control."""
    seen = burst(6_000, "worker", "--unbounded")
    assert seen["memory_mib"] > seen["burst_mib"] / 2, seen
