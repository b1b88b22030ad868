"""What waits for a process or a mail server takes no webhook's place."""

from collections import Counter

from tests.unit.alerts.driving import Driver
from tests.unit.alerts.making import T0, event, event_record, matcher, sealer, subscription

from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.settings import AlertSettings
from tieup.model.subscription import Channel, Subscription


def wish(channel: Channel, number: int) -> Subscription:
    return subscription(
        "company:ford", name=f"{channel} {number}", endpoints=(sealer().endpoint(channel, f"{number}"),)
    )


def test_each_channel_has_its_room_and_feeds_have_no_lane() -> None:
    wishes = [wish(channel, number) for channel in Channel for number in range(12)]
    driver = Driver(settings=AlertSettings(concurrency=16, chat_processes=3))
    driver.subscribe(*wishes)
    worker = matcher(*wishes)
    for number in range(3):
        driver.take(*worker.process(event_record(event(1, story=f"{number}"), at=T0)).records)
    acts = driver.worker.wake(T0).acts
    requests = [act.payload for act in acts if isinstance(act.payload, AttemptRequest)]
    by = Counter(one.endpoint.channel for one in requests)
    assert by == {Channel.WEBHOOK: 36, Channel.CHAT: 3, Channel.EMAIL: 4}
    chats = [one.endpoint.id for one in requests if one.endpoint.channel is Channel.CHAT]
    assert len(set(chats)) == 3  # one message at a time to one chat
    driver.turn()
    for _ in range(20):
        driver.turn()
    assert Counter(sent.request.endpoint.channel for sent in driver.sent) == {
        Channel.WEBHOOK: 36,
        Channel.CHAT: 36,
        Channel.EMAIL: 36,
    }
