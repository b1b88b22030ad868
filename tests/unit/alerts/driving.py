"""Drives a deliver worker by hand: its own clock, answers from a script, restarts from the state."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.unit.alerts.making import T0, subscribed

from tieup.alerts.attempt import AttemptRequest, Reply, outcome
from tieup.alerts.deliver import NAME, DeliverWorker
from tieup.alerts.settings import AlertSettings
from tieup.events.validate import SchemaValidator
from tieup.log.base import OUTCOME_OFFSET, Act, Change, NewRecord, Output, Record
from tieup.log.topics import DELIVERIES
from tieup.model.codec import decode, encode, to_millis
from tieup.model.delivery import DeliveryState
from tieup.model.subscription import Subscription

OK = Reply(delivered=True, status=200)
TOOK = timedelta(milliseconds=40)
_VALIDATOR = SchemaValidator()


@dataclass(slots=True)
class Sent:
    """One attempt as the outside saw it."""

    at: datetime
    request: AttemptRequest


@dataclass(slots=True)
class Driver:
    """One task. `answers` says what an endpoint replies; what is sent, and the dead letters, are kept."""

    answers: Callable[[AttemptRequest], Reply] = lambda request: OK
    settings: AlertSettings = field(default_factory=AlertSettings)
    now: datetime = T0
    sent: list[Sent] = field(default_factory=list)
    letters: list[NewRecord] = field(default_factory=list)
    state: dict[bytes, bytes | None] = field(default_factory=dict)
    tables: list[Change] = field(default_factory=list)
    offset: int = 0
    worker: DeliverWorker = field(init=False)

    def __post_init__(self) -> None:
        self.worker = DeliverWorker(self.settings)

    def subscribe(self, *subscriptions: Subscription) -> None:
        for one in subscriptions:
            self.tables.append(subscribed(one))
            self.worker.apply(self.tables[-1])

    def unsubscribe(self, one: Subscription) -> None:
        self.tables.append(Change("tieup.subscriptions.v1", one.id.encode(), None))
        self.worker.apply(self.tables[-1])

    def restart(self) -> None:
        """Build the worker again from its state, in another order than it was written in."""
        self.worker = DeliverWorker(self.settings)
        for key, value in sorted(self.state.items(), reverse=True):
            if value is not None:
                self.worker.apply(Change("tieup.delivery-states.v1", key, value))
        for change in self.tables:
            self.worker.apply(change)

    def take(self, *records: NewRecord) -> None:
        """Hand deliveries in, as the match worker published them."""
        for new in records:
            record = Record(DELIVERIES, 0, self.offset, new.key, new.value, new.timestamp)
            self.offset += 1
            self._accept(self.worker.process(record))

    def turn(self) -> list[Act]:
        """One turn of the task at this moment: what is due is tried, and every answer taken in."""
        output = self.worker.wake(self.now)
        self._accept(output)
        for act in output.acts:
            assert isinstance(act.payload, AttemptRequest)
            self.sent.append(Sent(self.now, act.payload))
        for act in output.acts:
            self._answer(act)
        return list(output.acts)

    def until(self, end: datetime, step: timedelta = timedelta(seconds=1)) -> None:
        """Let time pass."""
        while self.now < end:
            self.turn()  # what is held may become a digest, to be sent in the next
            while self.turn():
                pass
            self.now += step

    def _answer(self, act: Act) -> None:
        request = act.payload
        assert isinstance(request, AttemptRequest)
        value = encode(outcome(request, self.answers(request), self.now, self.now + TOOK))
        at = to_millis(self.now + TOOK)
        self._accept(self.worker.process(Record(NAME, 0, OUTCOME_OFFSET, act.id.encode(), value, at)))

    def _accept(self, output: Output) -> None:
        for record in output.records:
            _VALIDATOR.check(record.topic, record.value)
            self.letters.append(record)
        for change in output.changes:
            _VALIDATOR.check(change.topic, change.value)
            if change.state is not None:
                assert decode(DeliveryState, change.value, "a change") == change.state  # what a restore would read
            self.state[change.key] = change.value
            self.worker.apply(change)
