"""Subscribing to hubs, decided: when one is asked for what, what its words mean, and how far it is relied on.

WebSub (W3C Recommendation of 23 January 2018), as a subscriber. Pure: times come with the records, and the jitter
follows from the feed's id and the time.

    nothing ─ask─▶ asked ─verified─▶ leased ─3/4 of the lease─▶ asked …
                     └─refused, denied, silent─▶ asked later, ever later
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tieup.feeds.hubs.callbacks import Callback, Callbacks
from tieup.feeds.schedule import DAY_S, MAX_WAIT_S, SLOW_DOWN, jitter_ms
from tieup.feeds.settings import FetchSettings, WebSubSettings
from tieup.model.feed import Feed, FeedState, FetchOutcome, HubNotice
from tieup.model.hub import DENIED, PING, PUSH, SUBSCRIBE, UNSUBSCRIBE, HubOutcome, HubRequest, HubSubscription

RENEW_AT: Final = 0.75  # of the lease
RENEW_SPREAD: Final = 0.1  # of the lease, so that a renewal that fails has as long again to be tried
MAX_LEASE_S: Final = 366 * DAY_S
DENIED_S: Final = DAY_S  # a hub that said no is asked again after a day, then two, four …
LEAVING_TRIES: Final = 3  # then the lease may run out by itself
DOUBT_S: Final = 7 * DAY_S

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HubTerms:
    """On what terms hubs are asked. Unless it `asks` a run hears what they said, but polls as if there were none."""

    callbacks: Callbacks
    websub: WebSubSettings
    fetch: FetchSettings
    asks: bool = True

    def callback(self, state: FeedState, topic: str) -> Callback:
        """Return the callback for a feed's topic."""
        return self.callbacks.give(state.domain, state.feed_id, topic)

    def identity(self, state: FeedState, topic: str) -> str:
        """Return what a subscription keeps of its callback."""
        return self.callbacks.identity(self.callback(state, topic))


def next_ask(state: FeedState, terms: HubTerms, *, wanted: bool) -> tuple[datetime, HubRequest] | None:
    """Return what the feed's hub is to be asked next, and when; None if nothing.

    A subscription that is wanted no more (the feed is removed, paused, gone, or names another hub) is ended before
    another begins.
    """
    held = state.hub
    named = None if not wanted or state.hub_url is None else (state.hub_url, state.topic_url or state.url)
    if held is not None and named != (held.url, held.topic):
        due = held.ask_at if held.leaving else _AT_ONCE
        return due, HubRequest(state.feed_id, state.domain, UNSUBSCRIBE, held.url, held.topic)
    if named is None:
        return None
    return _due(state, held, terms), HubRequest(state.feed_id, state.domain, SUBSCRIBE, *named)


def _due(state: FeedState, held: HubSubscription | None, terms: HubTerms) -> datetime:
    if held is None or held.leaving or held.callback != terms.identity(state, held.topic):
        return _AT_ONCE
    return held.ask_at


def needs_no_asking(state: FeedState, now: datetime) -> bool:
    """Whether a subscription that is to be ended has ended by itself: it was never verified, or its lease is over."""
    return state.hub is not None and (state.hub.lease_until is None or state.hub.lease_until <= now)


def after_answer(state: FeedState, outcome: HubOutcome, terms: HubTerms) -> FeedState:
    """Return the feed's state after a hub has answered, or has not."""
    held = state.hub
    if outcome.mode == UNSUBSCRIBE:
        return state if held is None else replace(state, hub=_left(held, outcome, terms))
    if held is None or (held.url, held.topic) != (outcome.hub, outcome.topic):
        held = _new(state, outcome.hub, outcome.topic, outcome.asked_at, terms)
    identity = terms.identity(state, outcome.topic)
    same = held.callback == identity and not held.leaving
    has_spoken = same and held.ask_at > outcome.asked_at  # it was due when it was asked; a word puts the next ask off
    lease_until = held.lease_until if held.callback == identity else None
    held = replace(held, asks=held.asks + 1, callback=identity, leaving=False, lease_until=lease_until)
    return replace(state, hub=held if has_spoken else _asked(held, outcome, terms))


def _asked(held: HubSubscription, outcome: HubOutcome, terms: HubTerms) -> HubSubscription:
    failures = held.failures + 1  # until it has verified
    wait = max(_retry_s(failures, terms.fetch), outcome.retry_after_s or 0, terms.websub.renewal_s)
    ask_at = _later(outcome.feed_id, outcome.observed_at, wait, terms.fetch.jitter)
    quiet = ask_at if outcome.status in SLOW_DOWN else None
    return replace(held, failures=failures, error=outcome.error, ask_at=ask_at, quiet_until=quiet)


def _left(held: HubSubscription, outcome: HubOutcome, terms: HubTerms) -> HubSubscription | None:
    tries = held.failures + 1 if held.leaving else 1
    if outcome.error is None or tries >= LEAVING_TRIES:
        return None
    wait = max(_retry_s(tries, terms.fetch), outcome.retry_after_s or 0)
    ask_at = _later(outcome.feed_id, outcome.observed_at, wait, terms.fetch.jitter)
    return replace(held, leaving=True, asks=held.asks + 1, failures=tries, error=outcome.error, ask_at=ask_at)


def is_meant(state: FeedState, notice: HubNotice, at: datetime, terms: HubTerms) -> bool:
    """Whether a hub's words are about what this feed has, or is about to have, with its hub.

    A hub may verify before its answer to our request was read, so a verification counts for the topic that the feed
    names; all else only within a subscription, what is pushed only within a lease.
    """
    if notice.mode == SUBSCRIBE:
        topic = None if state.hub_url is None else state.topic_url
        return topic is not None and terms.callback(state, topic).topic_tag == notice.topic_tag
    held = state.hub
    if held is None or terms.callback(state, held.topic).topic_tag != notice.topic_tag:
        return False
    return notice.mode not in (PUSH, PING) or (held.lease_until is not None and at < held.lease_until)


def after_notice(feed: Feed, state: FeedState, notice: HubNotice, at: datetime, terms: HubTerms) -> FeedState:
    """Return the feed's state after a hub has verified, denied, or pinged; the notice is meant for it."""
    if notice.mode == SUBSCRIBE:
        return replace(state, hub=_verified(state, notice, at, terms))
    if notice.mode == PING:
        return _pinged(feed, state, at, terms)
    held = state.hub
    if held is None:
        return state
    failures = held.failures + 1
    if notice.mode == DENIED:
        wait = min(DENIED_S << min(failures - 1, 10), MAX_WAIT_S)
        error = f"denied by the hub{f': {notice.reason}' if notice.reason else ''}"
    else:
        wait = max(_retry_s(failures, terms.fetch), terms.websub.renewal_s)
        error = "the hub has ended the subscription"
    ask_at = _later(state.feed_id, at, wait, terms.fetch.jitter)
    ended = replace(held, lease_until=None, failures=failures, error=error, ask_at=ask_at, spoke_at=at)
    return replace(state, hub=ended, next_poll_at=_without_hub(state, held, at))


def _verified(state: FeedState, notice: HubNotice, at: datetime, terms: HubTerms) -> HubSubscription:
    """The lease that the hub gave; a hub must name one (WebSub §5.3), the one asked for stands in for it."""
    hub, topic = state.hub_url or state.url, state.topic_url or state.url
    held = state.hub
    if held is None or (held.url, held.topic) != (hub, topic):
        held = _new(state, hub, topic, at, terms)
    lease = min(max(notice.lease_s or terms.websub.lease_s, 1), MAX_LEASE_S)
    spread = jitter_ms(state.feed_id, at, int(lease * RENEW_SPREAD * 1000))
    renewal = timedelta(seconds=int(lease * RENEW_AT), milliseconds=spread)
    return replace(
        held,
        callback=terms.identity(state, topic),
        lease_until=at + timedelta(seconds=lease),
        ask_at=at + max(renewal, timedelta(seconds=terms.websub.renewal_s)),
        spoke_at=at,
        failures=0,
        error=None,
        leaving=False,
    )


def _pinged(feed: Feed, state: FeedState, at: datetime, terms: HubTerms) -> FeedState:
    """A push without usable content: the feed is polled, soon, but never because of pings alone in a row."""
    held = state.hub
    if held is None:
        return state
    after = replace(state, hub=replace(held, pushes=held.pushes + 1, pushed_at=at, pinged_at=at))
    if state.last_status in SLOW_DOWN or state.errors_in_a_row:
        return after  # the schedule's own waits stand
    soonest = (state.last_poll_at or feed.added_at) + timedelta(seconds=terms.websub.ping_gap_s)
    return replace(after, next_poll_at=min(state.next_poll_at, max(at, soonest)))


def after_push(feed: Feed, state: FeedState, at: datetime, new: int, terms: HubTerms) -> FeedState:
    """Return the feed's state after a pushed document with so many new entries: nothing of a poll's is touched."""
    held = state.hub
    if held is None:
        return state
    held = replace(held, pushes=held.pushes + 1, pushed_at=at, new_since_poll=held.new_since_poll + new)
    after = replace(state, entries=state.entries + new, hub=held)
    if state.next_poll_at != held.scheduled_at or state.next_poll_at <= at:
        return after  # somebody wants it sooner, or it is due
    return replace(after, next_poll_at=_poll_at(feed, after, at, terms))


def after_poll(
    feed: Feed, before: FeedState, after: FeedState, outcome: FetchOutcome, told: int, terms: HubTerms | None
) -> FeedState:
    """Return the state after a poll, `after` being what the poll itself made of it; `told` counts the new and edited.

    The hub that the feed names is noted in any case. A poll that finds what no push has told is a reason not to rely
    on the hub for a while.
    """
    after = _named(after, outcome)
    held = after.hub
    if held is not None and terms is None:
        return put_off(after, after.next_poll_at)
    if held is None or terms is None or outcome.postponed:
        return after
    if after.error is None and outcome.error is None:
        missed = told > 0 and _relied_on(held, outcome.observed_at) and not _pinged_since(held, before.last_poll_at)
        doubt = outcome.observed_at + timedelta(seconds=DOUBT_S) if missed else held.doubted_until
        held = replace(held, new_since_poll=0, doubted_until=doubt)
    held = replace(held, scheduled_at=after.next_poll_at)
    after = replace(after, hub=held)
    return replace(after, next_poll_at=_poll_at(feed, after, outcome.observed_at, terms))


def put_off(state: FeedState, until: datetime) -> FeedState:
    """Return the state of a feed that is polled at this time, whether there is a hub or not."""
    held = None if state.hub is None else replace(state.hub, scheduled_at=until)
    return replace(state, next_poll_at=until, hub=held)


def poll_due(state: FeedState, terms: HubTerms | None) -> datetime:
    """Return when the feed is polled: where WebSub is off, as if there were no hub."""
    held = state.hub
    if terms is not None or held is None or held.scheduled_at is None:
        return state.next_poll_at
    return min(state.next_poll_at, held.scheduled_at)


def last_awake(states: Iterable[FeedState], now: datetime) -> datetime:
    """Return when anything was last heard of these feeds or their hubs; now if never."""
    heard = (
        at
        for state in states
        for at in (state.last_poll_at, *(() if state.hub is None else (state.hub.pushed_at, state.hub.spoke_at)))
    )
    return max((at for at in heard if at is not None), default=now)


def _named(after: FeedState, outcome: FetchOutcome) -> FeedState:
    """A document that was read tells all; other answers can only add."""
    if outcome.error is not None or (outcome.hub_url is None and outcome.entries is None):
        return after
    return replace(after, hub_url=outcome.hub_url, topic_url=outcome.topic_url)


def _poll_at(feed: Feed, state: FeedState, at: datetime, terms: HubTerms) -> datetime:
    """The next poll of a feed that is pushed: the backup, at the lease's end at the latest, never before the schedule.

    An interval that the operator has given stands, and so does a back-off.
    """
    held = state.hub
    scheduled = state.next_poll_at if held is None or held.scheduled_at is None else held.scheduled_at
    if held is None or feed.interval_s is not None or state.errors_in_a_row or not _relied_on(held, at):
        return scheduled
    backup = _later(state.feed_id, state.last_poll_at or at, terms.websub.backup_interval_s, terms.fetch.jitter)
    return max(scheduled, min(backup, held.lease_until or backup))


def _relied_on(held: HubSubscription, at: datetime) -> bool:
    """Whether the hub holds a lease, has pushed, and has missed nothing lately."""
    leased = held.lease_until is not None and at < held.lease_until
    return leased and held.pushed_at is not None and (held.doubted_until is None or held.doubted_until <= at)


def _pinged_since(held: HubSubscription, last_poll_at: datetime | None) -> bool:
    return held.pinged_at is not None and (last_poll_at is None or held.pinged_at >= last_poll_at)


def _without_hub(state: FeedState, held: HubSubscription, at: datetime) -> datetime:
    if held.scheduled_at is None:
        return state.next_poll_at
    return min(state.next_poll_at, max(at, held.scheduled_at))


def _new(state: FeedState, hub: str, topic: str, at: datetime, terms: HubTerms) -> HubSubscription:
    return HubSubscription(hub, topic, terms.identity(state, topic), at, scheduled_at=state.next_poll_at)


def _retry_s(failures: int, settings: FetchSettings) -> int:
    return min(settings.retry_s << min(failures - 1, 20), settings.max_interval_s)


def _later(feed_id: str, at: datetime, wait_s: int, jitter: float) -> datetime:
    wait = min(wait_s, MAX_WAIT_S)
    return at + timedelta(seconds=wait, milliseconds=jitter_ms(feed_id, at, int(wait * jitter * 1000)))
