"""Digests among other messages: what they hold, and that order is kept."""

from datetime import timedelta

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.delivered import DEAD, MINUTE, ended, revisions_of, started, told
from tests.unit.alerts.driving import OK, Driver
from tests.unit.alerts.making import T0, event, subscription

from tieup.alerts.attempt import AttemptRequest, Reply
from tieup.model.delivery import DeliveryStatus
from tieup.model.subscription import Mode


def test_a_digest_holds_what_came_and_keeps_its_id() -> None:
    wish = subscription(mode=Mode(digest_h=1))
    driver, _ = started(lambda request: DEAD, wish)
    driver.take(*told(wish, event(1), event(2), event(1, story="b")))
    driver.until(T0 + timedelta(minutes=59), MINUTE)
    assert driver.sent == []
    driver.until(T0 + timedelta(minutes=75), MINUTE)
    bodies = {one.request.body for one in driver.sent}
    assert len(driver.sent) >= 2
    assert len(bodies) == len({one.request.message_id for one in driver.sent}) == 1
    body = orjson.loads(bodies.pop())
    assert body["type"] == "tieup.digest.v1"
    assert [one["event"]["revision"] for one in body["data"]["alerts"]] == [1, 2, 1]
    assert ended(driver).count(DeliveryStatus.DIGESTED) == 3


def test_a_digest_too_large_for_one_message_is_several() -> None:
    wish = subscription(mode=Mode(digest_h=1))
    driver, _ = started(one=wish)
    driver.take(*told(wish, *(event(number) for number in range(1, 31))))
    driver.until(T0 + timedelta(minutes=62), MINUTE)
    bodies = [orjson.loads(one.request.body) for one in driver.sent]
    assert all(len(one.request.body) < 20_000 for one in driver.sent)
    assert len(bodies) > 1
    assert [one["event"]["revision"] for body in bodies for one in body["data"]["alerts"]] == list(range(1, 31))


def test_a_burst_sends_the_first_at_once_and_the_rest_together() -> None:
    wish = subscription(mode=Mode(at_once=1, window_s=900))
    driver, _ = started(one=wish)
    driver.take(*told(wish, event(1), event(2), event(3)))
    driver.until(T0 + timedelta(minutes=20), MINUTE)
    kinds = [(one.at - T0, orjson.loads(one.request.body)["type"]) for one in driver.sent]
    assert kinds == [(timedelta(0), "tieup.story.denied.v1"), (timedelta(minutes=15), "tieup.digest.v1")]
    driver.take(*told(wish, event(4), at=driver.now))
    driver.turn()
    assert len(driver.sent) == 2  # the digest counts
    driver.until(T0 + timedelta(minutes=46), MINUTE)
    driver.take(*told(wish, event(5), at=driver.now))
    driver.turn()
    assert driver.sent[-1].at == driver.now


def test_a_digest_that_fails_holds_its_stories_up_and_no_other() -> None:
    wish = subscription(mode=Mode(at_once=1, window_s=60))
    calm = subscription(name="calm")
    failing = [DEAD]

    def answer(request: AttemptRequest) -> Reply:
        return failing.pop() if failing and b"tieup.digest" in request.body else OK

    driver, _ = started(answer, wish)
    driver.subscribe(calm)
    driver.take(*told(wish, event(1), event(2), event(3, story="b")))
    driver.until(T0 + timedelta(seconds=62))
    assert revisions_of(driver) == [1, 2, 3]
    driver.take(*told(calm, event(4), event(5, story="c"), at=driver.now))
    driver.turn()
    assert revisions_of(driver) == [1, 2, 3, 5]
    driver.until(T0 + timedelta(seconds=80))
    assert revisions_of(driver) == [1, 2, 3, 5, 2, 3, 4]


def test_what_goes_at_once_takes_along_what_is_held_of_its_story() -> None:
    daily, hasty = subscription(mode=Mode(digest_h=24)), subscription(name="hasty")
    driver = Driver()
    driver.subscribe(daily, hasty)
    driver.take(*told(daily, event(1), event(2, story="b"), event(3)), *told(hasty, event(4)))
    driver.until(T0 + timedelta(seconds=3))
    assert revisions_of(driver) == [1, 3, 4]
    driver.until(T0 + timedelta(hours=13), timedelta(minutes=10))
    assert revisions_of(driver) == [1, 3, 4, 2]


def test_digests_of_two_at_one_place_that_are_due_together_hold_nothing_twice() -> None:
    one, two = (subscription(name=name, mode=Mode(digest_h=1)) for name in ("one", "two"))
    driver = Driver()
    driver.subscribe(one, two)
    driver.take(*told(one, event(1)), *told(two, event(2)), *told(one, event(3)), *told(two, event(4)))
    driver.until(T0 + timedelta(hours=1, minutes=2), MINUTE)
    assert revisions_of(driver) == [1, 2, 3, 4]


def test_a_digest_that_is_tried_again_is_overtaken_by_no_later_one_of_its_story() -> None:
    """Whichever of the two is made first."""
    for names in (("one", "two"), ("two", "one")):
        one, two = (subscription(name=name, mode=Mode(digest_h=1)) for name in names)
        failing = [DEAD]
        received: list[int] = []

        def answer(request: AttemptRequest) -> Reply:
            if failing:  # noqa: B023 - called before the next turn
                return failing.pop()  # noqa: B023
            body = orjson.loads(request.body)["data"]
            received.extend(alert["event"]["revision"] for alert in body["alerts"])  # noqa: B023
            return OK

        driver = Driver(answer)
        driver.subscribe(one, two)
        driver.take(*told(one, event(1)), *told(two, event(2)), *told(one, event(3, story="b")))
        driver.until(T0 + timedelta(hours=1, minutes=2), timedelta(seconds=10))
        assert sorted(received) == [1, 2, 3]
        assert received.index(1) < received.index(2)


MODES = (
    Mode(),
    Mode(digest_h=1),
    Mode(digest_h=1, timezone="Asia/Tokyo"),  # due at the same time
    Mode(at_once=1, window_s=300),
    Mode(quiet_from="12:10", quiet_to="12:25"),
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_each_event_arrives_once_and_a_story_in_order_whatever_the_modes_and_failures(data: st.DataObject) -> None:
    """Several subscriptions share an endpoint, each with a mode of its own; answers fail now and then."""
    wishes = [subscription(name=str(number), mode=mode) for number, mode in enumerate(MODES)]
    answers = iter(
        data.draw(st.lists(st.sampled_from([OK, OK, DEAD, Reply(status=429, retry_after_s=90)]), max_size=40))
    )
    received: list[int] = []

    def answer(request: AttemptRequest, *, later: bool = False) -> Reply:
        reply = OK if later else next(answers, OK)
        if reply.delivered:
            body = orjson.loads(request.body)["data"]
            received.extend(alert["event"]["revision"] for alert in body.get("alerts", [body]))
        return reply

    driver = Driver(answer)
    driver.subscribe(*wishes)
    chosen = data.draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 400)), max_size=16))
    for revision, (wish, story, pause) in enumerate(chosen, start=1):
        driver.take(*told(wishes[wish], event(revision, story=str(story)), at=driver.now))
        driver.until(driver.now + timedelta(seconds=pause), timedelta(seconds=60))
    driver.answers = lambda request: answer(request, later=True)
    driver.until(driver.now + timedelta(hours=5), timedelta(minutes=10))
    driver.until(driver.now + timedelta(hours=80), timedelta(hours=2))
    assert sorted(received) == list(range(1, len(chosen) + 1))
    for story in range(3):
        its = [one for one in received if chosen[one - 1][1] == story]
        assert its == sorted(its)
    assert driver.letters == []
