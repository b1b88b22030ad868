"""Receivers that fail in every way, side by side: the exact attempts that each gets, over three days run fast."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from tests.alerting import alert_settings, alerting, append, read
from tests.integration.test_webhooks import recent
from tests.kafka_broker import free_port
from tests.receiver import Answer, Received, needs_openssl, receiving, wrong_tls
from tests.unit.alerts.making import sealer, subscription

from tieup.alerts.retries import WAITS_S
from tieup.alerts.subscribe import subscription_record
from tieup.log.topics import DEAD_LETTERS, DELIVERY_STATES
from tieup.model.codec import decode
from tieup.model.delivery import DeliveryProgress, DeliveryState, DeliveryStatus
from tieup.model.subscription import Channel, Subscription

ALL = len(WAITS_S) + 1
OK, BUSY = Answer(), Answer(500)
SPEED = 40_000
GIVEN_UP, DELIVERED = DeliveryStatus.GIVEN_UP, DeliveryStatus.DELIVERED


@dataclass(frozen=True, slots=True)
class Case:
    """A receiver: its answers, the last of them for ever; how many attempts it gets; how that ends; what is noted."""

    answers: tuple[Answer, ...]
    attempts: int
    ends: DeliveryStatus
    said: str | int | None = None


CASES = {
    "200": Case((OK,), 1, DELIVERED, 200),
    "204": Case((Answer(204, b""),), 1, DELIVERED, 204),
    "huge": Case((Answer(200, b"x" * 1_000_000, repeat=5),), 1, DELIVERED, 200),
    "200, its body cut": Case((Answer(200, b"x" * 1_000, cut=200),), 1, DELIVERED, 200),
    "500, its body cut": Case((Answer(500, b"x" * 1_000, cut=200), OK), 2, DELIVERED, 200),
    "third time": Case((BUSY, Answer(404), OK), 3, DELIVERED, 200),
    "last time": Case((*[BUSY] * (ALL - 1), OK), ALL, DELIVERED, 200),
    "410": Case((Answer(410),), 1, GIVEN_UP, 410),
    "410 later": Case((BUSY, Answer(410)), 2, GIVEN_UP, 410),
    "wait a day": Case((Answer(429, headers=(("Retry-After", "86000"),)), OK), 2, DELIVERED, 200),
    "wait an hour": Case((Answer(503, headers=(("Retry-After", "3600"),)), OK), 2, DELIVERED, 200),
    "wait for ever": Case((Answer(503, headers=(("Retry-After", "99999999"),)), OK), 2, DELIVERED, 200),
    "not to be waited for": Case((Answer(500, headers=(("Retry-After", "86000"),)), OK), 2, DELIVERED, 200),
    "slow": Case((Answer(wait_s=3),), ALL, GIVEN_UP, "no whole answer within 1 s"),
    "cut": Case((Answer(cut=20),), ALL, GIVEN_UP, "the server disconnected without sending a whole head"),
    "cut, then well": Case((Answer(cut=0), OK), 2, DELIVERED, 200),
    "no http": Case((Answer(headers=(("Bad Header\x00", "x"),)),), ALL, GIVEN_UP, "the answer is no proper HTTP"),
    **{str(status): Case((Answer(status),), ALL, GIVEN_UP, status) for status in (400, 401, 403, 413, 502, 503, 504)},
    "redirect": Case((Answer(307, headers=(("Location", "REDIRECT"),)),), ALL, GIVEN_UP, 307),
    "redirect to a private address": Case(
        (Answer(302, headers=(("Location", "http://169.254.169.254/"),)),), ALL, GIVEN_UP, 302
    ),
}  # fmt: skip


@needs_openssl
async def test_each_gets_exactly_the_attempts_that_are_its_due(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    tls = await wrong_tls(tmp_path)
    async with (
        receiving() as elsewhere,
        receiving(scripts(elsewhere.url)) as receiver,
        receiving(tls=tls) as untrusted,
    ):
        urls = {name: f"{receiver.url}/{number}" for number, name in enumerate(CASES)}
        urls |= {"tls": f"https://hook.example:{untrusted.port}/", "nobody": f"http://127.0.0.1:{free_port()}/"}
        wishes = {name: of_an_owner(name, url) for name, url in urls.items()}
        await append(path, [*map(subscription_record, wishes.values()), recent(1)])
        hosts = {"hook.example": f"127.0.0.1:{untrusted.port}"}
        settings = alert_settings(failing_days=30, keep_days=365, total_s=1.0, hosts=hosts)
        await alerting(path, settings, ended(path, len(wishes)), speed=SPEED, within_s=90)
    states = {one.endpoint_id: one for one in await progress(path)}
    found = {name: states[one.endpoints[0].id] for name, one in wishes.items()}
    assert {name: (one.tries, one.status) for name, one in found.items()} == {
        **{name: (case.attempts, case.ends) for name, case in CASES.items()},
        "tls": (ALL, GIVEN_UP),
        "nobody": (ALL, GIVEN_UP),
    }
    for name, case in CASES.items():
        last = found[name].attempts[-1]
        assert case.said == last.status or str(case.said) in (last.error or ""), name
        assert len(last.excerpt or "") <= 200
    assert all("certificate verify failed" in (one.error or "").lower() for one in found["tls"].attempts)
    assert untrusted.received == elsewhere.received == []
    check_arrivals(receiver.received, list(CASES))
    check_waits(found)
    letters = [orjson.loads(record.value or b"") for record in await read(path, DEAD_LETTERS)]
    assert sum(letter["worker"] == "deliver" for letter in letters) == len(
        [one for one in found.values() if one.status is GIVEN_UP]
    )


def of_an_owner(name: str, url: str) -> Subscription:
    """Each has an owner, so that none is told of another's end."""
    endpoint = sealer().endpoint(Channel.WEBHOOK, url, name)
    return subscription("company:ford", name=name, owner=name, endpoints=(endpoint,))


def scripts(elsewhere: str) -> Callable[[Received], Answer]:
    """Answer each path by its own script."""
    asked: dict[str, int] = defaultdict(int)
    cases = list(CASES.values())

    def answer(received: Received) -> Answer:
        answers = cases[int(received.path.rpartition("/")[2])].answers
        asked[received.path] += 1
        given = answers[min(asked[received.path], len(answers)) - 1]
        if ("Location", "REDIRECT") in given.headers:
            return Answer(given.status, headers=(("Location", elsewhere),))
        return given

    return answer


def ended(path: Path, count: int) -> Callable[[], Awaitable[bool]]:
    """Whether so many deliveries have come to their end; asked of the log now and then."""

    async def check() -> bool:
        await asyncio.sleep(0.5)
        return sum(one.ended_at is not None for one in await progress(path)) >= count

    return check


async def progress(path: Path) -> list[DeliveryProgress]:
    """The newest state of each delivery."""
    records = [one for one in await read(path, DELIVERY_STATES) if one.value is not None]
    states = {one.key: decode(DeliveryState, one.value, "state").delivery for one in records}
    return [one for one in states.values() if one is not None]


def check_arrivals(received: Sequence[Received], names: Sequence[str]) -> None:
    """Every attempt of a message has its id and its bytes; the signature's time moves on."""
    for number, name in enumerate(names):
        its = [one for one in received if one.path.endswith(f"/{number}")]
        assert len(its) == CASES[name].attempts, name
        assert len({(one.id, one.body) for one in its}) == 1
        stamps = [int(one.headers["webhook-timestamp"]) for one in its]
        assert stamps == sorted(stamps)


def check_waits(found: dict[str, DeliveryProgress]) -> None:
    """Nobody is tried before its time; the time of an attempt is when it ended."""
    for name, one in found.items():
        gaps = [
            (later.at - earlier.at).total_seconds()
            for earlier, later in zip(one.attempts, one.attempts[1:], strict=False)
        ]
        assert all(gap >= wait for wait, gap in zip(WAITS_S, gaps, strict=False)), name
    for name, wait in {"wait a day": 86_000, "wait an hour": 3_600, "wait for ever": 86_400}.items():
        first, second = found[name].attempts
        assert (second.at - first.at).total_seconds() >= wait
    first, second = found["not to be waited for"].attempts
    assert (second.at - first.at).total_seconds() < 86_000
