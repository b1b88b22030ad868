"""Delivering decided: the schedule, the order, the breaker, the end, and what a restart remembers."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.delivered import DEAD, MINUTE, ended, revisions_of, started, told
from tests.unit.alerts.driving import OK, TOOK, Driver
from tests.unit.alerts.making import T0, event, sealer, subscription

from tieup.alerts.attempt import AttemptRequest, Reply
from tieup.alerts.retries import WAITS_S
from tieup.alerts.settings import AlertSettings
from tieup.log.topics import DELIVERIES
from tieup.model.codec import decode
from tieup.model.delivery import Delivery, DeliveryState, DeliveryStatus
from tieup.model.subscription import Channel, Mode


def test_what_is_received_is_sent_once() -> None:
    driver, wish = started()
    driver.take(*told(wish, event()))
    driver.until(T0 + MINUTE)
    assert len(driver.sent) == 1
    assert ended(driver) == [DeliveryStatus.DELIVERED]
    (value,) = driver.state.values()
    assert value is not None
    assert b"headline" not in value  # the body goes with the end


def test_a_dead_endpoint_is_tried_after_each_wait_and_then_given_up() -> None:
    driver, wish = started(lambda request: DEAD)
    driver.take(*told(wish, event()))
    for _ in range(len(WAITS_S) + 1):
        step = timedelta(seconds=1 if len(driver.sent) < 3 else 30)
        while not driver.turn():
            driver.now += step
        driver.now += step
    gaps = [(b.at - a.at).total_seconds() for a, b in zip(driver.sent, driver.sent[1:], strict=False)]
    assert len(driver.sent) == 10
    assert all(wait <= gap <= wait * 1.1 + 32 for wait, gap in zip(WAITS_S, gaps, strict=True))
    assert any(gap > wait + 32 for wait, gap in zip(WAITS_S, gaps, strict=True))
    assert {one.request.message_id for one in driver.sent} == {driver.sent[0].request.message_id}
    assert {one.request.body for one in driver.sent} == {driver.sent[0].request.body}
    (letter,) = driver.letters
    assert orjson.loads(letter.value)["message"].endswith("given up after 10 attempts: answered 500")
    assert ended(driver) == [DeliveryStatus.GIVEN_UP]


def test_a_story_stays_in_order_and_another_story_does_not_wait() -> None:
    failing = {"one": 3}

    def answer(request: AttemptRequest) -> Reply:
        first = orjson.loads(request.body)["data"]["event"]["revision"] == 1
        if first and failing["one"]:
            failing["one"] -= 1
            return DEAD
        return OK

    driver, wish = started(answer)
    driver.take(*told(wish, event(1), event(2), event(7, story="another")))
    driver.until(T0 + timedelta(hours=1), timedelta(seconds=5))
    revisions = [orjson.loads(one.request.body)["data"]["event"]["revision"] for one in driver.sent]
    assert revisions == [1, 7, 1, 1, 1, 2]


def test_gone_stops_the_endpoint_until_somebody_edits_it() -> None:
    driver, wish = started(lambda request: Reply(gone=True, status=410, error="answered 410"))
    driver.take(*told(wish, event(1), event(2, story="b"), event(3, story="b")))
    driver.until(T0 + MINUTE)
    assert len(driver.sent) <= 2
    driver.take(*told(wish, event(4)))
    assert ended(driver) == [DeliveryStatus.GIVEN_UP] * 4
    assert len(driver.letters) == 4
    driver.answers = lambda request: OK
    driver.subscribe(subscription(updated_at=driver.now))
    driver.take(*told(wish, event(5)))
    driver.turn()
    assert ended(driver)[-1] == DeliveryStatus.DELIVERED


@pytest.mark.parametrize(("status", "waits"), [(429, 3600), (503, 3600), (500, 5)])
def test_only_those_who_ask_for_time_get_it_and_all_its_stories_wait(status: int, waits: int) -> None:
    driver, wish = started(lambda request: Reply(status=status, retry_after_s=3600, error=f"answered {status}"))
    driver.take(*told(wish, event(1)))
    driver.turn()
    driver.take(*told(wish, event(2, story="b")))
    driver.answers = lambda request: OK
    driver.until(T0 + timedelta(seconds=3700))
    other = [one.at for one in driver.sent if b'"revision":2' in one.request.body]
    assert (driver.sent[-1].at - T0 - TOOK).total_seconds() >= min(waits, 5)
    assert (other[0] - T0 >= timedelta(seconds=3600)) is (status != 500)


def test_the_breaker_lets_one_try_through_and_closes_on_success() -> None:
    driver, wish = started(lambda request: DEAD, per_endpoint=2, breaker_failures=3)
    driver.take(*told(wish, *(event(number, story=str(number)) for number in range(1, 21))))
    driver.turn()
    driver.turn()
    assert len(driver.sent) == 4  # two at once, twice: then it is left alone
    driver.until(T0 + timedelta(seconds=29))
    assert len(driver.sent) == 4
    driver.now += timedelta(seconds=61)
    assert len(driver.turn()) == 1
    driver.answers = lambda request: OK
    driver.now += timedelta(seconds=121)
    assert len(driver.turn()) == 1
    assert len(driver.turn()) == 2


def test_five_days_of_failure_stop_the_endpoint() -> None:
    driver, wish = started(lambda request: DEAD, failing_days=5)
    for hour in range(0, 150, 3):
        driver.take(*told(wish, event(hour + 1, story=str(hour))))
        driver.until(T0 + timedelta(hours=hour + 3), timedelta(minutes=20))
    assert (driver.sent[-1].at - driver.sent[0].at) // timedelta(hours=1) in range(119, 122)
    (health,) = [
        found.endpoint
        for value in driver.state.values()
        if value and (found := decode(DeliveryState, value, "")).endpoint
    ]
    assert health.reason == "failed for 5 days"


def test_a_dead_endpoint_slows_no_other() -> None:
    dead, live = subscription(url="https://dead.example/"), subscription(name="b", url="https://live.example/")
    driver = Driver(lambda request: OK if request.endpoint.id == live.endpoints[0].id else DEAD)
    driver.subscribe(dead, live)
    for number in range(1, 200):
        driver.take(*told(dead, event(number, story=str(number))))
    driver.take(*told(live, event(1, story="live")))
    acts = driver.turn()
    assert len(acts) == 5
    assert live.endpoints[0].id in {one.payload.endpoint.id for one in acts}


def test_what_is_too_much_for_an_endpoint_goes_to_the_dead_letters() -> None:
    driver, wish = started(lambda request: DEAD, max_pending=3)
    driver.take(*told(wish, *(event(number) for number in range(1, 6))))
    assert len(driver.letters) == 2
    assert b"3 wait for the endpoint" in driver.letters[0].value


def test_a_delivery_waits_for_its_subscription_and_is_cancelled_without_one() -> None:
    wish = subscription()
    driver = Driver()
    driver.take(*told(wish, event(1)))
    driver.until(T0 + MINUTE)
    assert driver.sent == []
    driver.subscribe(wish)
    driver.turn()
    assert len(driver.sent) == 1
    driver.unsubscribe(wish)
    driver.take(*told(wish, event(2)))
    driver.until(T0 + timedelta(minutes=11), timedelta(seconds=10))
    assert len(driver.sent) == 1
    assert ended(driver) == [DeliveryStatus.DELIVERED, DeliveryStatus.CANCELLED]


def test_the_same_delivery_twice_is_one_and_a_stale_answer_none() -> None:
    driver, wish = started()
    records = told(wish, event())
    driver.take(*records, *records)
    (act,) = driver.worker.wake(driver.now).acts
    driver.turn()
    driver._answer(act)
    assert len(driver.state) == 1
    driver.take(*records)
    driver.until(T0 + MINUTE)
    assert len(driver.sent) == 1


def test_what_ended_is_forgotten_after_its_days() -> None:
    driver, wish = started(keep_days=7)
    driver.take(*told(wish, event()))
    driver.until(T0 + timedelta(days=7, hours=2), timedelta(hours=1))
    assert list(driver.state.values()) == [None]
    assert driver.worker.wake(driver.now).changes == ()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_restarts_anywhere_change_nothing(data: st.DataObject) -> None:
    """Whatever is restarted when, the same attempts are made at the same moments."""
    script = data.draw(
        st.lists(st.sampled_from([OK, DEAD, Reply(status=503, retry_after_s=30, error="busy")]), max_size=12)
    )
    restarts = data.draw(st.sets(st.integers(0, 40)))

    def run(restarted: set[int]) -> list[tuple[datetime, str, int]]:
        answers = iter(script)
        wish, calm = (
            subscription(),
            subscription(name="calm", mode=Mode(at_once=1, window_s=60), url="https://b.example/"),
        )
        driver = Driver(lambda request: next(answers, OK))
        driver.subscribe(wish, calm)
        for step in range(40):
            if step in restarted:
                driver.restart()
            if step % 4 == 0:
                driver.take(*told(wish, event(step + 1, story=str(step % 3)), at=driver.now))
                driver.take(*told(calm, event(step + 1, story=str(step % 3)), at=driver.now))
            driver.turn()
            driver.now += timedelta(seconds=10)
        return [(one.at, one.request.delivery_id, one.request.attempt) for one in driver.sent]

    assert run(restarts) == run(set())


def test_of_a_stopped_endpoint_its_owner_is_told_and_nobody_else() -> None:
    urls = ("https://dead.example/", "https://mine.example/", "https://theirs.example/")
    dead = subscription(name="dead", endpoints=(sealer().endpoint(Channel.WEBHOOK, urls[0], "me"),), owner="me")
    mine = subscription(name="mine", endpoints=(sealer().endpoint(Channel.WEBHOOK, urls[1], "me"),), owner="me")
    theirs = subscription(name="theirs", endpoints=(sealer().endpoint(Channel.WEBHOOK, urls[2], "you"),), owner="you")
    driver = Driver(lambda request: Reply(gone=True, status=410, error="answered 410"))
    driver.subscribe(dead, mine, theirs)
    driver.take(*told(dead, event(1)))
    driver.turn()
    (notice,) = [one for one in driver.letters if one.topic == DELIVERIES]
    delivery = decode(Delivery, notice.value, "a notice")
    assert delivery.endpoint_id == mine.endpoints[0].id
    body = orjson.loads(delivery.body)
    assert (body["type"], body["data"]["endpoint_id"]) == ("tieup.endpoint.stopped.v1", dead.endpoints[0].id)
    assert body["data"]["subscriptions"] == [{"subscription_id": dead.id, "name": "dead"}]
    assert body["data"]["reason"] == "the receiver wants no more messages (410)"
    driver.answers = lambda request: OK
    driver.take(notice)
    driver.now += MINUTE
    driver.turn()
    assert driver.sent[-1].request.endpoint.id == mine.endpoints[0].id
    assert driver.sent[-1].request.message_id == delivery.event_id


@pytest.mark.parametrize("mode", [Mode(), Mode(digest_h=1)])
def test_a_pause_also_ends_what_waits_but_not_what_another_wants(mode: Mode) -> None:
    one, two = subscription(mode=mode), subscription(name="two", mode=mode)
    driver = Driver()
    driver.subscribe(one, two)
    driver.take(*told(one, event(1)), *told(two, event(2, story="b")))
    driver.subscribe(replace(one, paused=True))
    driver.until(T0 + timedelta(hours=1, minutes=2), MINUTE)
    assert revisions_of(driver) == [2]
    assert min(ended(driver)) == DeliveryStatus.CANCELLED


def test_a_removed_subscription_gets_nothing_more_although_its_endpoint_lives_on() -> None:
    one, two = subscription(), subscription(name="two")
    driver = Driver()
    driver.subscribe(one, two)
    driver.take(*told(one, event(1)), *told(two, event(2, story="b")))
    driver.unsubscribe(one)
    driver.until(T0 + timedelta(minutes=12), MINUTE)
    assert revisions_of(driver) == [2]
    assert set(ended(driver)) == {DeliveryStatus.CANCELLED, DeliveryStatus.DELIVERED}


def test_a_given_up_delivery_can_be_retried_from_its_dead_letter() -> None:
    driver, wish = started(lambda request: Reply(gone=True, status=410, error="answered 410"))
    records = told(wish, event(1))
    driver.take(*records)
    driver.turn()
    assert ended(driver) == [DeliveryStatus.GIVEN_UP]
    driver.answers = lambda request: OK
    driver.subscribe(replace(wish, updated_at=driver.now + MINUTE))
    driver.restart()
    driver.take(*records)
    driver.turn()
    assert ended(driver) == [DeliveryStatus.DELIVERED]
    assert len({one.request.message_id for one in driver.sent}) == 1


def test_in_a_crowd_each_endpoint_has_its_share() -> None:
    many, few = subscription(), subscription(name="few", url="https://few.example/")
    driver = Driver(lambda request: DEAD, AlertSettings(max_waiting=10))
    driver.subscribe(many, few)
    driver.take(*told(many, *(event(number, story=str(number)) for number in range(1, 13))))
    assert len(driver.letters) == 2
    driver.take(*told(few, event(1), event(2), event(3)))
    assert len(driver.letters) == 2
    driver.take(*told(many, event(20)))
    assert b"10 wait in all, 10 of them for the endpoint" in driver.letters[-1].value


def test_only_so_many_that_have_ended_are_remembered() -> None:
    driver, wish = started(keep_ended=2)
    driver.take(*told(wish, *(event(number, story=str(number)) for number in range(1, 6))))
    driver.until(T0 + timedelta(seconds=5))
    assert sum(value is not None for value in driver.state.values()) == 2


def test_what_was_under_way_to_a_stopped_endpoint_changes_nothing_and_a_second_stop_is_told_too() -> None:
    one, other = subscription(), subscription(name="other", url="https://other.example/")
    answers = [Reply(gone=True, status=410, error="answered 410"), OK]
    driver = Driver(lambda request: answers.pop(0) if answers and request.endpoint.id == one.endpoints[0].id else OK)
    driver.subscribe(one, other)
    driver.take(*told(one, event(1), event(2, story="b")))
    driver.turn()
    driver.take(*told(one, event(3)))
    assert ended(driver).count(DeliveryStatus.GIVEN_UP) == 2
    driver.subscribe(replace(one, updated_at=driver.now + MINUTE))
    driver.now += 2 * MINUTE
    answers.append(Reply(gone=True, status=410, error="answered 410"))
    driver.take(*told(one, event(4), at=driver.now))
    driver.turn()
    assert len({letter.key for letter in driver.letters if letter.topic == DELIVERIES}) == 2
