"""The command from the outside: exit codes, one line for an error, settings. Nothing here opens a log."""

import logging
from pathlib import Path

import orjson
import pytest

from tieup import __version__
from tieup.cli import companies
from tieup.cli.app import run
from tieup.cli.feeds.choose import find
from tieup.cli.run import WORKERS, chosen
from tieup.cli.session import parse_flags
from tieup.config import load_settings
from tieup.errors import UsageError
from tieup.feeds.registry import feed_from_url


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TIEUP_LOG", "TIEUP_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tieup {__version__}\n"
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    names = ("run", "feeds", "topics", "tail", "stories", "story", "extract", "backtest", "evaluate", "demo", "config")
    assert [name for name in names if name not in shown] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["--nosuch"],
        ["story"],
        ["run", "nosuch"],
        ["tail", "nosuch"],
        ["--set", "x", "config"],
        ["--set", "grup=x", "config"],
        ["run", "--log", "redis://x"],
        ["evaluate", "x", "--errors", "-1"],
        ["stories", "--limit", "0"],
        ["extract"],
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert shown.err.startswith("tieup: ")


@pytest.mark.parametrize(
    "arguments",
    [["extract", "none.txt"], ["backtest", "none.jsonl"], ["evaluate", "none.jsonl"], ["stories"], ["tail", "events"]],
)
def test_a_failure_is_one_line_and_exit_code_1(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 1
    shown = capsys.readouterr()
    assert (shown.out, len(shown.err.splitlines())) == ("", 1)
    assert list(Path().iterdir()) == []


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--debug", "extract", "none.txt"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_error_cannot_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extract", "\x1b[2J\nx"]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_a_fault_of_our_own_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(companies, "matches", broken)
    assert run(["companies"]) == 1
    assert capsys.readouterr().err == "tieup: a fault of tieup itself: RuntimeError: broken (--debug shows where)\n"


def test_config_tells_value_and_source(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("other.toml").write_text("[kafka]\nsasl_password = 'hunter2'", "utf-8")
    assert run(["--config", "other.toml", "--set", "group=mine", "config", "--json"]) == 0
    out = capsysbinary.readouterr().out
    shown = orjson.loads(out)
    assert (shown["group"]["value"], shown["group"]["source"]) == ("mine", "flag")
    assert (shown["kafka.sasl_password"]["value"], shown["kafka.sasl_password"]["source"]) == ("********", "other.toml")
    assert b"hunter2" not in out


def test_config_tells_every_setting_by_its_whole_name_and_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["config"]) == 0
    names = {one.setting.name for one in load_settings({}).effective}
    assert names <= set(capsys.readouterr().out.split())
    assert run(["--set", "feeds.retry_s=60", "config", "--reasons"]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert "feeds.retry_s  60  seconds; 60 to 86400; default 900  flag" in lines
    assert "    The wait after a first error; it doubles with each further one in a row." in lines


def test_companies_are_found_by_any_spelling(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["companies", "比亚迪", "--json"]) == 0
    ids = [orjson.loads(line)["id"] for line in capsysbinary.readouterr().out.splitlines()]
    assert "byd" in ids


def test_workers_come_in_the_order_of_the_flow() -> None:
    assert chosen([]) == WORKERS
    assert chosen(["story", "fetch", "story"]) == ("fetch", "story")


def test_flags_are_pairs() -> None:
    assert parse_flags(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError):
        parse_flags(["=x"])


def test_a_feed_is_found_by_url_or_id() -> None:
    from datetime import UTC, datetime

    feed = feed_from_url("https://example.com/feed", datetime(2026, 1, 1, tzinfo=UTC))
    feeds = {feed.id: feed}
    assert find(feeds, "http://EXAMPLE.com/feed") == feed
    assert find(feeds, feed.id[:6]) == feed
    for wanted in ("https://example.com/other", "zz", ""):
        with pytest.raises(UsageError):
            find(feeds, wanted)


def test_no_handler_is_left_by_importing_the_command() -> None:
    assert not [one for one in logging.getLogger("tieup").handlers if not isinstance(one, logging.NullHandler)]
