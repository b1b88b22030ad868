"""kill -9 at seeded moments: each event reaches each matching subscriber, and repeats carry the same id."""

import asyncio
import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from tests.alerting import append, read
from tests.alerting_child import serving
from tests.mail_server import MailServer, receiving_mail
from tests.receiver import Answer, Received, Receiver, receiving
from tests.unit.alerts.making import event, sealer, subscription

from tieup.alerts.settings import AlertSettings, MailSettings
from tieup.alerts.subscribe import subscription_record
from tieup.events.envelope import envelope
from tieup.log.base import NewRecord
from tieup.log.topics import DELIVERIES, DELIVERY_STATES
from tieup.model.codec import decode, to_millis
from tieup.model.delivery import DeliveryState
from tieup.model.story import Headline
from tieup.model.subscription import Channel

ROUNDS = int(os.environ.get("TIEUP_TEST_ALERT_ROUNDS", "3"))
SEED = int(os.environ.get("TIEUP_TEST_SEED", "7"))
EVENTS_A_ROUND = 12
MOST_WAITING = 60  # then a round brings no more: a busy machine does less in the same time
FAILURES = (
    Answer(500),
    Answer(404),
    Answer(429, headers=(("Retry-After", "3"),)),
    Answer(503),
    Answer(cut=0),
    Answer(cut=30),
    Answer(302, headers=(("Location", "http://127.0.0.1/"),)),
    Answer(500, b"x" * 100_000, repeat=20),
)
CONCURRENT = AlertSettings().per_endpoint


def recent(number: int) -> NewRecord:
    now = datetime.now(UTC)
    changed = {"occurred_at": now - timedelta(hours=1), "observed_at": now, "headline": Headline(f"It is {number}", "")}
    return envelope(event(number, story=f"story {number % 5}", **changed), to_millis(now))


def number_of(message: Received) -> int:
    return int(orjson.loads(message.body)["data"]["event"]["revision"])


class Moody:
    """A receiver that fails once with some of its messages, in any way; a second failure would wait minutes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.failed: set[str] = set()

    def __call__(self, received: Received) -> Answer:
        if received.id in self.failed or self._chance.random() > 0.15:
            return Answer(wait_s=self._chance.random() * 0.02)
        self.failed.add(received.id)
        return self._chance.choice(FAILURES)


@pytest.mark.slow
async def test_killed_at_any_moment_nothing_is_lost_and_repeats_have_the_same_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance, since = random.Random(SEED), datetime.now(UTC)
    path, moody = tmp_path / "log.db", Moody(random.Random(SEED + 1))
    async with receiving(moody) as first, receiving() as second:
        wishes = [
            subscription("company:ford", name="one", url=first.url),
            subscription("company:xiaomi", name="two", url=second.url),
            subscription("company:bmw", name="never", url=second.url.replace("/hook", "/never")),
        ]
        await append(path, [subscription_record(one) for one in wishes])
        made = 0
        for _ in range(ROUNDS):
            if made - min(len(numbers_of(first)), len(numbers_of(second))) < MOST_WAITING:
                await append(path, [recent(one) for one in range(made + 1, made + 1 + EVENTS_A_ROUND)])
                made += EVENTS_A_ROUND
            before = told(first) + told(second)
            with serving(path, since):
                if chance.random() < 0.7:  # else it is killed while it starts, restores, or begins
                    await until(lambda now=before: told(first) + told(second) > now, path)
                await asyncio.sleep(chance.random() * 0.15)
        wanted = set(range(1, made + 1))
        with serving(path, since):
            await until(lambda: numbers_of(first) == numbers_of(second) == wanted, path)
            await until(lambda: told(first) >= made + len(moody.failed), path)
    assert len(await read(path, DELIVERIES)) == 2 * made
    again = [check(first, len(moody.failed)), check(second, 0)]
    said = (
        f"{ROUNDS} kills, seed {SEED}: {made} events to 2 endpoints, {told(first) + told(second)} attempts",
        f"{len(moody.failed)} failed and came again",
        f"{sum(again)} in flight at a kill came again, each with its id",
        "none lost, none out of order",
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{'; '.join(said)}\n")


@pytest.mark.slow
async def test_killed_while_mail_and_chats_are_sent_nothing_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mail that comes again is the same message; a chat is told again, and only what was under way."""
    chance, since, path = random.Random(SEED + 2), datetime.now(UTC), tmp_path / "log.db"
    mails = MailServer(data=lambda _: "451 4.3.0 later" if chance.random() < 0.1 else "250 OK: queued")
    chats: list[int] = []

    def moody(received: Received) -> Answer:
        if chance.random() < 0.1:
            return Answer(500)
        chats.append(number_in(orjson.loads(received.body)["title"]))
        return Answer()

    async with receiving_mail(mails), receiving(moody) as chat:
        places = (Channel.EMAIL, "desk@news.example"), (Channel.CHAT, f"json://127.0.0.1:{chat.port}/")
        wish = subscription("company:ford", endpoints=tuple(sealer().endpoint(*place) for place in places))
        mail = MailSettings("127.0.0.1", mails.port, "none", sender="alerts@tieup.example")
        await append(path, [subscription_record(wish)])

        made, rounds = 0, -(-ROUNDS // 3)
        for _ in range(rounds):
            if made - len(set(chats)) < MOST_WAITING:
                await append(path, [recent(one) for one in range(made + 1, made + 1 + EVENTS_A_ROUND)])
                made += EVENTS_A_ROUND
            watched: list[bytes] | list[int] = chance.choice((mails.raw, chats))
            before = len(watched)
            with serving(path, since, mail):
                await until(lambda watched=watched, before=before: len(watched) > before, path)
                await asyncio.sleep(chance.random() * 0.15)
        wanted = set(range(1, made + 1))
        with serving(path, since, mail):
            await until(lambda: set(chats) == {number_in(one["Subject"]) for one in mails.messages} == wanted, path)
    again = len(mails.raw) - made, len(chats) - made
    assert len(set(mails.raw)) == len({one["Message-ID"] for one in mails.messages}) == made
    assert 0 <= again[0] <= rounds * CONCURRENT
    assert 0 <= again[1] <= rounds
    for told in ([number_in(one["Subject"]) for one in mails.messages], chats):
        assert in_order(told)
    with capsys.disabled():
        said = f"{rounds} kills, seed {SEED}: {made} events, {again[0]} mails and {again[1]} chats came again"
        sys.stdout.write(f"\n{said}, none lost, none out of order\n")


def number_in(headline: str) -> int:
    return int(headline.rsplit(maxsplit=1)[-1])


def in_order(numbers: list[int]) -> bool:
    """Whether in each story the first arrivals are in order."""
    firsts = list(dict.fromkeys(numbers))
    stories = [[number for number in firsts if number % 5 == story] for story in range(5)]
    return all(its == sorted(its) for its in stories)


def numbers_of(receiver: Receiver) -> set[int]:
    return {number_of(message) for message in receiver.received}


def told(receiver: Receiver) -> int:
    return len(receiver.received)


def check(receiver: Receiver, failed: int) -> int:
    """One id for each event; in a story the first arrivals are in order. Return how many came again unasked: no more
    than can be in flight at the kills.
    """
    ids: dict[int, set[str]] = {}
    for message in receiver.received:
        ids.setdefault(number_of(message), set()).add(message.id)
    assert all(len(its) == 1 for its in ids.values())
    assert len({one for its in ids.values() for one in its}) == len(ids)
    assert in_order([number_of(message) for message in receiver.received])
    again = len(receiver.received) - len(ids) - failed
    assert 0 <= again <= ROUNDS * CONCURRENT
    return again


async def until(found: Callable[[], bool], path: Path, within_s: float = 180.0) -> None:
    ends_at = asyncio.get_running_loop().time() + within_s
    while not found():
        assert asyncio.get_running_loop().time() < ends_at, f"it did not come about: {await waiting(path)}"
        await asyncio.sleep(0.02)


async def waiting(path: Path) -> list[str]:
    """What waits, and how the endpoints fare."""
    newest = {record.key: record for record in await read(path, DELIVERY_STATES)}
    states = [decode(DeliveryState, one.value, "state") for one in newest.values() if one.value is not None]
    under_way = [one.delivery for one in states if one.delivery is not None and one.delivery.ended_at is None]
    fares = [f"{one.endpoint}" for one in states if one.endpoint is not None]
    return [
        f"{datetime.now(UTC)}",
        *fares,
        *(f"{one.id}: {one.tries} tries, due {one.due_at}, {one.attempts}" for one in under_way),
    ]
