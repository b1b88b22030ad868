"""The installed command in a process of its own: exit codes, error lines, JSON, pipes and signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

URL = "https://example.com/feed.xml"
ARTICLES = [
    {
        "id": "later",
        "title": "Ford and Xiaomi deny joint-venture talks",
        "text": "Ford called the report of talks with Xiaomi on a joint venture completely false.",
        "published": "2026-02-01",
        "lang": "en",
    },
    {
        "id": "first",
        "title": "Ford in talks with Xiaomi on a joint venture, FT reports",
        "text": "Ford has discussed a joint venture with Xiaomi to build electric vehicles, the Financial Times "
        "reported on Saturday, citing four people familiar with the matter.",
        "published": "2026-01",
        "lang": "en",
    },
    {"id": "none", "title": "Weather", "text": "It rains in the north and the sun shines in the south today."},
]


def environment(**given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIEUP_")}
    return kept | {"PYTHONWARNINGS": "error", "COLUMNS": "80"} | given


def tieup(folder: Path, *arguments: str, stdin: str = "", **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tieup", *arguments],
        cwd=folder,
        env=environment(**given),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def archive(folder: Path, *extra: str) -> Path:
    path = folder / "archive.jsonl"
    path.write_text("\n".join([*map(json.dumps, ARTICLES), *extra]) + "\n", "utf-8")
    return path


def test_a_settings_typo_is_named_with_the_right_word(tmp_path: Path) -> None:
    done = tieup(tmp_path, "stories", TIEUP_LGO="x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tieup: TIEUP_LGO: no such setting; did you mean TIEUP_LOG?\n"
    (tmp_path / "tieup.toml").write_text("[feeds]\ncontct = 'x'\n", "utf-8")
    done = tieup(tmp_path, "run", "--once")
    assert done.returncode == 2
    assert done.stderr == "tieup: tieup.toml: feeds.contct: no such setting; did you mean feeds.contact?\n"


def test_feeds_come_and_go(tmp_path: Path) -> None:
    assert tieup(tmp_path, "feeds", "add", URL, "--title", "Example").stdout == f"added {URL}\n"
    assert tieup(tmp_path, "feeds", "add", URL).stdout == f"changed {URL}\n"
    (row,) = [json.loads(line) for line in tieup(tmp_path, "feeds", "list", "--json").stdout.splitlines()]
    assert (row["url"], row["last_status"]) == (URL, None)
    assert tieup(tmp_path, "feeds", "remove", row["id"][:8]).stdout == f"removed {URL}\n"
    empty = tieup(tmp_path, "feeds", "list", "--json")
    assert (empty.returncode, empty.stdout) == (0, "")
    wrong = tieup(tmp_path, "feeds", "add", "ftp://example.com/x", URL)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
    assert tieup(tmp_path, "feeds", "list", "--json").stdout == ""


def test_an_opml_list_goes_in_and_out(tmp_path: Path) -> None:
    outlines = f'<outline xmlUrl="{URL}" text="A &amp; B"/><outline xmlUrl="mailto:x" text="no feed"/>'
    (tmp_path / "in.opml").write_text(f'<opml version="2.0"><body>{outlines}</body></opml>', "utf-8")
    done = tieup(tmp_path, "feeds", "import", "in.opml")
    assert (done.returncode, done.stdout) == (1, "1 feed added, 0 changed, 0 known already, 1 passed over\n")
    assert done.stderr.startswith("tieup: in.opml: ")
    out = tieup(tmp_path, "feeds", "export").stdout
    assert 'xmlUrl="https://example.com/feed.xml"' in out
    assert "A &amp; B" in out
    (tmp_path / "bad.opml").write_text("<html>", "utf-8")
    assert tieup(tmp_path, "feeds", "import", "bad.opml").returncode == 1


def test_topics_are_checked_and_made(tmp_path: Path) -> None:
    assert tieup(tmp_path, "topics", "check").returncode == 1
    assert len(json.loads(tieup(tmp_path, "topics", "create", "--json").stdout)["created"]) == 17
    assert json.loads(tieup(tmp_path, "topics", "check", "--json").stdout) == {"ok": True, "faults": []}
    assert tieup(tmp_path, "stories", "--json").stdout == ""
    missing = tieup(tmp_path, "story", "abc")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)


def test_tail_shows_records_as_json(tmp_path: Path) -> None:
    tieup(tmp_path, "feeds", "add", URL)
    done = tieup(tmp_path, "tail", "feeds", "--from", "begin", "--once", "--json")
    (record,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (record["topic"], record["offset"], record["value"]["url"]) == ("tieup.feeds.v1", 0, URL)
    assert tieup(tmp_path, "tail", "feeds", "--from", "1", "--once", "--json").stdout == ""


def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    tieup(tmp_path, "topics", "create")
    command = [sys.executable, "-m", "tieup", "companies", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_tail_waits_for_more_and_interrupting_ends_it_without_a_word(tmp_path: Path) -> None:
    tieup(tmp_path, "feeds", "add", URL)
    command = [sys.executable, "-m", "tieup", "tail", "feeds", "--from", "begin", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert URL.encode() in process.stdout.readline()
        tieup(tmp_path, "feeds", "add", "https://example.org/later")
        assert b"https://example.org/later" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait(30) == 130


def test_the_demo_s_stories_can_be_listed_and_told(tmp_path: Path) -> None:
    done = tieup(tmp_path, "demo", "--log", "sqlite:///demo.db")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Where the parties stand" in done.stdout
    assert list(tmp_path.glob("tieup*")) == []
    log = {"TIEUP_LOG": "sqlite:///demo.db"}
    listed = [json.loads(line) for line in tieup(tmp_path, "stories", "xiaomi", "--json", **log).stdout.splitlines()]
    ford = next(story for story in listed if {party["key"] for party in story["parties"]} == {"ford", "xiaomi"})
    assert json.loads(tieup(tmp_path, "story", ford["id"][:12], "--json", **log).stdout) == ford
    told = tieup(tmp_path, "story", ford["id"][:12], **log).stdout
    assert told.startswith("Ford – Xiaomi\n")
    assert "▶ opened" in told
    events = tieup(tmp_path, "tail", "events", "--from", "begin", "--once", "--json", **log).stdout.splitlines()
    assert all("ce_id" in json.loads(line)["headers"] for line in events)
    assert len(events) > 10
    assert tieup(tmp_path, "topics", "check", **log).returncode == 0


def test_a_backtest_prints_one_line_per_article_in_its_order(tmp_path: Path) -> None:
    done = tieup(tmp_path, "backtest", str(archive(tmp_path)), "--events", "events.jsonl")
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["id"], line["relevant"]) for line in lines] == [("later", True), ("first", True), ("none", False)]
    assert lines[0]["story_id"] == lines[1]["story_id"] is not None
    for line, article in zip(lines, ARTICLES, strict=True):
        for relation in line["relations"]:
            for span in [*relation["evidence"], *(claim["evidence"] for claim in relation["claims"])]:
                assert article[span["part"]][span["start"] : span["end"]] == span["text"]
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text("utf-8").splitlines()]
    assert (events[0]["type"], events[0]["archiveid"]) == ("tieup.story.opened.v1", "first")
    assert all(event["specversion"] == "1.0" and event["data"]["story_id"] == event["subject"] for event in events)


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    path = archive(tmp_path)
    one = tieup(tmp_path, "backtest", str(path), "--events", "1", PYTHONHASHSEED="1")
    two = tieup(tmp_path, "backtest", "-", "--events", "2", stdin=path.read_text("utf-8"), PYTHONHASHSEED="2")
    assert one.stdout == two.stdout != ""
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() != b""


def test_a_bad_line_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    done = tieup(tmp_path, "backtest", str(archive(tmp_path, "oops")))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 3)
    assert done.stderr.startswith("tieup: archive.jsonl:4: not JSON")
    assert len(done.stderr.splitlines()) == 1


def test_an_evaluation_scores_and_names_faults(tmp_path: Path) -> None:
    labels = [
        {"relations": [{"parties": ["Ford", "Xiaomi"], "factuality": "denied"}], "story": "s"},
        {"relations": [{"parties": ["Ford", "Toyota"]}], "story": "s"},
        {"relations": []},
    ]
    rows = [json.dumps(article | label) for article, label in zip(ARTICLES, labels, strict=True)]
    (tmp_path / "gold.jsonl").write_text("\n".join(rows), "utf-8")
    done = tieup(tmp_path, "evaluate", "gold.jsonl", "--errors", "9", "--json")
    assert done.returncode == 0
    shown = json.loads(done.stdout)
    assert shown["overall"]["relevance"] == {"precision": 1, "recall": 1, "f1": 1, "right": 2, "found": 2, "wanted": 2}
    assert (shown["overall"]["relations"]["right"], shown["overall"]["relations"]["wanted"]) == (1, 2)
    assert [article["id"] for article in shown["errors"]] == ["first"]
    table = tieup(tmp_path, "evaluate", "gold.jsonl", "--errors", "9")
    assert "stories BCubed F1" in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 80
    assert "\x1b" not in table.stdout


def test_the_lines_of_an_earlier_backtest_can_be_scored(tmp_path: Path) -> None:
    path = archive(tmp_path)
    (tmp_path / "lines.jsonl").write_text(tieup(tmp_path, "backtest", str(path)).stdout, "utf-8")
    fresh = tieup(tmp_path, "evaluate", str(path), "--json")
    stored = tieup(tmp_path, "evaluate", str(path), "--json", "--lines", "lines.jsonl")
    assert json.loads(stored.stdout) == json.loads(fresh.stdout)


def test_extract_marks_the_evidence(tmp_path: Path) -> None:
    text = ARTICLES[1]["text"]
    done = tieup(tmp_path, "extract", "-", "--title", ARTICLES[1]["title"], stdin=text)
    assert done.returncode == 0
    assert "Ford – Xiaomi" in done.stdout
    assert "[party 1]" in done.stdout
    shown = json.loads(tieup(tmp_path, "extract", "-", "--json", stdin=text).stdout)
    assert shown["relevant"] is True


@pytest.mark.parametrize(
    "heavy", ["aiokafka", "httpx", "feedparser", "sqlite3", "uvicorn", "jsonschema_rs", "eldc", "numpy"]
)
def test_the_command_starts_without_heavy_modules(heavy: str) -> None:
    code = f"import sys, tieup.cli.app; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
