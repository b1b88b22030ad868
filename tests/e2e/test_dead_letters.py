"""`tieup dead-letters` on both logs: what was poison is listed, shown, and goes back to where it came from."""

import json
from pathlib import Path

import pytest
from tests.e2e.test_run import append, on_log, values
from tests.sagas import saga_records
from tests.service import environment, tieup

from tieup.cli.reading import read_from
from tieup.log.base import NewRecord
from tieup.log.dead_letters import dead_letter
from tieup.log.topics import ARTICLES, DEAD_LETTERS, EVENTS


def letter_of(record: NewRecord, offset: int) -> NewRecord:
    """The dead letter of an article that a worker could not use for a while."""
    return dead_letter(
        ARTICLES, 0, offset, record.key, record.value, ValueError("out of sorts"), "extract", saga_at(record)
    )


def saga_at(record: NewRecord):
    from tieup.model.codec import from_millis

    return from_millis(record.timestamp)


def articles(url: str) -> list:
    async def work(log):
        return [r async for r in read_from(log, ARTICLES, "begin", follow=False)]

    return on_log(url, work)


def test_a_letter_that_can_be_used_now_is_retried_and_one_that_cannot_stays(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tieup.db'}"
    good, later = saga_records(8), saga_records(9)[8]
    append(url, [*good, NewRecord(ARTICLES, b"not-json", b"\xff{", 1_000), letter_of(later, 9)])
    env = environment(log=url)
    assert tieup(["run", "extract", "story", "--once"], env, tmp_path).returncode == 0
    listed = tieup(["dead-letters", "list", "--json"], env, tmp_path)
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["place"], row["error"], row["offset"]) for row in rows] == [
        ("0:0", "ValueError", 9),
        ("0:1", "BadRecord", 8),
    ]
    shown = json.loads(tieup(["dead-letters", "show", "0:1"], env, tmp_path).stdout)
    assert shown["encoding"] == "base64"
    assert shown["key"] == "not-json"
    before = len(values(url, EVENTS))
    done = tieup(["dead-letters", "retry", "--all", "--json"], env, tmp_path)
    assert json.loads(done.stdout) == {"retried": ["0:0", "0:1"], "refused": []}
    again = articles(url)[-2:]
    assert [(r.key, r.value, r.timestamp) for r in again] == [
        (later.key, later.value, later.timestamp),
        (b"not-json", b"\xff{", 1_000),
    ]
    assert [dict(r.headers)["tieup-retry-of"] for r in again] == [b"0:0", b"0:1"]
    assert tieup(["run", "extract", "story", "--once"], env, tmp_path).returncode == 0
    assert len(values(url, EVENTS)) == before + 1
    assert [(one["error"], one["key"]) for one in values(url, DEAD_LETTERS)][2:] == [("BadRecord", "not-json")]
    assert tieup(["dead-letters", "retry", "0:0"], env, tmp_path).returncode == 0
    assert tieup(["run", "extract", "story", "--once"], env, tmp_path).returncode == 0
    assert len(values(url, EVENTS)) == before + 1, "a retry of what was taken in meanwhile tells nothing new"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["retry"], "--all"),
        (["retry", "0:7"], "0:7"),
        (["retry", "0:0", "--all"], "--all"),
        (["show", "9:9"], "9:9"),
    ],
)
def test_wrong_use_is_said_in_one_line(tmp_path: Path, arguments: list[str], word: str) -> None:
    url = f"sqlite:///{tmp_path / 'tieup.db'}"
    append(url, [letter_of(saga_records(1)[0], 0)])
    done = tieup(["dead-letters", *arguments], environment(log=url), tmp_path)
    assert done.returncode == 2
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1
