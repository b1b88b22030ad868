"""E-mail to a real SMTP server: what a mail program sees, threads, TLS, logins, refusals, and the lanes behind it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.alerting import KEY, alert_settings, alerting, append, read
from tests.certificates import made
from tests.mail_server import MailServer, receiving_mail
from tests.unit.alerts.making import event, subscription

from tieup.alerting import delivery_shell
from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.message import alert_body
from tieup.alerts.sealing import Sealer
from tieup.alerts.settings import MailSettings
from tieup.alerts.subscribe import subscription_record
from tieup.bootstrap import utc_now
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord
from tieup.log.topics import DELIVERY_STATES
from tieup.model.codec import decode, to_millis
from tieup.model.delivery import AttemptOutcome, DeliveryState, DeliveryStatus
from tieup.model.story import Headline
from tieup.model.subscription import Channel

SEALER = Sealer(KEY)
LINKS = Capabilities(KEY, "https://tieup.example.com/t")
DESK = "desk@news.example"


def mail_settings(server: MailServer, **changed: object) -> MailSettings:
    return MailSettings(
        **{"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "Tieup <alerts@tieup.example>"}
        | changed  # type: ignore[arg-type]
    )


def wanted(number: int = 1, *, delivery: str = "d" * 32, **changed: object) -> AttemptRequest:
    one = event(number, **changed)
    body = alert_body(one, "e" * 32, [subscription("company:ford", name="Ford & friends")])
    return AttemptRequest(delivery, 0, "e" * 32, one.story_id, SEALER.endpoint(Channel.EMAIL, DESK), body)


async def tried(
    server: MailServer, request: AttemptRequest, links: Capabilities | None = LINKS, **changed: object
) -> AttemptOutcome:
    shell = delivery_shell(
        alert_settings(total_s=1.0), KEY, utc_now, mail=mail_settings(server, **changed), links=links
    )
    try:
        return await shell.attempt(request)
    finally:
        await shell.close()


async def test_a_message_is_text_and_html_and_says_all() -> None:
    async with receiving_mail() as server:
        outcome = await tried(server, wanted())
    assert (outcome.delivered, outcome.status, outcome.excerpt) == (True, 250, "OK: queued")
    assert server.envelopes == [("alerts@tieup.example", [DESK])]
    (message,) = server.messages
    assert message["Subject"] == event().headline.en
    assert (str(message["From"]), message["To"]) == ("Tieup <alerts@tieup.example>", DESK)
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for said in (
        '"This story is completely false," a Ford spokesperson said',
        "Ford denies",
        "1 independent (Financial Times), 5 rewrites suppressed",
        "Ford & friends (company:ford)",
        "https://tieup.example.com/t/alerts/wrong/",
        "http://www.carwire.example/2026/02/",
    ):
        assert said in text
    assert "Ford &amp; friends (company:ford)" in html
    assert '<a href="https://tieup.example.com/t/alerts/wrong/' in html
    assert "<img" not in html
    assert len(server.raw[0]) < 20_000


async def test_one_click_leaves_the_list() -> None:
    async with receiving_mail() as server:
        await tried(server, wanted())
        await tried(server, wanted(), links=None)
        await tried(server, wanted(), links=Capabilities(KEY, "http://127.0.0.1:1"))
    with_links, without, plain_http = server.messages
    assert b"\r\nList-Unsubscribe: <https://tieup.example.com/t/alerts/stop/" in server.raw[0]
    stop = LINKS.stop_url(SEALER.endpoint(Channel.EMAIL, DESK).id)
    assert with_links["List-Unsubscribe"] == f"<{stop}>"
    assert with_links["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert without["List-Unsubscribe"] == "<mailto:alerts@tieup.example?subject=unsubscribe>"
    assert without["List-Unsubscribe-Post"] is None
    assert plain_http["List-Unsubscribe-Post"] is None


async def test_a_story_is_one_thread_and_a_repeat_the_same_message() -> None:
    async with receiving_mail() as server:
        for number, delivery, story in ((1, "a", "one"), (1, "a", "one"), (2, "b", "one"), (1, "c", "another")):
            await tried(server, wanted(number, delivery=delivery * 32, story=story))
    first, again, second, other = server.messages
    assert server.raw[0] == server.raw[1]
    assert b"\r\nReferences: <" in server.raw[0]  # as it stands: no mail program reads an encoded word as an id
    assert b"\r\nIn-Reply-To: <" in server.raw[0]
    assert max(len(line) for line in server.raw[0].split(b"\r\n")) < 998
    assert first["Message-ID"] == again["Message-ID"] == f"<{'a' * 32}@tieup.example>"
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert second["Message-ID"] != first["Message-ID"]
    assert other["References"] != first["References"]


async def test_what_publishers_write_is_no_header_and_no_markup() -> None:
    evil = "Ford\r\nBcc: all@victims.example\r\n\r\n<script>alert(1)</script>\u202etxt.exe"
    async with receiving_mail() as server:
        await tried(server, wanted(headline=Headline(evil, evil)))
    (message,) = server.messages
    assert server.envelopes[0][1] == [DESK]
    assert message["Bcc"] is None
    assert message["Subject"] == "Ford Bcc: all@victims.example <script>alert(1)</script> txt.exe"
    assert "<script" not in message.get_body(("html",)).get_content()
    assert "\u202e" not in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("answer", "gone", "status"),
    [
        ("550 5.1.1 no such user", True, 550),
        ("550 blocked", False, 550),
        ("450 4.2.0 greylisted", False, 450),
        ("552 5.2.2 mailbox full", False, 552),
    ],
)
async def test_a_refused_mailbox_is_gone_or_tried_again(answer: str, gone: bool, status: int) -> None:
    async with receiving_mail(MailServer(recipient=lambda address: answer)) as server:
        outcome = await tried(server, wanted())
    assert (outcome.delivered, outcome.gone, outcome.status) == (False, gone, status)
    assert outcome.error == f"the mail server answered {status}"


async def test_a_refused_message_a_slow_server_and_none_are_failures() -> None:
    async with receiving_mail(MailServer(data=lambda address: "554 5.7.1 spam")) as server:
        outcome = await tried(server, wanted())
    assert (outcome.gone, outcome.status, outcome.excerpt) == (False, 554, "5.7.1 spam")
    assert "127.0.0.1" in ((await tried(server, wanted())).error or "")
    async with receiving_mail(MailServer(wait_s=3)) as slow:
        assert "1 s" in ((await tried(slow, wanted())).error or "")


@pytest.fixture
def tls(tmp_path: Path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    return made(tmp_path)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_way_is_secret_and_the_server_known(tls, security: str) -> None:
    context, certificate = tls
    named = {"security": security, "username": "me"}
    async with receiving_mail(tls=context, implicit=security == "tls", login=True) as server:
        unknown = await tried(server, wanted(), **named, password="right")
        assert "certificate" in (unknown.error or "").lower()
        assert server.logins == []
        wrong = await tried(server, wanted(), **named, password="wrong-password", ca_file=certificate)
        assert (wrong.delivered, wrong.status) == (False, 535)
        assert "wrong-password" not in f"{wrong}"
        right = await tried(server, wanted(), **named, password="right", ca_file=certificate)
        assert (right.delivered, server.secret) == (True, [True])
    async with receiving_mail() as bare:
        assert not (await tried(bare, wanted(), security="starttls")).delivered
        assert bare.raw == []


async def test_the_lanes_hold_for_mail_order_repeats_and_the_end(tmp_path: Path) -> None:
    """The first message fails once: the second of the story waits for it. Another mailbox is gone and stopped."""
    failed: list[str] = []

    def data(address: str) -> str:
        if not failed:
            failed.append(address)
            return "451 4.3.0 later"
        return "250 OK"

    path = tmp_path / "log.db"
    ok = subscription("company:ford", name="a", endpoints=(SEALER.endpoint(Channel.EMAIL, DESK),))
    gone = subscription("company:ford", name="b", endpoints=(SEALER.endpoint(Channel.EMAIL, "gone@news.example"),))
    server = MailServer(data=data, recipient=lambda to: "550 5.1.1 no" if "gone" in to else "250 OK")
    async with receiving_mail(server):
        await append(path, [subscription_record(ok), subscription_record(gone), recent(1), recent(2)])
        mail = mail_settings(server)
        await alerting(path, alert_settings(), lambda: len(server.raw) == 3, speed=20, mail=mail)
    told = [
        one for one in server.messages if not one["Subject"].startswith("tieup tells nothing any more at your email")
    ]
    assert (
        len({message["Message-ID"] for message in told}) == 2
    )  # the third tells the owner of the mailbox that is gone
    states = [decode(DeliveryState, one.value, "state") for one in await read(path, DELIVERY_STATES) if one.value]
    stopped = [one.endpoint for one in states if one.endpoint and one.endpoint.stopped_at]
    assert [one.endpoint_id for one in stopped] == [gone.endpoints[0].id]
    assert "550" in (stopped[0].reason or "")
    tries = [one.delivery for one in states if one.delivery and one.delivery.status is DeliveryStatus.DELIVERED]
    assert {(one.tries, one.attempts[0].status) for one in tries} == {(2, 451), (1, 250)}


def recent(number: int, story: str = "one") -> NewRecord:
    now = datetime.now(UTC)
    return envelope(event(number, story=story, occurred_at=now - timedelta(hours=1), observed_at=now), to_millis(now))
