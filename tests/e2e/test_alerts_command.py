"""`tieup alerts` as a user calls it, on the events of the demo."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from standardwebhooks import Webhook
from tests.receiver import receiving
from tests.unit.alerts.making import event, event_record

from tieup.cli.app import run
from tieup.log.base import NewRecord, Record
from tieup.log.sqlite import SqliteLog
from tieup.log.topics import CATALOGUE, DELIVERIES, DELIVERY_STATES
from tieup.model.codec import encode, to_millis
from tieup.model.delivery import DeliveryProgress, DeliveryState, DeliveryStatus

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
    now = datetime.now(UTC)
    made = (event(number, observed_at=now, occurred_at=now) for number in range(1, count + 1))
    await put(path, [event_record(one, at=now) for one in made])


async def put(path: Path, records: Sequence[Record]) -> None:
    async with await SqliteLog.open(path) as log:
        await log.create(CATALOGUE)
        await log.append([NewRecord(r.topic, r.key or b"", r.value, r.timestamp, r.headers) for r in records])


def test_a_subscription_from_its_making_to_its_end(said) -> None:
    code, text = said(
        "add", "company:Ford kind:joint_venture", "--webhook", "https://hook.example/x", "--name", "Ford JV"
    )
    assert code == 0
    assert re.search(r"signing secret for hook\.example \(endpoint \w{10}\), shown this once: whsec_", text)
    secret = text.split("whsec_")[1].split()[0]
    for arguments in (("list",), ("show", "Ford JV"), ("list", "--json"), ("show", "Ford JV", "--json")):
        code, text = said(*arguments)
        assert (code, secret in text, "hook.example/x" in text) == (0, False, False)
    code, text = said("add", "kind:supply", "--webhook", "https://hook.example/x")
    assert "the endpoint is known" in text
    assert (
        said(
            "edit",
            "Ford JV",
            "--filter",
            "company:ford",
            "--digest",
            "daily",
            "--at",
            "07:00",
            "--timezone",
            "Europe/Berlin",
        )[0]
        == 0
    )
    assert "digest every 24 h from 07:00 Europe/Berlin" in said("list")[1]
    said("edit", "Ford JV", "--quiet", "22:00-06:00", "--max-age-h", "12", "--backfill")
    text = said("show", "Ford JV")[1]
    assert "digest every 24 h from 07:00, quiet 22:00-06:00 Europe/Berlin; news at most 12 h old, backfill too" in text
    said("edit", "Ford JV", "--quiet", "off", "--no-backfill", "--at-once", "3")
    text = said("show", "Ford JV")[1]
    assert "when: at most 3 in 3600 s, the rest in a digest; news at most 12 h old\n" in text
    said("edit", "Ford JV", "--immediately")
    assert "when: at once;" in said("show", "Ford JV")[1]
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
        (("add", "x", "--webhook", "http://me:pw@a.example/"), "'http://…@a.example/': a webhook must be https"),
        (("add", "x", "--webhook", "https://me:pw@a.example:x/"), "not a URL"),
        (("add", "x", "--webhook", "https://a.example/", "--at-once", "1", "--window", "0"), "between 1 and 86400"),
        (("add", "x", "--webhook", "https://a.example/", "--timezone", "Mars"), "no IANA time zone"),
        (("add", "--webhook", "https://a.example/"), "which events?"),
        (("add", "x", "--webhook", "https://a.example/", "--digest", "weekly"), "not hourly, daily or a number"),
        (("add", "x", "--webhook", "https://a.example/", "--digest", "daily", "--at-once", "3"), "one of them"),
        (("add", "--watchlist", "none.csv", "--webhook", "https://a.example/"), "none.csv: cannot be read"),
    ],
)
def test_a_wrong_call_is_one_clear_line(said, arguments: tuple[str, ...], line: str) -> None:
    code, text = said(*arguments)
    assert code == 2
    assert line in text
    assert text.count("\n") == 1
    assert "pw@" not in text


def test_without_a_master_key_nothing_is_subscribed_and_names_can_be_changed(
    said, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said("add", "company:ford", "--webhook", "https://a.example/", "--name", "Ford")
    monkeypatch.delenv("TIEUP_MASTER_KEY")
    assert said("edit", "Ford", "--name", "Other")[0] == 0
    assert said("show", "Other")[0] == 0
    code, text = said("add", "company:ford", "--webhook", "https://a.example/")
    assert code == 2
    assert "`tieup key` makes one" in text
    assert run(["key"]) == 0
    assert len(capsys.readouterr().out.strip()) >= 32


async def test_try_shows_what_would_be_sent_and_replay_sends_it_again(said, tmp_path: Path) -> None:
    await put_events(tmp_path / "log.db", 3)

    def calls() -> None:
        code, text = said("try", "company:ford type:denied", "--since", "1d")
        assert code == 0
        assert "3 of 3 events since 1d" in text
        assert "Ford and Xiaomi" in text
        assert "0 of 3 events" in said("try", "company:bmw", "--since", "1d")[1]
        said("add", "company:ford", "--webhook", "https://hook.example/x", "--name", "Ford")
        assert "3 messages are sent again" in said("replay", "Ford", "--since", "1d")[1]
        assert "3 messages are sent again" in said("replay", "Ford", "--story", event().story_id[:10])[1]
        first = text.split("  ")[1]
        assert "1 message is sent again" in said("replay", "Ford", "--event", first)[1]
        for one in ("none", ""):  # an empty variable of a script is no event, not all of them
            assert "no event" in said("replay", "Ford", "--event", one)[1]
            assert "no event" in said("replay", "Ford", "--story", one)[1]
        assert "0 messages are sent again" in said("replay", "Ford", "--since", "2d", "--until", "1d")[1]
        assert said("replay", "Ford")[0] == 2

    await asyncio.to_thread(calls)
    from tests.alerting import read

    found = [orjson.loads(record.value) for record in await read(tmp_path / "log.db", DELIVERIES)]
    assert len({one["id"] for one in found}) == 7
    assert len({one["event_id"] for one in found}) == 3


async def test_try_keeps_the_rules_that_keep_quiet_and_says_what_they_left_out(said, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    made = [
        event(1, observed_at=now, occurred_at=now),
        event(2, observed_at=now, occurred_at=now, backfill=True),
        event(3, observed_at=now, occurred_at=now - timedelta(days=3)),
    ]
    await put(tmp_path / "log.db", [event_record(one, at=now) for one in made])

    def calls() -> None:
        text = said("try", "company:ford", "--since", "1d")[1]
        assert "1 of 3 events since 1d; left out: 1 of a new feed's first poll, 1 older than 48 h" in text
        assert "3 of 3 events" in said("try", "company:ford", "--backfill", "--max-age-h", "100")[1]
        (tmp_path / "mine.csv").write_text("name,isin\nFord,\nFrod,\n,AU0000XVGZA3\n\33[2Jred,\n")
        text = said("try", "type:denied", "--watchlist", "mine.csv")[1]
        assert "mine.csv, line 3: Frod: no company is named 'Frod'; did you mean Ford?" in text
        assert "line 4: AU0000XVGZA3: no company has the ISIN" in text
        assert "companies found: 1, rows not matched: 3" in text
        assert "\33" not in text
        assert "1 of 3 events" in text
        later, earlier = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
        assert "0 of 0 events" in said("try", "", "--since", later)[1]
        assert "1 of 3 events" in said("try", "", "--since", earlier, "--until", later)[1]
        assert "0 of 0 events" in said("try", "", "--since", "2d", "--until", earlier)[1]

    await asyncio.to_thread(calls)


async def test_a_test_message_reaches_the_endpoint_at_once(
    said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEUP_ALERTS_ALLOW_PRIVATE", "yes")
    await put_events(tmp_path / "log.db", 1)
    async with receiving() as receiver:
        _, text = await asyncio.to_thread(said, "add", "company:ford", "--webhook", receiver.url, "--name", "Ford")
        secret = "whsec_" + text.split("whsec_")[1].split()[0]
        code, text = await asyncio.to_thread(said, "test", "Ford")
    assert (code, "received: 200 thank you" in text) == (0, True)
    (message,) = receiver.received
    assert Webhook(secret).verify(message.body, dict(message.headers))["type"] == "tieup.test.v1"


async def test_show_tells_the_newest_messages_and_how_many_are_older(said, tmp_path: Path) -> None:
    await asyncio.to_thread(said, "add", "company:ford", "--webhook", "https://hook.example/x", "--name", "Ford")
    one = orjson.loads((await asyncio.to_thread(said, "show", "Ford", "--json"))[1])["subscription"]
    now = datetime.now(UTC).replace(microsecond=0)
    ended = [
        DeliveryProgress(
            *(f"{number:032}", one["endpoints"][0]["id"], number, DeliveryStatus.GIVEN_UP, now),
            ended_at=now,
            event_id=f"{number}a{number:030}",
        )
        for number in (2, 3, 1)
    ]
    async with await SqliteLog.open(tmp_path / "log.db") as log:
        states = [(state.id.encode(), encode(DeliveryState(delivery=state))) for state in ended]
        await log.append([NewRecord(DELIVERY_STATES, key, value, to_millis(now)) for key, value in states])
    code, text = await asyncio.to_thread(said, "show", "Ford", "-n", "2")
    assert (code, text.count("given up")) == (0, 2)
    assert "1 older; --limit shows them" in text
    assert "3a00000000" in text  # what the receiver knows it by, not the delivery's own id
    found = orjson.loads((await asyncio.to_thread(said, "show", "Ford", "-n", "2", "--json"))[1])["deliveries"]
    assert [its["sequence"] for its in found] == [2, 3]
