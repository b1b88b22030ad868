"""Chats by Apprise against loopback: what services get, and that its requests keep to the address guard."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from tests.alerting import KEY, alert_settings
from tests.certificates import made
from tests.receiver import Answer, receiving
from tests.unit.alerts.making import event, subscription

from tieup.alerting import delivery_shell
from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.channels.chat import ChatSender, chat_url
from tieup.alerts.message import alert_body
from tieup.alerts.sealing import Sealer
from tieup.alerts.shell import DeliveryShell
from tieup.bootstrap import utc_now
from tieup.errors import UsageError
from tieup.model.delivery import AttemptOutcome
from tieup.model.story import Headline
from tieup.model.subscription import Channel

SEALER = Sealer(KEY)
LINKS = Capabilities(KEY, "https://tieup.example.com")
EVIL = "Ford <!channel> @everyone [win](http://evil.example/) <at>boss</at> `x`"


@asynccontextmanager
async def shell(**changed: object) -> AsyncIterator[DeliveryShell]:
    opened = delivery_shell(alert_settings(**{"total_s": 5.0, **changed}), KEY, utc_now, links=LINKS)
    try:
        yield opened
    finally:
        await opened.close()


async def sent(opened: DeliveryShell, url: str, headline: str = "") -> AttemptOutcome:
    one = event(1, headline=Headline(headline, headline)) if headline else event(1)
    body = alert_body(one, "e" * 32, [subscription("company:ford", name="Ford")])
    endpoint = SEALER.endpoint(Channel.CHAT, url)
    return await opened.attempt(AttemptRequest("d" * 32, 0, "e" * 32, one.story_id, endpoint, body))


async def test_a_service_gets_the_message_and_nothing_else_and_its_answer_counts(tmp_path: Path) -> None:
    elsewhere = Answer(302, headers=(("Location", "/elsewhere"),))
    answers = iter([Answer(200), Answer(500), Answer(410), elsewhere, elsewhere])
    async with receiving(lambda received: next(answers)) as receiver, shell() as opened:
        url = f"json://127.0.0.1:{receiver.port}/a-secret-token"
        outcomes = [await sent(opened, url, EVIL if number == 3 else "") for number in range(4)]
        outcomes.append(await sent(opened, f"{url}?redirect=yes&retry=3&optional=yes"))  # the address does not decide
        (tmp_path / "card.json").write_text("{}")
        file = await sent(opened, f"workflows://127.0.0.1:{receiver.port}/abc/def?template={tmp_path}/card.json")
    assert not file.delivered
    assert "open: not allowed" in (file.error or "")
    assert [(one.delivered, one.gone) for one in outcomes] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
        (False, False),
    ]
    assert "a-secret-token" not in f"{outcomes}"
    assert len(receiver.received) == 5  # one request an attempt: Apprise neither tries again nor follows
    said = orjson.loads(receiver.received[0].body)
    assert said["title"] == event().headline.en
    for part in (
        "Ford denies",
        "1 independent (Financial Times), 5 rewrites suppressed",
        "alerts/wrong/",
        "Ford (comp",
    ):
        assert part in said["message"]
    title = orjson.loads(receiver.received[3].body)["title"]
    assert not any(mark in title for mark in ("<", ">", "](", "@e", "`"))  # no mention, no tag, no hidden link


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_teams_gets_an_adaptive_card(tmp_path: Path) -> None:
    context, _ = made(tmp_path)
    async with receiving(lambda received: Answer(202), tls=context) as receiver, shell() as opened:
        outcome = await sent(opened, f"workflows://127.0.0.1:{receiver.port}/abc/def?verify=no", EVIL)
    assert outcome.delivered, outcome.error
    (attachment,) = orjson.loads(receiver.received[0].body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    assert {part["type"] for part in card["body"]} == {"TextBlock"}
    assert "entities" not in card["msteams"]  # nobody is mentioned
    assert "[win](" not in card["body"][0]["text"]


async def test_private_addresses_are_refused_whatever_opens_the_connection() -> None:
    """HTTP by a number and by a name, IPv6, datagrams, another protocol's own socket."""
    async with receiving() as receiver, shell(allow_private=False) as opened:
        for place in ("json://127.0.0.1", "json://localhost", "ntfy://[::1]", "rsyslog://127.0.0.1", "irc://127.0.0.1"):
            path = "" if place.startswith("rsyslog") else "/topic"
            outcome = await sent(opened, f"{place}:{receiver.port}{path}")
            assert not outcome.delivered, place
            assert "not a public address; not asked" in (outcome.error or ""), place
        assert "not a public" in ((await sent(opened, "json://169.254.169.254/latest")).error or "")
    assert receiver.received == []


async def test_a_service_that_hangs_costs_its_attempt_and_no_other_endpoint_waits() -> None:
    async with receiving(lambda received: Answer(wait_s=30)) as dead, receiving() as live, shell(total_s=1.0) as opened:
        hanging = [asyncio.create_task(sent(opened, f"json://127.0.0.1:{dead.port}/")) for _ in range(2)]
        first, *_ = await asyncio.wait(
            [*hanging, asyncio.create_task(sent(opened, f"json://127.0.0.1:{live.port}/"))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert [one.result().delivered for one in first] == [True]
        outcomes = await asyncio.gather(*hanging)
    assert not any(one.delivered for one in outcomes)
    assert outcomes[0].error


async def test_a_process_that_nobody_needs_ends_by_itself() -> None:
    sender = ChatSender(alert_settings(total_s=5.0), None, idle_s=0.05)
    async with receiving() as receiver:
        url = f"json://127.0.0.1:{receiver.port}/"
        request = AttemptRequest("d", 0, "m", "s", SEALER.endpoint(Channel.CHAT, url), alert_body(event(1), "e", []))
        assert (await sender.send(request, url, utc_now())).delivered
        (process,) = sender._idle
        async with asyncio.timeout(5):
            assert await process.wait() == 0
    await sender.close()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("nowhere", "such as slack://"),
        ("https://hook.example/\nx", "such as slack://"),
        ("file:///etc/passwd", "this machine only"),
        ("syslog://", "this machine only"),
        ("mailto://me:pw@mail.example", "--email"),
        ("slack://only-one-token", "lacks something"),
    ],
)
async def test_a_wrong_address_is_told_without_being_shown(url: str, line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        await chat_url(url)
    assert "token" not in str(caught.value)
    assert "pw" not in str(caught.value)
