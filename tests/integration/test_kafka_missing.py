"""Without a Kafka to test against, the tests say so: skipped with a loud closing line, failed where CI=true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(("ci", "code", "word", "jobs"), [("", 0, "SKIPPED", 0), ("true", 1, "FAILED", 1)])
def test_a_missing_java_is_said_in_a_closing_line(tmp_path, ci, code, word, jobs):
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    environment.pop("TIEUP_TEST_KAFKA", None)
    tests = "tests/integration/test_kafka_transactions.py"
    command = [sys.executable, "-m", "pytest", tests, "-q", f"-n{jobs}", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    *_, line, _count = done.stdout.splitlines()
    assert line == f"KAFKA TESTS {word}, the Kafka log is NOT tested: no java (17 or newer)"
