"""Events, subscriptions and records for the tests of alerts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tieup.alerts.filters import parse_filter
from tieup.alerts.match import MatchWorker
from tieup.alerts.sealing import Sealer
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.events.envelope import envelope
from tieup.ids import derive_id
from tieup.log.base import Change, Record
from tieup.log.topics import EVENTS, SUBSCRIPTIONS
from tieup.model.codec import decode, encode, to_millis
from tieup.model.story import StoryEvent
from tieup.model.subscription import Channel, Subscription

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples" / f"{EVENTS}"
KEY = "a key for tests that is long enough"
T0 = datetime(2026, 2, 1, 12, tzinfo=UTC)


@cache
def gazetteer() -> Gazetteer:
    return load_gazetteer()


@cache
def sealer() -> Sealer:
    return Sealer(KEY)


@cache
def _example() -> StoryEvent:
    found = [decode(StoryEvent, path.read_bytes(), path.name) for path in sorted(EXAMPLES.glob("*.json"))]
    return next(one for one in found if one.contested)


def event(number: int = 1, *, story: str = "one", **changed: object) -> StoryEvent:
    """An event of Ford and Xiaomi, an hour old at T0; `number` is its revision."""
    base = replace(
        _example(), story_id=derive_id(story), revision=number, occurred_at=T0 - timedelta(hours=1), observed_at=T0
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def event_record(one: StoryEvent, offset: int = 0, at: datetime = T0) -> Record:
    new = envelope(one, to_millis(at))
    return Record(EVENTS, 0, offset, new.key, new.value, new.timestamp, new.headers)


def subscription(
    text: str = "", *, name: str = "a wish", url: str = "https://hook.example/", **changed: object
) -> Subscription:
    base = Subscription(
        id=derive_id("subscription", name),
        name=name,
        filter=parse_filter(text, gazetteer()),
        endpoints=(sealer().endpoint(Channel.WEBHOOK, url),),
        created_at=T0 - timedelta(days=1),
        updated_at=T0 - timedelta(days=1),
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def subscribed(one: Subscription) -> Change:
    return Change(SUBSCRIPTIONS, one.id.encode(), encode(one))


def matcher(*subscriptions: Subscription) -> MatchWorker:
    worker = MatchWorker(gazetteer())
    for one in subscriptions:
        worker.apply(subscribed(one))
    return worker
