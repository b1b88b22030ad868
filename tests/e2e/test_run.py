"""`tieup run` as a platform runs it: health, signals, and what it says of bad input, without losing the rest."""

import re
from pathlib import Path

import httpx
from tests.feed_server import item, rss, served_by_a_thread
from tests.logs import append, values
from tests.sagas import saga_records
from tests.service import environment, running, said_url, tieup, until

from tieup.log.base import NewRecord
from tieup.log.topics import ARTICLES, DEAD_LETTERS, EVENTS

METRICS = Path(__file__).parents[2] / "docs" / "metrics.md"


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'tieup.db'}"


def test_it_tells_its_health_and_is_copied_while_it_runs_and_ends_soon_after_sigterm(tmp_path: Path) -> None:
    append(sqlite(tmp_path), saga_records(20))
    env = environment(log=sqlite(tmp_path), http="127.0.0.1:0")
    with running(["run"], env, tmp_path) as service:
        url = said_url(service)
        until(lambda: httpx.get(f"{url}/readyz").status_code == 200)
        until(
            lambda: (
                'tieup_records_in_total{topic="tieup.relations.v1",worker="story"}' in httpx.get(f"{url}/metrics").text
            )
        )
        body = httpx.get(f"{url}/healthz").json()
        assert {task["worker"] for task in body["tasks"]} >= {"fetch", "extract", "story"}
        assert all(task["phase"] == "running" and task["error"] is None for task in body["tasks"])
        copied = tieup(["backup", "copy.db"], env, tmp_path)
        seconds = service.end()
    assert service.process.returncode == 0, service.said
    assert seconds < 10
    assert copied.returncode == 0, copied.stderr
    restored = environment(log=f"sqlite:///{tmp_path / 'restored.db'}", http="off")
    assert tieup(["restore", "copy.db"], restored, tmp_path).returncode == 0
    assert tieup(["run", "--once"], restored, tmp_path).returncode == 0


def test_a_scrape_tells_of_a_poll_and_of_all_that_is_documented(tmp_path: Path) -> None:
    with served_by_a_thread(lambda _: rss(item(2), item(1))) as port:
        env = environment(log=sqlite(tmp_path), http="127.0.0.1:0", feeds_allow_private="true")
        assert tieup(["feeds", "add", f"http://127.0.0.1:{port}/feed.xml"], env, tmp_path).returncode == 0
        with running(["run"], env, tmp_path) as service:
            url = f"{said_url(service)}/metrics"
            until(lambda: "tieup_feeds_due{" in httpx.get(url).text)
            until(lambda: scraped(url).get('tieup_entries_total{kind="new"}') == 2)
            told = scraped(url)
            service.end()
    assert told['tieup_polls_total{outcome="changed"}'] == 1
    assert told["tieup_feed_bytes_total"] == len(rss(item(2), item(1)))
    assert told['tieup_feeds_scheduled{partition="0"}'] == 1
    assert told["tieup_poll_lag_seconds_count"] == told["tieup_host_wait_seconds_count"] == 1
    assert told["tieup_event_loop_lag_seconds_count"] > 0
    assert told["tieup_parsing_queue"] == 0
    assert {'tieup_acts_in_flight{partition="0",worker="fetch"}', 'tieup_commit_seconds_count{worker="fetch"}'} <= set(
        told
    )
    documented = set(re.findall(r"^\| `(tieup_\w+)`", METRICS.read_text("utf-8"), re.MULTILINE))
    assert len(documented) > 20
    assert documented - told["help"] == set()


def scraped(url: str) -> dict:
    """The samples of a scrape by name and labels, and under `help` the names that it explains."""
    text = httpx.get(url).text
    samples = dict(re.findall(r"^([^#\s][^\n]*) (\S+)$", text, re.MULTILINE))
    return {"help": set(re.findall(r"^# HELP (\w+)", text, re.MULTILINE))} | {k: float(v) for k, v in samples.items()}


def test_a_second_run_on_the_same_file_is_refused_in_one_line(tmp_path: Path) -> None:
    env = environment(log=sqlite(tmp_path), http="127.0.0.1:0")
    with running(["run"], env, tmp_path) as service:
        said_url(service)
        second = tieup(["run", "--once"], env, tmp_path)
        assert second.returncode == 1
        lines = second.stderr.strip().splitlines()
        assert len(lines) == 1
        assert str(tmp_path / "tieup.db") in lines[0]
        assert str(service.process.pid) in lines[0]
        service.end()
    assert service.process.returncode == 0


def test_a_broker_away_at_start_is_named_and_waited_for_in_bounds(tmp_path: Path) -> None:
    env = environment(log="kafka://127.0.0.1:1", start_wait_s="2", http="off")
    done = tieup(["run", "--once"], env, tmp_path)
    assert done.returncode == 1
    assert "trying again" in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("tieup: ")
    assert "127.0.0.1:1" in last
    assert "Traceback" not in done.stderr


def test_poison_articles_are_kept_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = saga_records(16)
    poison = [
        NewRecord(ARTICLES, b"not-json", b"{", 1_000),
        NewRecord(ARTICLES, b"not-valid", b'{"id":"x"}', 2_000),
        NewRecord(ARTICLES, b"tombstone", None, 3_000),
        NewRecord(ARTICLES, b"binary", b"\xff\xfe\x00", 4_000),
    ]
    append(sqlite(tmp_path), [*good[:8], *poison, *good[8:]])
    done = tieup(["run", "extract", "story", "--once"], environment(log=sqlite(tmp_path)), tmp_path)
    assert done.returncode == 0, done.stderr
    letters = values(sqlite(tmp_path), DEAD_LETTERS)
    assert [(one["key"], one["error"], one["offset"]) for one in letters] == [
        ("not-json", "BadRecord", 8),
        ("not-valid", "BadRecord", 9),
        ("tombstone", "BadRecord", 10),
        ("binary", "BadRecord", 11),
    ]
    assert letters[0]["value"] == "{"
    assert len({event["story_id"] for event in values(sqlite(tmp_path), EVENTS)}) == 4


def test_a_full_disk_is_named_and_what_was_read_is_not_lost(tmp_path: Path) -> None:
    append(sqlite(tmp_path), saga_records(160))
    blocks = (tmp_path / "tieup.db").stat().st_size // 1024 + 400
    env = environment(log=sqlite(tmp_path), http="off", batch_records="20")
    limit = ["bash", "-c", f'ulimit -f {blocks}; exec "$0" "$@"']
    with running(["run", "extract", "story"], env, tmp_path, before=limit) as service:
        line = until(lambda: re.search(r"ERROR.*tieup\.db.*", service.said))[0]
        assert "full" in line.lower() or "size" in line.lower()
        service.end()
    assert service.process.returncode == 0, service.said
    done = tieup(["run", "extract", "story", "--once"], environment(log=sqlite(tmp_path)), tmp_path)
    assert done.returncode == 0, done.stderr
    events = values(sqlite(tmp_path), EVENTS)
    other = tmp_path / "other"
    other.mkdir()
    append(sqlite(other), saga_records(160))
    assert tieup(["run", "extract", "story", "--once"], environment(log=sqlite(other)), other).returncode == 0
    assert events == values(sqlite(other), EVENTS)
