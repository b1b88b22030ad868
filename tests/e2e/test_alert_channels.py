"""Every way to be told, as a user sets it up and the installed command serves it."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import feedparser
import httpx
import orjson
import pytest
from httpx_sse import connect_sse
from tests.e2e.test_alerts_command import put_events
from tests.kafka_broker import free_port
from tests.mail_server import receiving_mail
from tests.receiver import receiving
from tests.service import environment, running, until

from tieup.alerts.capabilities import Capabilities, Form
from tieup.cli.app import run
from tieup.model.subscription import Channel

KEY = "a key for tests that is long enough"
Said = Callable[..., tuple[int, str]]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Call `tieup alerts` and return its exit code and all that it said."""
    port = free_port()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    for name, value in {
        "LOG": f"sqlite:///{tmp_path}/log.db",
        "MASTER_KEY": KEY,
        "API_LISTEN": f"127.0.0.1:{port}",
        "API_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALERTS_ALLOW_PRIVATE": "yes",
        "MAIL_HOST": "127.0.0.1",
        "MAIL_SECURITY": "none",
        "MAIL_SENDER": "alerts@tieup.example",
    }.items():
        monkeypatch.setenv(f"TIEUP_{name}", value)

    def call(*arguments: str) -> tuple[int, str]:
        code = run(["alerts", *arguments])
        found = capsys.readouterr()
        return code, found.out + found.err

    return call


def urls(text: str) -> list[str]:
    return re.findall(r"http://127\.0\.0\.1:\d+/alerts/\S+", text)


async def test_all_ways_are_added_tested_and_changed(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving_mail() as mail, receiving() as chat, receiving() as hook:
        monkeypatch.setenv("TIEUP_MAIL_PORT", str(mail.port))
        places = ("--email", "me@a.example", "--chat", f"json://127.0.0.1:{chat.port}/tok", "--webhook", hook.url)

        def calls() -> tuple[int, str]:
            code, text = said("add", "company:ford", *places, "--feed", "--stream", "--name", "Ford")
            assert (code, len(urls(text)), text.count("whsec_")) == (0, 3, 1)
            assert "webhook, email, chat, feed, stream" in said("list")[1]
            shown = said("show", "Ford")[1]
            assert not urls(shown)
            assert "tok" not in shown
            for place in (f"webhook 127.0.0.1:{hook.port}: well", "email me@a.example: well", "chat json://…: well"):
                assert place in shown
            return said("test", "Ford")

        code, text = await asyncio.to_thread(calls)
    assert code == 0, text
    for channel in ("webhook", "email", "chat"):
        assert f"{channel}: received" in text
    assert "laid ready in its feed or stream" in text
    assert mail.messages[0]["Subject"].startswith("Test: Example Motors and Sample Batteries: joint venture")
    assert orjson.loads(chat.received[0].body)["title"].startswith("Test: ")
    assert orjson.loads(hook.received[0].body)["type"] == "tieup.test.v1"

    def more() -> None:
        code, text = said("edit", "Ford", "--email", "other@a.example")
        assert (code, urls(text)) == (0, [])
        assert "webhook, chat, feed, stream, email" in said("list")[1]
        assert said("edit", "Ford", "--drop", "chat")[0] == 0
        assert "webhook, feed, stream, email" in said("list")[1]
        assert "no place is left" in said("edit", "Ford", *(f"--drop={one}" for one in Channel))[1]
        for version in (2, 3):
            shown = said("rotate", "Ford")[1]
            one = orjson.loads(said("show", "Ford", "--json")[1])["subscription"]
            versions = {its["channel"]: its["secret_version"] for its in one["endpoints"]}
            assert versions == {"webhook": version, "feed": version, "stream": version, "email": 1}
            links = Capabilities(KEY, urls(shown)[0].partition("/alerts/")[0])
            assert urls(shown) == [links.pull_url(one["id"], form, version) for form in Form]
        code, text = said("test", "Ford")  # nobody is there any more
        assert code == 1
        assert "email: failed" in text

    await asyncio.to_thread(more)


@pytest.mark.parametrize(
    ("arguments", "unset", "line"),
    [
        (("--email", "nobody"), "", "not one e-mail address"),
        (("--email", "a@b.example"), "MAIL_HOST", "mail.host: not set"),
        (("--feed",), "API_LISTEN", "api.public_url and api.listen: not set"),
        (("--chat", "json"), "", "such as slack://"),
        (("--stream",), "MASTER_KEY", "`tieup key` makes one"),
        ((), "", "--webhook URL, --email ADDRESS, --chat URL, --feed or --stream"),
    ],
)
def test_what_is_missing_is_one_clear_line(
    said: Said, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], unset: str, line: str
) -> None:
    if unset:
        monkeypatch.delenv(f"TIEUP_{unset}")
    code, text = said("add", "company:ford", *arguments)
    assert (code, text.count("\n")) == (2, 1)
    assert line in text


def test_a_run_serves_feed_stream_and_marks_and_ends_at_once(said: Said, tmp_path: Path) -> None:
    code, text = said("add", "company:ford", "--feed", "--stream", "--name", "Ford")
    assert code == 0
    atom, _, stream = urls(text)
    env = environment(
        log=f"sqlite:///{tmp_path}/log.db",
        master_key=KEY,
        http="off",
        api_listen=atom.split("/")[2],
        api_public_url="/".join(atom.split("/")[:3]),
    )
    with running(["run", "match", "deliver"], env, tmp_path) as service:
        until(lambda: answers(atom))
        with httpx.Client(trust_env=False, timeout=20) as client, connect_sse(client, "GET", stream) as source:
            events = (one for one in source.iter_sse() if one.data)
            assert next(events).event == "tieup.stream.v1"
            asyncio.run(put_events(tmp_path / "log.db", 1))
            told = next(events)
            until(lambda: feedparser.parse(httpx.get(atom, trust_env=False).content).entries)
            wrong = orjson.loads(told.data)["data"]["wrong_url"]
            answer = httpx.post(wrong, data={"fault": "no_tie", "note": "a joke"}, trust_env=False)
            assert answer.status_code == 200
            assert service.end() < 5  # with a stream open
        assert "Traceback" not in service.said
        assert atom.split("/")[5] not in service.said  # no capability in the log
    code, text = said("marks")
    assert "no tie" in text
    assert "a joke" in text
    (mark,) = [orjson.loads(line)["id"] for line in said("marks", "--json")[1].splitlines()]
    assert said("marks", "--done", mark[:8]) == (0, "1 struck\n")
    assert "nothing was marked" in said("marks")[1]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
