"""Webhooks over real connections: every sort of answer, and a receiver that verifies with the public library."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from standardwebhooks import Webhook
from tests.alerting import KEY, alert_settings, alerting, append, read, settled
from tests.receiver import Answer, Received, Receiver, needs_openssl, receiving, wrong_tls
from tests.unit.alerts.making import event, subscription

from tieup.alerting import delivery_shell
from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.message import alert_body
from tieup.alerts.sealing import Sealer, shown_secret
from tieup.alerts.shell import DeliveryShell
from tieup.alerts.subscribe import subscription_record
from tieup.bootstrap import utc_now
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord
from tieup.log.dead_letters import retried
from tieup.log.topics import DEAD_LETTERS
from tieup.model.codec import to_millis
from tieup.model.delivery import AttemptOutcome
from tieup.model.subscription import Channel, Subscription

SEALER = Sealer(KEY)


@asynccontextmanager
async def shell(master_key: str | None = KEY, **changed: object) -> AsyncIterator[DeliveryShell]:
    opened = delivery_shell(alert_settings(**changed), master_key, utc_now)
    try:
        yield opened
    finally:
        await opened.close()


async def tried(url: str, *, master_key: str | None = KEY, **changed: object) -> AttemptOutcome:
    endpoint = SEALER.endpoint(Channel.WEBHOOK, url)
    async with shell(master_key, **changed) as opened:
        return await opened.attempt(AttemptRequest("a delivery", 0, "a message", "a story", endpoint, b'{"a":1}'))


def recent(number: int, story: str = "one") -> NewRecord:
    now = datetime.now(UTC)
    return envelope(event(number, story=story, occurred_at=now - timedelta(hours=1), observed_at=now), to_millis(now))


def wish(receiver: Receiver, name: str = "a wish", text: str = "company:ford", **changed: object) -> Subscription:
    return subscription(text, name=name, url=receiver.url, **changed)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_success_is_two_hundred_and_something(status: int) -> None:
    async with receiving(lambda received: Answer(status, b"" if status == 204 else b"got it")) as receiver:
        outcome = await tried(receiver.url)
    assert (outcome.delivered, outcome.status, outcome.error) == (True, status, None)
    assert outcome.excerpt == (None if status == 204 else "got it")


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 404, 410, 418, 429, 500, 502, 503, 504])
async def test_everything_else_is_a_failure_and_410_the_end(status: int) -> None:
    async with receiving() as other:
        headers = (("Location", other.url), ("Retry-After", "120"))
        async with receiving(lambda received: Answer(status, b"no\x00\n\x1b[31mred", headers)) as receiver:
            outcome = await tried(receiver.url)
    assert (outcome.delivered, outcome.status, outcome.gone) == (False, status, status == 410)
    assert outcome.error == f"answered {status}"
    assert outcome.retry_after_s == 120
    assert outcome.excerpt == "no [31mred"
    assert other.received == []  # redirects are not followed


async def test_a_huge_answer_is_not_read() -> None:
    async with receiving(lambda received: Answer(500, b"x" * 1_000_000, repeat=50)) as receiver:
        outcome = await tried(receiver.url, total_s=20.0)
        assert receiver.bytes_sent < 20_000_000
    assert outcome.status == 500
    assert len(outcome.excerpt or "") == 200


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(wait_s=5), "no whole answer within 0.3 s"),
        (Answer(cut=0), "without sending a response"),
        (Answer(cut=20), "without sending"),
        (Answer(headers=(("Bad Header\x00", "x"),)), "no proper HTTP"),
    ],
)
async def test_no_answer_is_a_failure_that_says_why(answer: Answer, said: str) -> None:
    async with receiving(lambda received: answer) as receiver:
        outcome = await tried(receiver.url, total_s=0.3)
    assert (outcome.delivered, outcome.status) == (False, None)
    assert said in (outcome.error or "")
    assert "\n" not in (outcome.error or "")


async def test_nobody_there_is_a_failure() -> None:
    async with receiving() as receiver:
        url = receiver.url
    outcome = await tried(url)
    assert outcome.error
    assert outcome.status is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "2130706433"])
async def test_the_address_guard_stands_before_every_connection(host: str) -> None:
    async with receiving() as receiver:
        outcome = await tried(f"https://{host}:{receiver.port}/", allow_private=False)
    assert "not asked" in (outcome.error or "") or "cannot be resolved" in (outcome.error or "")
    assert receiver.received == []


@needs_openssl
async def test_a_wrong_certificate_gets_nothing(tmp_path: Path) -> None:
    context = await wrong_tls(tmp_path)
    async with receiving(tls=context) as receiver:
        outcome = await tried(
            f"https://hook.example:{receiver.port}/", hosts={"hook.example": f"127.0.0.1:{receiver.port}"}
        )
        assert receiver.received == []
    assert "certificate verify failed" in (outcome.error or "").lower()


async def test_without_the_master_key_every_attempt_says_so() -> None:
    outcome = await tried("https://a.example/", master_key=None)
    assert outcome.error == "master_key is not set: the endpoint's address cannot be opened"


async def test_an_event_reaches_a_receiver_that_verifies(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with receiving() as receiver:
        one = wish(receiver)
        await append(path, [subscription_record(one), recent(1), recent(2), recent(3, "another")])
        await alerting(path, alert_settings(), settled(receiver, 3))
        await alerting(path, alert_settings(), lambda: True)
    verifier = Webhook(shown_secret(SEALER.secret(one.endpoints[0].id, 1)))
    bodies = [verifier.verify(message.body, dict(message.headers)) for message in receiver.received]
    assert [body["data"]["event"]["revision"] for body in bodies if body["data"]["event"]["revision"] < 3] == [1, 2]
    assert len({message.id for message in receiver.received}) == len(bodies) == 3
    assert all(message.id == body["data"]["event_id"] for message, body in zip(receiver.received, bodies, strict=True))
    assert bodies[0]["type"] == "tieup.story.denied.v1"
    assert all(len(message.body) < 20_000 for message in receiver.received)


async def test_what_was_given_up_is_sent_after_a_retry_of_its_dead_letter_with_the_same_id(tmp_path: Path) -> None:
    path, answers = tmp_path / "log.db", [Answer(410)]
    async with receiving(lambda received: answers.pop() if answers else Answer()) as receiver:
        one = wish(receiver)
        await append(path, [subscription_record(one), recent(1)])
        await alerting(path, alert_settings(), settled(receiver, 1))
        letters = await read(path, DEAD_LETTERS)
        resumed = replace(one, updated_at=datetime.now(UTC))
        await append(path, [subscription_record(resumed), *map(retried, letters)])
        await alerting(path, alert_settings(), settled(receiver, 2))
    assert len(letters) == 1
    assert len(receiver.received) == 2
    assert len({(message.id, message.body) for message in receiver.received}) == 1


async def test_a_dead_endpoint_slows_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with receiving(lambda received: Answer(wait_s=30)) as dead, receiving() as live:
        await append(path, [subscription_record(wish(dead, "dead")), subscription_record(wish(live, "live"))])
        await append(path, [recent(number, f"story {number}") for number in range(1, 101)])
        await alerting(path, alert_settings(total_s=5.0), settled(live, 100), within_s=10)
    assert len({message.id for message in live.received}) == 100
    assert len(dead.received) <= 8


async def test_a_story_arrives_in_order_although_its_first_message_failed(tmp_path: Path) -> None:
    failed: list[str] = []

    def script(received: Received) -> Answer:
        revision = orjson.loads(received.body)["data"]["event"]["revision"]
        if revision == 1 and not failed:
            failed.append(received.id)
            return Answer(500)
        return Answer()

    path = tmp_path / "log.db"
    async with receiving(script) as receiver:
        await append(path, [subscription_record(wish(receiver)), *(recent(number) for number in (1, 2, 3))])
        await alerting(path, alert_settings(), settled(receiver, 4), speed=20)
    revisions = [orjson.loads(message.body)["data"]["event"]["revision"] for message in receiver.received]
    assert revisions == [1, 1, 2, 3]


async def test_what_is_signed_holds_the_link_to_mark_it_as_wrong() -> None:
    links, one = Capabilities(KEY, "https://tieup.example.com"), subscription("company:ford")
    body = alert_body(event(1), "e" * 32, [one])
    async with receiving() as receiver:
        endpoint = SEALER.endpoint(Channel.WEBHOOK, receiver.url)
        opened = delivery_shell(alert_settings(), KEY, utc_now, links=links)
        for attempt in range(2):
            await opened.attempt(AttemptRequest("d", attempt, "m", event(1).story_id, endpoint, body))
        await opened.close()
    first, again = receiver.received
    said = Webhook(shown_secret(SEALER.secret(endpoint.id, 1))).verify(first.body, dict(first.headers))
    assert said["data"]["wrong_url"] == links.wrong_url(one.id, "e" * 32, event(1).story_id)
    assert first.body == again.body


async def test_secrets_rotate_without_a_gap(tmp_path: Path) -> None:
    async with receiving() as receiver:
        endpoint = SEALER.endpoint(Channel.WEBHOOK, receiver.url)
        rotating = replace(endpoint, secret_version=2, former_until=datetime.now(UTC) + timedelta(hours=1))
        async with shell() as opened:
            await opened.attempt(AttemptRequest("d", 0, "m", "s", rotating, b'{"a":1}'))
    (message,) = receiver.received
    assert len(message.headers["webhook-signature"].split(" ")) == 2
    for version in (1, 2):
        secret = shown_secret(SEALER.secret(endpoint.id, version))
        assert Webhook(secret).verify(message.body, dict(message.headers)) == {"a": 1}
