"""`schemas/asyncapi.yaml` says what the code does, and the public AsyncAPI parser finds nothing wrong with it."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest
from ruamel.yaml import YAML

from tieup.log.topics import BY_NAME, Topic

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
DOCUMENT = SCHEMAS / "asyncapi.yaml"
TOOL = Path(__file__).parent / "asyncapi"
NEWER_EXISTS = "asyncapi-latest-version"  # 3.0 is what generators read today


@pytest.fixture(scope="module")
def document() -> dict:
    return YAML(typ="safe").load(DOCUMENT)


def public_topics() -> set[str]:
    """The topics that schemas/README.md opens to others and that are in use."""
    table = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(tieup\.[^`]+)` \| (.*) \| in use \|$", table, re.MULTILINE)
    return {topic for topic, readers in rows if "everyone" in readers or "clients" in readers}


def policy(topic: Topic) -> dict:
    cleanup = {"cleanup.policy": ["compact"] if topic.compact else ["delete"]}
    if topic.compact and topic.retention_ms is None:
        return cleanup
    return cleanup | {"retention.ms": -1 if topic.retention_ms is None else topic.retention_ms}


def test_every_public_topic_is_a_channel_and_no_other(document: dict) -> None:
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == public_topics()
    assert len(addresses) == len(document["channels"])


def test_each_channel_is_the_topic_as_the_code_creates_it(document: dict) -> None:
    for channel in document["channels"].values():
        topic, kafka = BY_NAME[channel["address"]], channel["bindings"]["kafka"]
        assert kafka["topic"] == topic.name
        assert kafka.get("partitions") == (1 if topic.single else None)
        assert kafka["topicConfiguration"] == policy(topic)


def test_each_payload_is_the_topics_schema(document: dict) -> None:
    for channel in document["channels"].values():
        ((_, reference),) = channel["messages"].items()
        message = document["components"]["messages"][reference["$ref"].rpartition("/")[2]]
        assert message["payload"]["schema"] == {"$ref": f"./{channel['address']}.json"}
        schema = orjson.loads((SCHEMAS / message["payload"]["schema"]["$ref"]).read_bytes())
        assert message["title"] == schema["title"]
        assert message["payload"]["schemaFormat"].endswith("draft-2020-12")


def test_each_channel_has_an_operation(document: dict) -> None:
    used = {operation["channel"]["$ref"] for operation in document["operations"].values()}
    assert used == {f"#/channels/{name}" for name in document["channels"]}


@pytest.fixture(scope="session")
def parser() -> Path:
    """The public parser, installed once into `tests/.cache` as its lock file says."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NOT CHECKED: the AsyncAPI parser needs node and npm")
    lock = (TOOL / "package-lock.json").read_bytes() + (TOOL / "check.mjs").read_bytes()
    installed = ROOT / "tests" / ".cache" / f"asyncapi-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not installed.exists():
        fresh = installed.with_suffix(f".{os.getpid()}")
        shutil.copytree(TOOL, fresh)
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            shutil.rmtree(fresh)
            pytest.skip("NOT CHECKED: the AsyncAPI parser cannot be installed: " + done.stderr.strip()[-200:])
        try:
            fresh.rename(installed)
        except OSError:  # another test process was quicker
            shutil.rmtree(fresh)
    return installed / "check.mjs"


def findings(parser: Path, document: Path) -> tuple[bool, list[dict]]:
    command = ["node", str(parser), str(document)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    report = orjson.loads(done.stdout)
    return report["readable"], [found for found in report["found"] if found["code"] != NEWER_EXISTS]


@pytest.mark.slow
def test_the_public_parser_finds_nothing(parser: Path) -> None:
    assert findings(parser, DOCUMENT) == (True, [])


@pytest.mark.slow
def test_the_public_parser_finds_a_fault(parser: Path, tmp_path: Path) -> None:
    """Else the test before would say nothing."""
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    broken = tmp_path / "schemas" / "asyncapi.yaml"
    text = broken.read_text(encoding="utf-8")
    broken.write_text(text.replace("./tieup.stories.v1.json", "./gone.json"), encoding="utf-8")
    readable, found = findings(parser, broken)
    assert not readable
    assert [fault["code"] for fault in found] == ["invalid-ref"]
