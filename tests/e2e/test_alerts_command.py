"""`tieup alerts` as a user calls it, on the events of the demo."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from standardwebhooks import Webhook
from tests.receiver import receiving
from tests.unit.alerts.making import event, event_record

from tieup.cli.app import run
from tieup.log.base import NewRecord
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE, DELIVERIES

KEY = "a key for tests that is long enough"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Call the command and return its exit code and all that it said, without line breaks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setenv("TIEUP_LOG", f"sqlite:///{tmp_path}/log.db")
    monkeypatch.setenv("TIEUP_MASTER_KEY", KEY)

    def call(*arguments: str) -> tuple[int, str]:
        code = run(["alerts", *arguments])
        found = capsys.readouterr()
        return code, found.out + found.err

    return call


async def put_events(path: Path, count: int) -> None:
    async with await SqliteLog.open(path) as log:
        await log.create(CATALOGUE)
        now = datetime.now(UTC)
        records = [event_record(event(number, observed_at=now), at=now) for number in range(1, count + 1)]
        await log.append([NewRecord(r.topic, r.key or b"", r.value, r.timestamp, r.headers) for r in records])


def test_a_subscription_from_its_making_to_its_end(said) -> None:
    code, text = said(
        "add", "company:Ford kind:joint_venture", "--webhook", "https://hook.example/x", "--name", "Ford JV"
    )
    assert code == 0
    assert "signing secret, shown this once: whsec_" in text
    secret = text.split("whsec_")[1].split()[0]
    for arguments in (("list",), ("show", "Ford JV"), ("list", "--json"), ("show", "Ford JV", "--json")):
        code, text = said(*arguments)
        assert (code, secret in text, "hook.example" in text) == (0, False, False)
    code, text = said("add", "kind:supply", "--webhook", "https://hook.example/x")
    assert "the endpoint is known" in text
    assert (
        said(
            "edit",
            "Ford JV",
            "--filter",
            "company:ford",
            "--digest",
            "24",
            "--at",
            "07:00",
            "--timezone",
            "Europe/Berlin",
        )[0]
        == 0
    )
    assert "digest every 24 h from 07:00 Europe/Berlin" in said("list")[1]
    assert said("pause", "Ford JV")[0] == 0
    assert "paused" in said("list")[1]
    assert said("resume", "Ford JV")[0] == 0
    code, text = said("rotate", "Ford JV")
    assert code == 0
    assert secret not in text
    assert "whsec_" in text
    assert said("remove", "Ford JV")[0] == 0
    assert "Ford JV" not in said("list")[1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("add", "company:frod", "--webhook", "https://a.example/"), "did you mean ford?"),
        (("add", "company:ford"), "where to?"),
        (("add", "company:ford", "--webhook", "http://a.example/"), "a webhook must be https"),
        (("add", "company:ford", "--webhook", "https://me:pw@a.example/"), "must not carry a user name"),
        (("add", "x", "--webhook", "https://a.example/", "--quiet", "22:00"), "must be such as 22:00-07:00"),
        (("add", "x", "--webhook", "https://a.example/", "--timezone", "Mars"), "no IANA time zone"),
    ],
)
def test_a_wrong_call_is_one_clear_line(said, arguments: tuple[str, ...], line: str) -> None:
    code, text = said(*arguments)
    assert code == 2
    assert line in text
    assert text.count("\n") == 1
    assert "pw@" not in text


def test_without_a_master_key_nothing_is_subscribed(
    said, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TIEUP_MASTER_KEY")
    code, text = said("add", "company:ford", "--webhook", "https://a.example/")
    assert code == 2
    assert "`tieup key` makes one" in text
    assert run(["key"]) == 0
    assert len(capsys.readouterr().out.strip()) >= 32


async def test_try_shows_what_would_be_sent_and_replay_sends_it_again(said, tmp_path: Path) -> None:
    import asyncio

    await put_events(tmp_path / "log.db", 3)

    def calls() -> None:
        code, text = said("try", "company:ford type:denied", "--since", "1d")
        assert code == 0
        assert "3 of 3 events in the last 1d" in text
        assert "Ford and Xiaomi" in text
        assert "0 of 3 events" in said("try", "company:bmw", "--since", "1d")[1]
        said("add", "company:ford", "--webhook", "https://hook.example/x", "--name", "Ford")
        assert "3 messages are sent again" in said("replay", "Ford", "--since", "1d")[1]
        assert "3 messages are sent again" in said("replay", "Ford", "--story", event().story_id)[1]
        assert "0 messages are sent again" in said("replay", "Ford", "--event", "none")[1]
        assert said("replay", "Ford")[0] == 2

    await asyncio.to_thread(calls)
    from tests.alerting import read

    found = [orjson.loads(record.value) for record in await read(tmp_path / "log.db", DELIVERIES)]
    assert len({one["id"] for one in found}) == 6
    assert len({one["event_id"] for one in found}) == 3


async def test_a_test_message_reaches_the_endpoint_at_once(
    said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setenv("TIEUP_ALERTS_ALLOW_PRIVATE", "yes")
    await put_events(tmp_path / "log.db", 1)
    async with receiving() as receiver:
        _, text = await asyncio.to_thread(said, "add", "company:ford", "--webhook", receiver.url, "--name", "Ford")
        secret = "whsec_" + text.split("whsec_")[1].split()[0]
        code, text = await asyncio.to_thread(said, "test", "Ford")
    assert (code, "received: 200 thank you" in text) == (0, True)
    (message,) = receiver.received
    assert Webhook(secret).verify(message.body, dict(message.headers))["type"] == "tieup.test.v1"
