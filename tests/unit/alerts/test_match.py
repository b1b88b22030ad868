"""What an event fires, what it does not, and what is written for it."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from tests.unit.alerts.making import T0, event, event_record, gazetteer, matcher, sealer, subscribed, subscription

from tieup.alerts.conditions import facts_of
from tieup.alerts.index import SubscriptionIndex
from tieup.alerts.match import MatchWorker
from tieup.alerts.message import alert_body
from tieup.errors import BadRecord, StateVersionError
from tieup.events.envelope import event_id
from tieup.events.validate import SchemaValidator
from tieup.model.codec import decode, encode
from tieup.model.delivery import Delivery
from tieup.model.labels import EventType
from tieup.model.story import EventChange
from tieup.model.subscription import Channel, Mode


def fired(*subscriptions: object, one: object = None, at=T0) -> list[Delivery]:
    output = matcher(*subscriptions).process(event_record(one or event(), at=at))
    assert output.changes == output.acts == ()
    for record in output.records:
        SchemaValidator().check(record.topic, record.value)
    return [decode(Delivery, record.value, "delivery") for record in output.records]


def test_a_match_is_one_delivery_with_the_event_and_the_reason() -> None:
    (delivery,) = fired(subscription("company:ford -kind:supply", name="Ford"))
    assert delivery.event_id == event_id(event())
    body = orjson.loads(delivery.body)
    assert body["type"] == "tieup.story.denied.v1"
    assert body["data"]["event"]["headline"]["en"].startswith("Ford and Xiaomi")
    assert body["data"]["event"]["claims"][0]["url"]
    assert [one["filter"] for one in body["data"]["reasons"]] == ["company:ford -kind:supply"]


def test_two_subscriptions_at_one_endpoint_are_told_once_the_less_patient_first() -> None:
    calm = subscription(name="calm", mode=Mode(digest_h=24))
    quick = subscription(name="quick")
    elsewhere = subscription(name="elsewhere", url="https://other.example/")
    found = {one.endpoint_id: one for one in fired(calm, quick, elsewhere)}
    assert len(found) == 2
    assert found[quick.endpoints[0].id].subscription_ids == (quick.id, calm.id)
    assert found[quick.endpoints[0].id].mode == quick.mode


def test_another_owner_at_the_same_address_is_another_endpoint_and_sees_nothing_of_the_first() -> None:
    mine = subscription(name="mine", endpoints=(sealer().endpoint(Channel.WEBHOOK, "https://a.example/", "me"),))
    yours = subscription(name="yours", endpoints=(sealer().endpoint(Channel.WEBHOOK, "https://a.example/", "you"),))
    first, second = fired(mine, yours)
    assert first.endpoint_id != second.endpoint_id
    assert ("mine" in first.body) != ("mine" in second.body)
    assert sealer().secret(first.endpoint_id, 1) != sealer().secret(second.endpoint_id, 1)


@pytest.mark.parametrize(
    ("wish", "changed", "count"),
    [
        ({}, {}, 1),
        ({}, {"backfill": True}, 0),
        ({"backfill": True}, {"backfill": True}, 1),
        ({}, {"occurred_at": T0 - timedelta(hours=48)}, 1),
        ({}, {"occurred_at": T0 - timedelta(hours=48, seconds=1)}, 0),
        ({"max_age_h": 72}, {"occurred_at": T0 - timedelta(hours=48, seconds=1)}, 1),
        ({"created_at": T0 + timedelta(seconds=1)}, {}, 0),
        ({"paused": True}, {}, 0),
        ({}, {"type": EventType.MERGED}, 0),
    ],
)
def test_nobody_is_told_what_is_no_news(wish: dict, changed: dict, count: int) -> None:
    assert len(fired(subscription(**wish), one=event(**changed))) == count


def test_the_last_word_on_a_subscription_counts() -> None:
    worker = matcher(subscription("company:ford"))
    worker.apply(subscribed(subscription("company:bmw")))
    assert worker.process(event_record(event())).records == ()
    worker.apply(subscribed(subscription("company:ford")))
    worker.apply(replace(subscribed(subscription()), value=None))
    assert worker.process(event_record(event())).records == ()


def test_what_cannot_be_read_is_refused() -> None:
    record = event_record(event())
    with pytest.raises(BadRecord, match="without ce_id"):
        matcher(subscription()).process(replace(record, headers=()))
    newer = replace(subscribed(subscription()), value=encode(subscription(state_version=9)))
    with pytest.raises(StateVersionError, match="version 9"):
        MatchWorker(gazetteer()).apply(newer)


def test_a_message_stays_below_its_bound_whatever_the_event_holds() -> None:
    many = replace(event().claims[0], quote="x" * 300)
    large = event(
        claims=(many,) * 50,
        articles=event().articles * 10,
        parties=event().parties * 60,
        origins=("somebody with a long name",) * 100,
        changes=(EventChange("stance:somebody", "silent", "denies"),) * 50,
    )
    body = alert_body(large, "id", [subscription()])
    assert len(body) < 20_000
    assert orjson.loads(body)["data"]["event"]["claim_count"] == large.claim_count


def test_an_endpoint_of_many_is_told_once_with_the_first_reasons() -> None:
    (told,) = fired(*(subscription("company:ford", name=str(number)) for number in range(30)))
    assert len(orjson.loads(told.body)["data"]["reasons"]) == 20
    assert len(told.subscription_ids) == 30


def test_what_does_not_match_is_not_even_looked_at() -> None:
    """Of thousands only those that share a key with the event are checked."""
    others = sorted(one.id for one in gazetteer() if one.id not in {"ford", "xiaomi"})[:1_000]
    index = SubscriptionIndex()
    for name in others:
        index.put(subscription(f"company:{name}", name=name))
    for number in range(500):
        index.put(subscription(f"company:ford word:rare{number}", name=f"rare {number}"))
    wanted = subscription("company:ford")
    index.put(wanted)
    facts = facts_of(event(), gazetteer())
    assert index.candidates(facts) == {wanted.id}
    assert index.matching(facts) == [wanted]
