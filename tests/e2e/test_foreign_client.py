"""A client that knows nothing of tieup reads its events: kcat, on a real Kafka."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.service import environment, tieup

from tieup.log.topics import EVENTS


@pytest.mark.kafka
def test_a_foreign_client_reads_the_events(own_kafka, tmp_path: Path) -> None:
    if shutil.which("kcat") is None:
        pytest.skip("NOT CHECKED: kcat is not installed (Debian package kcat)")
    url = f"kafka://{own_kafka.bootstrap}"
    demo = tieup(["demo", "--log", url], environment(partitions="1"), tmp_path)
    assert demo.returncode == 0, demo.stderr
    command = ["kcat", "-C", "-b", own_kafka.bootstrap, "-t", EVENTS, "-o", "beginning", "-e", "-q", "-J"]
    read = subprocess.run(command, capture_output=True, timeout=60, check=True)
    records = [json.loads(line) for line in read.stdout.splitlines()]
    assert len(records) > 5
    for record in records:
        headers = dict(zip(record["headers"][::2], record["headers"][1::2], strict=True))
        event = json.loads(record["payload"])
        assert headers["ce_specversion"] == "1.0"
        assert headers["content-type"] == "application/json"
        assert headers["ce_type"] == f"tieup.{event['type']}.v1"
        assert headers["ce_subject"] == record["key"] == event["story_id"]
        assert {"ce_id", "ce_source", "ce_time", "ce_dataschema", "traceparent"} <= headers.keys()
    assert len({dict(zip(r["headers"][::2], r["headers"][1::2], strict=True))["ce_id"] for r in records}) == len(
        records
    )
