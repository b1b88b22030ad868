"""The operator's hand and a replay, as a user has them: stories split, merged and freed, and built anew beside."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from tests.sagas import START, saga_records
from tests.service import environment, tieup

from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE


async def fill(path: Path) -> None:
    async with await SqliteLog.open(path, exclusive=False, partitions=1) as log:
        await log.create(CATALOGUE)
        await log.append(saga_records(16))


def test_corrections_are_carried_out_and_replayed(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "log.db"))
    env = environment(log=f"sqlite:///{tmp_path / 'log.db'}", http="off")

    def call(*arguments: str) -> str:
        done = tieup(arguments, env, tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stories() -> dict[str, dict]:
        rows = [json.loads(line) for line in call("stories", "--all", "--json").splitlines()]
        return {row["id"]: row for row in rows}

    call("run", "extract", "story", "--once")
    (one, first), (other, _), (third, _), *_ = stories().items()
    call("stories", "split", one[:12], first["articles"][-1]["article_id"][:12], "--reason", "another plant")
    call("stories", "retract", other, "--reason", "a hoax")
    call("stories", "merge", third, one, "--reason", "one deal")
    call("run", "story", "--once")
    found = stories()
    assert len(found) == 5
    assert found[other]["withdrawn"]
    assert found[third]["merged_into"] == one
    assert found[one]["article_count"] == 7
    assert json.loads(call("story", third, "--json"))["id"] == one
    call("replay", "--suffix", "again")
    changes = [json.loads(line) for line in call("diff", "--suffix", "again", "--json").splitlines()]
    assert {change["field"] for difference in changes for change in difference["changes"]} <= {"events"}
    begin = START + timedelta(hours=8)  # half of the sixteen articles
    call("replay", "--suffix", "late", "--from", f"{begin:%Y-%m-%dT%H:%M}")
    late = [json.loads(line) for line in call("diff", "--suffix", "late", "--json").splitlines()]
    assert sum(difference["lost"] for difference in late) > 0
