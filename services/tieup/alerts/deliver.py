"""The deliver worker: what is sent to whom and when, and what each answer means; the sending is the shell's.

delivery ─▶ at once ─▶ its story's lane ─▶ attempt ─▶ delivered
             │                               ├─▶ waits for the next attempt
             └─▶ held ─▶ digest ─▶ its lane  └─▶ given up, to the dead letters
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.message import digest_body
from tieup.alerts.modes import release
from tieup.alerts.pending import Pending
from tieup.alerts.retries import health_after, next_attempt_at
from tieup.alerts.settings import AlertSettings
from tieup.errors import DeliveryError
from tieup.ids import derive_id
from tieup.log.base import NOTHING, Act, Change, NewRecord, Output, Record, Shell, WorkerSpec
from tieup.log.dead_letters import dead_letter
from tieup.log.topics import DELIVERIES, DELIVERY_STATES, SUBSCRIPTIONS
from tieup.model.codec import decode, encode
from tieup.model.delivery import (
    MAX_ATTEMPTS_KEPT,
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryProgress,
    DeliveryState,
    DeliveryStatus,
    EndpointHealth,
    SendingWindow,
)

NAME: Final = "deliver"
MAX_AT_A_WAKE: Final = 50
GRACE: Final = timedelta(minutes=10)


class DeliverWorker:
    """One task's deliveries: those of the endpoints placed in its partition."""

    def __init__(self, settings: AlertSettings, partition: int = 0) -> None:
        self._settings = settings
        self._partition = partition
        self._pending = Pending()

    def process(self, record: Record) -> Output:
        """Take a delivery, or the outcome of an attempt. Raises BadRecord for one that cannot be read."""
        if record.topic == NAME:
            return self._answered(decode(AttemptOutcome, record.value, record.place))
        return self._wanted(decode(Delivery, record.value, record.place), record.offset)

    def apply(self, change: Change) -> None:
        """Take a subscription or a state of the task's own into memory. Raises StateVersionError."""
        self._pending.apply(change)

    def wake(self, now: datetime) -> Output:
        """Return the attempts that are due, fair to endpoints; make digests; give up and forget what is over."""
        acts: list[Act] = []
        outputs: list[Output] = []
        for endpoint_id in self._pending.lanes.endpoints_due(now):
            if self._pending.stopped(endpoint_id):
                outputs.append(self._stop(endpoint_id, now))
            elif endpoint_id not in self._pending.endpoints:
                outputs.append(self._orphaned(endpoint_id, now))
            else:
                acts.extend(self._acts(endpoint_id, now))
            if len(acts) >= 4 * self._settings.concurrency or len(outputs) >= MAX_AT_A_WAKE:
                break
        outputs += self._digests(now)
        changes = [change for one in outputs for change in one.changes]
        changes += self._pending.forgotten(now - timedelta(days=self._settings.keep_days), MAX_AT_A_WAKE)
        return Output(tuple(record for one in outputs for record in one.records), tuple(changes), tuple(acts))

    def _wanted(self, delivery: Delivery, sequence: int) -> Output:
        if self._pending.knows(delivery.id):
            return NOTHING
        progress = DeliveryProgress(
            id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            sequence=sequence,
            status=DeliveryStatus.WAITING,
            due_at=delivery.matched_at,
            delivery=delivery,
        )
        if self._pending.stopped(delivery.endpoint_id):
            return self._given_up(progress, delivery.matched_at, "the endpoint is stopped")
        if self._pending.count(delivery.endpoint_id) >= self._settings.max_pending:
            return self._given_up(progress, delivery.matched_at, f"{self._settings.max_pending} wait for the endpoint")
        if delivery.replay or not delivery.subscription_ids:
            return Output(changes=(_changed(progress),))
        return self._released(progress, delivery)

    def _released(self, progress: DeliveryProgress, delivery: Delivery) -> Output:
        window = self._pending.window(delivery.endpoint_id, delivery.subscription_ids[0])
        window = window or SendingWindow(delivery.endpoint_id, delivery.subscription_ids[0], delivery.matched_at)
        found = release(delivery.mode, delivery.matched_at, window)
        if found.held_until is not None:
            progress = replace(progress, status=DeliveryStatus.HELD, due_at=found.held_until)
        changes = (_changed(progress),)
        return Output(changes=changes if found.window.sent == window.sent else (*changes, _window(found.window)))

    def _answered(self, outcome: AttemptOutcome) -> Output:
        progress = self._pending.get(outcome.delivery_id)
        if progress is None or progress.tries != outcome.attempt:
            return NOTHING
        progress = _tried(progress, outcome)
        before = self._pending.health(progress.endpoint_id)
        health = health_after(before, outcome, self._settings)
        changed = () if health == before else (_health(health),)
        if outcome.delivered:
            return Output(changes=(_ended(progress, DeliveryStatus.DELIVERED, outcome.at), *changed))
        due_at = None if outcome.gone else next_attempt_at(progress.id, progress.tries, outcome)
        if due_at is not None:
            return Output(changes=(_changed(replace(progress, due_at=due_at)), *changed))
        given_up = self._given_up(progress, outcome.at, outcome.error or "no answer")
        return replace(given_up, changes=(*given_up.changes, *changed))

    def _acts(self, endpoint_id: str, now: datetime) -> Iterator[Act]:
        """An endpoint that has failed often is tried with one message at a time."""
        broken = self._pending.health(endpoint_id).failures >= self._settings.breaker_failures
        endpoint = self._pending.endpoints[endpoint_id]
        for progress in self._pending.lanes.due(endpoint_id, now, 1 if broken else self._settings.per_endpoint):
            delivery = progress.delivery
            if delivery is not None:
                request = AttemptRequest(
                    delivery_id=progress.id,
                    attempt=progress.tries,
                    message_id=delivery.event_id,
                    story_id=delivery.story_id,
                    endpoint=endpoint,
                    body=delivery.body.encode(),
                )
                yield Act(f"{progress.id}:{progress.tries}", request)

    def _stop(self, endpoint_id: str, now: datetime) -> Output:
        reason = self._pending.health(endpoint_id).reason or "the endpoint is stopped"
        given_up = [self._given_up(one, now, reason) for one in self._pending.lanes.waiting(endpoint_id, MAX_AT_A_WAKE)]
        return Output(
            tuple(record for one in given_up for record in one.records),
            tuple(change for one in given_up for change in one.changes),
        )

    def _orphaned(self, endpoint_id: str, now: datetime) -> Output:
        """Cancel what nobody subscribes to any more; a subscription may also be read a moment after its delivery."""
        late = [
            _ended(one, DeliveryStatus.CANCELLED, now)
            for one in self._pending.lanes.waiting(endpoint_id, MAX_AT_A_WAKE)
            if now - one.due_at > GRACE
        ]
        return Output(changes=tuple(late))

    def _digests(self, now: datetime) -> Iterator[Output]:
        for members in self._pending.digests_due(now, MAX_AT_A_WAKE):
            due_at = max(one.due_at for one in members)
            bodies = [one.delivery.body for one in members if one.delivery is not None]
            body, held = digest_body(bodies, due_at)
            digest = _digest(members[:held], body.decode(), due_at)
            ended = [_ended(replace(one, digest_id=digest.id), DeliveryStatus.DIGESTED, now) for one in members[:held]]
            yield Output(changes=(_changed(digest), *ended))

    def _given_up(self, progress: DeliveryProgress, at: datetime, reason: str) -> Output:
        letter = _letter(progress, self._partition, at, reason)
        return Output((letter,), (_ended(progress, DeliveryStatus.GIVEN_UP, at),))


def deliver_spec(settings: AlertSettings, shell: Shell | None = None) -> WorkerSpec:
    """Return the worker as the runner needs it; without a shell it only decides (tests)."""
    return WorkerSpec(
        name=NAME,
        build=lambda partition: DeliverWorker(settings, partition),
        streams=(DELIVERIES,),
        state=(DELIVERY_STATES,),
        global_tables=(SUBSCRIPTIONS,),
        shell=shell,
        concurrency=settings.concurrency,
        wakes=True,
    )


def _tried(progress: DeliveryProgress, outcome: AttemptOutcome) -> DeliveryProgress:
    took = (outcome.at - outcome.started_at) // timedelta(milliseconds=1)
    attempt = Attempt(outcome.at, max(0, took), outcome.status, outcome.error, outcome.excerpt)
    attempts = (*progress.attempts, attempt)[-MAX_ATTEMPTS_KEPT:]
    return replace(progress, tries=progress.tries + 1, attempts=attempts)


def _digest(members: list[DeliveryProgress], body: str, due_at: datetime) -> DeliveryProgress:
    """Return the delivery of a digest; its id follows from its members, so that every attempt has the same one."""
    digest_id = derive_id("digest", *(one.id for one in members))
    first = members[0]
    subscriptions = () if first.delivery is None else first.delivery.subscription_ids[:1]
    delivery = Delivery(
        id=digest_id,
        event_id=digest_id,
        story_id=derive_id("digest", *subscriptions),
        endpoint_id=first.endpoint_id,
        subscription_ids=subscriptions,
        matched_at=due_at,
        body=body,
    )
    return DeliveryProgress(
        id=digest_id,
        endpoint_id=first.endpoint_id,
        sequence=members[-1].sequence,
        status=DeliveryStatus.WAITING,
        due_at=due_at,
        delivery=delivery,
    )


def _changed(progress: DeliveryProgress) -> Change:
    return Change(DELIVERY_STATES, progress.id.encode(), encode(DeliveryState(delivery=progress)))


def _ended(progress: DeliveryProgress, status: DeliveryStatus, at: datetime) -> Change:
    return _changed(replace(progress, status=status, delivery=None, due_at=at, ended_at=at))


def _health(health: EndpointHealth) -> Change:
    """A healthy endpoint needs no record."""
    value = None if health == EndpointHealth(health.endpoint_id) else encode(DeliveryState(endpoint=health))
    return Change(DELIVERY_STATES, health.endpoint_id.encode(), value)


def _window(window: SendingWindow) -> Change:
    key = f"{window.endpoint_id}:{window.subscription_id}"
    return Change(DELIVERY_STATES, key.encode(), encode(DeliveryState(window=window)))


def _letter(progress: DeliveryProgress, partition: int, at: datetime, reason: str) -> NewRecord:
    error = DeliveryError(f"delivery {progress.id} given up after {progress.tries} attempts: {reason}")
    value = None if progress.delivery is None else encode(progress.delivery)
    return dead_letter(DELIVERIES, partition, progress.sequence, progress.id.encode(), value, error, NAME, at)
