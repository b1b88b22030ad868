"""The deliver worker: what is sent to whom and when, and what each answer means; the sending is the shell's.

delivery ─▶ at once ─▶ its story's lane ─▶ attempt ─▶ delivered
             │                               ├─▶ waits for the next attempt
             └─▶ held ─▶ digest ─▶ its lane  └─▶ given up, to the dead letters
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, cast

import orjson

from tieup.alerts.attempt import AttemptRequest
from tieup.alerts.message import digest_body
from tieup.alerts.modes import counted, release
from tieup.alerts.notices import notices
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
from tieup.model.subscription import PULLED, Channel, Endpoint

NAME: Final = "deliver"
MAX_AT_A_WAKE: Final = 50
MAX_FORGOTTEN: Final = 500
GRACE: Final = timedelta(minutes=10)


class DeliverWorker:
    """One task's deliveries: those of the endpoints placed in its partition."""

    def __init__(self, settings: AlertSettings, partition: int = 0) -> None:
        self._settings = settings
        self._partition = partition
        self._pending = Pending()
        self._acts: dict[str, Act] = {}  # those of the last turn: most of them are wanted in the next as well

    def process(self, record: Record) -> Output:
        """Take a delivery, or the outcome of an attempt. Raises BadRecord for one that cannot be read."""
        if record.topic == NAME:
            return self._answered(decode(AttemptOutcome, record.value, record.place))
        delivery = decode(Delivery, record.value, record.place)
        return NOTHING if delivery.channel in PULLED else self._wanted(delivery, record)

    def apply(self, change: Change) -> None:
        """Take a subscription or a state of the task's own into memory. Raises StateVersionError."""
        self._pending.apply(change)

    def wake(self, now: datetime) -> Output:
        """Return the attempts that are due, fair to endpoints; make digests; give up and forget what is over."""
        acts: list[Act] = []
        outputs: list[Output] = []
        room: dict[Channel, int] = {}
        for endpoint_id in self._pending.lanes.endpoints_due(now):
            if self._pending.stopped(endpoint_id):
                outputs.append(self._stop(endpoint_id, now))
            elif self._has_room(endpoint_id, room):
                turn = self._turn(endpoint_id, now)
                acts.extend(self._fitting(turn.acts, room))
                outputs += [turn] if turn.changes else []
            if len(acts) >= 4 * self._settings.concurrency or len(outputs) >= MAX_AT_A_WAKE:
                break
        self._acts = {act.id: act for act in acts}
        outputs += self._digests(now)
        changes = [change for one in outputs for change in one.changes]
        changes += self._pending.forgotten(
            now - timedelta(days=self._settings.keep_days), self._settings.keep_ended, MAX_FORGOTTEN
        )
        return Output(tuple(record for one in outputs for record in one.records), tuple(changes), tuple(acts))

    def _has_room(self, endpoint_id: str, room: dict[Channel, int]) -> bool:
        """Whether it is worth while to look at an endpoint: thousands may wait for a channel that is full."""
        endpoint = self._pending.endpoints.get(endpoint_id)
        return endpoint is None or room.get(endpoint.channel, 1) > 0

    def _fitting(self, acts: Sequence[Act], room: dict[Channel, int]) -> Sequence[Act]:
        """Return the acts that their channel has room for beside those before them; webhooks have their own bounds."""
        if not acts or not isinstance(request := acts[0].payload, AttemptRequest):
            return acts
        channel = request.endpoint.channel
        if channel is Channel.WEBHOOK:
            return acts
        left = room.setdefault(channel, self._settings.at_once(channel)[0])
        room[channel] = max(0, left - len(acts))
        return acts[:left]

    def _wanted(self, delivery: Delivery, record: Record) -> Output:
        if self._pending.knows(delivery.id):
            return NOTHING
        progress = DeliveryProgress(
            id=delivery.id,
            endpoint_id=delivery.endpoint_id,
            sequence=record.offset,
            status=DeliveryStatus.WAITING,
            due_at=delivery.matched_at,
            delivery=delivery,
        )
        refused = self._refused(delivery.endpoint_id)
        if refused is not None:
            return self._given_up(progress, delivery.matched_at, refused)
        if delivery.replay or not delivery.subscription_ids:
            return Output(changes=(_changed(progress, record.value),))
        return self._released(progress, delivery, record.value)

    def _refused(self, endpoint_id: str) -> str | None:
        """Say why an endpoint may have no more to wait for it. In a crowd each may have an equal share."""
        if self._pending.stopped(endpoint_id):
            return "the endpoint is stopped"
        count, most = self._pending.count(endpoint_id), self._settings.max_pending
        if count >= most:
            return f"{most} wait for the endpoint"
        if len(self._pending) >= self._settings.max_waiting:
            share = self._settings.max_waiting // max(1, self._pending.busy())
            if count >= max(1, share):
                return f"{self._settings.max_waiting} wait in all, {count} of them for the endpoint"
        return None

    def _released(self, progress: DeliveryProgress, delivery: Delivery, written: bytes | None) -> Output:
        """Let a message go or hold it; one that goes takes along what is held of its story, so that order is kept."""
        at, subscription_id = delivery.matched_at, delivery.subscription_ids[0]
        window = self._pending.window(delivery.endpoint_id, subscription_id, at)
        ahead = self._pending.held.earliest(delivery.endpoint_id, subscription_id)
        found = release(delivery.mode, at, window, ahead)
        if found.held_until is not None:
            held = replace(progress, status=DeliveryStatus.HELD, due_at=found.held_until)
            return Output(changes=(_changed(held, written),))
        along = [
            _changed(replace(one, status=DeliveryStatus.WAITING, due_at=at))
            for one in self._pending.held.of_story(delivery.endpoint_id, delivery.story_id)
        ]
        counted = () if found.window is window else (_window(found.window),)
        return Output(changes=(*along, _changed(progress, written), *counted))

    def _answered(self, outcome: AttemptOutcome) -> Output:
        progress = self._pending.get(outcome.delivery_id)
        if progress is None or progress.tries != outcome.attempt:
            return NOTHING
        attempts = (*progress.attempts, _attempt(outcome))[-MAX_ATTEMPTS_KEPT:]
        tries = progress.tries + 1
        health, said = self._health_after(progress.endpoint_id, outcome)
        if outcome.delivered:
            told = _ended(progress, DeliveryStatus.DELIVERED, outcome.at, tries=tries, attempts=attempts)
            return Output(said.records, (told, *health))
        progress = replace(progress, tries=tries, attempts=attempts)
        due_at = None if outcome.gone else next_attempt_at(progress.id, progress.tries, outcome)
        if due_at is not None:
            return replace(said, changes=(_changed(replace(progress, due_at=due_at)), *health))
        given_up = self._given_up(progress, outcome.at, outcome.error or "no answer")
        return Output((*given_up.records, *said.records), (*given_up.changes, *health))

    def _health_after(self, endpoint_id: str, outcome: AttemptOutcome) -> tuple[tuple[Change, ...], Output]:
        """Return the change of the endpoint's health, if any, and what its owner is told of it. A stopped one stays so,
        whatever else was under way to it.
        """
        if self._pending.stopped(endpoint_id):
            return (), NOTHING
        before = self._pending.health(endpoint_id)
        after = health_after(before, outcome, self._settings)
        endpoints, endpoint = self._pending.endpoints, self._pending.endpoints.get(endpoint_id)
        told: list[NewRecord] = []
        if after.stopped_at is not None and endpoint is not None:
            told = notices(endpoint, after, endpoints.users(endpoint_id), endpoints.others(endpoint_id), outcome.at)
        return () if after == before else (_health(after),), Output(records=tuple(told))

    def _turn(self, endpoint_id: str, now: datetime) -> Output:
        """Return the attempts that an endpoint gets now: one at a time after many failures, and none for what nobody
        wants any more. A subscription may be read a moment after its delivery.
        """
        endpoint = self._pending.endpoints.get(endpoint_id)
        broken = self._pending.health(endpoint_id).failures >= self._settings.breaker_failures
        most = self._settings.per_endpoint if endpoint is None else self._settings.at_once(endpoint.channel)[1]
        acts: list[Act] = []
        changes: list[Change] = []
        for progress in self._pending.lanes.due(endpoint_id, now, 1 if broken else most):
            delivery = progress.delivery
            if delivery is None:
                continue
            if endpoint is None or not self._pending.endpoints.known(delivery):
                changes += [_ended(progress, DeliveryStatus.CANCELLED, now)] if now - progress.due_at > GRACE else []
            elif self._pending.endpoints.paused(delivery):
                changes.append(_ended(progress, DeliveryStatus.CANCELLED, now))
            else:
                acts.append(self._act(progress, delivery, endpoint))
        return Output(changes=tuple(changes), acts=tuple(acts))

    def _act(self, progress: DeliveryProgress, delivery: Delivery, endpoint: Endpoint) -> Act:
        act_id = f"{progress.id}:{progress.tries}"
        known = self._acts.get(act_id)
        if known is not None and isinstance(known.payload, AttemptRequest) and known.payload.endpoint is endpoint:
            return known
        return Act(act_id, _request(progress, delivery, endpoint))

    def _stop(self, endpoint_id: str, now: datetime) -> Output:
        reason = self._pending.health(endpoint_id).reason or "the endpoint is stopped"
        given_up = [self._given_up(one, now, reason) for one in self._pending.lanes.waiting(endpoint_id, MAX_AT_A_WAKE)]
        return Output(
            tuple(record for one in given_up for record in one.records),
            tuple(change for one in given_up for change in one.changes),
        )

    def _digests(self, now: datetime) -> Iterator[Output]:
        """Make the digests that are due. Of two that would hold the same message the second waits for the next turn."""
        taken: set[bytes] = set()
        for members in self._pending.held.due(now, MAX_AT_A_WAKE):
            unwanted = [one for one in members if one.delivery is None or not self._is_wanted(one.delivery)]
            found = self._digest(members, now)
            if unwanted:
                found = Output(changes=tuple(_ended(one, DeliveryStatus.CANCELLED, now) for one in unwanted))
            keys = {change.key for change in found.changes}
            if not keys & taken:
                taken |= keys
                yield found

    def _is_wanted(self, delivery: Delivery) -> bool:
        return self._pending.endpoints.known(delivery) and not self._pending.endpoints.paused(delivery)

    def _digest(self, due: list[DeliveryProgress], now: datetime) -> Output:
        """Make a digest of what is due of a subscription, and of what is held of the same stories for others: nothing
        overtakes it there.
        """
        due_at, lead = max(one.due_at for one in due), due[-1].delivery
        if lead is None:
            return NOTHING
        members = sorted({one.id: one for one in (*due, *self._before(due))}.values(), key=lambda one: one.sequence)
        deliveries = [one.delivery for one in members if one.delivery is not None]
        body, held = digest_body([one.body for one in deliveries], due_at)
        digest = _digest(members[:held], deliveries[:held], lead.subscription_ids[0], body.decode(), due_at)
        ended = [_ended(replace(one, digest_id=digest.id), DeliveryStatus.DIGESTED, now) for one in members[:held]]
        before = self._pending.window(lead.endpoint_id, lead.subscription_ids[0], due_at)
        window = counted(lead.mode, before, due_at)
        return Output(changes=(*ended, _changed(digest), *(() if window is before else (_window(window),))))

    def _before(self, members: list[DeliveryProgress]) -> Iterator[DeliveryProgress]:
        """Yield what is held at the same endpoint and came before one of these in its story."""
        newest = {one.delivery.story_id: one for one in members if one.delivery is not None}
        for story_id, last in newest.items():
            for one in self._pending.held.of_story(last.endpoint_id, story_id):
                if one.sequence < last.sequence and one.delivery is not None and self._is_wanted(one.delivery):
                    yield one

    def _given_up(self, progress: DeliveryProgress, at: datetime, reason: str) -> Output:
        letter = _letter(progress, self._partition, at, reason)
        return Output((letter,), (_ended(progress, DeliveryStatus.GIVEN_UP, at),))


def deliver_spec(settings: AlertSettings, shell: Shell | None = None) -> WorkerSpec:
    """Return the worker as the runner needs it; without a shell it only decides (tests)."""
    return WorkerSpec(
        name=NAME,
        build=lambda partition: DeliverWorker(settings, partition),
        streams=(DELIVERIES,),
        out=(DELIVERIES,),
        state=(DELIVERY_STATES,),
        global_tables=(SUBSCRIPTIONS,),
        shell=shell,
        concurrency=settings.concurrency,
        wakes=True,
    )


def _attempt(outcome: AttemptOutcome) -> Attempt:
    took = (outcome.at - outcome.started_at) // timedelta(milliseconds=1)
    return Attempt(outcome.at, max(0, took), outcome.status, outcome.error, outcome.excerpt)


def _request(progress: DeliveryProgress, delivery: Delivery, endpoint: Endpoint) -> AttemptRequest:
    return AttemptRequest(
        delivery_id=progress.id,
        attempt=progress.tries,
        message_id=delivery.event_id,
        story_id=delivery.story_id,
        endpoint=endpoint,
        body=delivery.body.encode(),
    )


def _digest(
    members: list[DeliveryProgress], deliveries: list[Delivery], subscription_id: str, body: str, due_at: datetime
) -> DeliveryProgress:
    """Return the delivery of a subscription's digest; its id follows from its members, so that every attempt has the
    same one.
    """
    digest_id = derive_id("digest", *(one.id for one in members))
    endpoint_id = members[0].endpoint_id
    stories = {its.story_id: one.sequence for one, its in zip(members, deliveries, strict=True)}
    subscriptions = tuple(dict.fromkeys(one.subscription_ids[0] for one in deliveries))
    delivery = Delivery(
        id=digest_id,
        event_id=digest_id,
        story_id=derive_id("digest", subscription_id),
        endpoint_id=endpoint_id,
        subscription_ids=subscriptions,
        matched_at=due_at,
        body=body,
        story_ids=tuple(stories),
    )
    return DeliveryProgress(
        id=digest_id,
        endpoint_id=endpoint_id,
        sequence=members[-1].sequence,
        status=DeliveryStatus.WAITING,
        due_at=due_at,
        delivery=delivery,
        story_sequences=tuple(stories.values()),
    )


def _changed(progress: DeliveryProgress, written: bytes | None = None) -> Change:
    """Return how a delivery fares as a change; `written` is the delivery as it was read, which need not be written
    anew.
    """
    state = DeliveryState(delivery=progress)
    if written is not None:
        as_read = replace(progress, delivery=cast(Delivery, orjson.Fragment(written)))
        return Change(DELIVERY_STATES, progress.id.encode(), encode(DeliveryState(delivery=as_read)), state)
    return Change(DELIVERY_STATES, progress.id.encode(), encode(state), state)


def _ended(
    progress: DeliveryProgress,
    status: DeliveryStatus,
    at: datetime,
    *,
    tries: int | None = None,
    attempts: tuple[Attempt, ...] | None = None,
) -> Change:
    """Return the end of a delivery, without its body, as a change; by its last attempt, if one ended it."""
    ended = replace(
        progress,
        status=status,
        due_at=at,
        delivery=None,
        tries=progress.tries if tries is None else tries,
        attempts=progress.attempts if attempts is None else attempts,
        ended_at=at,
        event_id=progress.message_id,
    )
    return _changed(ended)


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
