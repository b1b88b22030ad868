"""The hubs of a task's feeds: when each is to be asked, and what comes of it. The decisions stand in `websub.py`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tieup.articles.urls import registrable_domain
from tieup.feeds.due import DueFeeds
from tieup.feeds.entries.identity import Recognised
from tieup.feeds.hubs.websub import (
    HubTerms,
    after_answer,
    after_notice,
    after_push,
    is_meant,
    last_awake,
    needs_no_asking,
    next_ask,
    poll_due,
)
from tieup.feeds.poll import newest_entry_at
from tieup.feeds.settings import FetchSettings
from tieup.feeds.watch import FetchWatch
from tieup.log.base import Act
from tieup.model.feed import Feed, FeedState, FetchOutcome, FetchRequest, HubNotice
from tieup.model.hub import DENIED, PING, SUBSCRIBE, UNSUBSCRIBE, HubOutcome

ACT_PREFIX: Final = "hub:"
SHARE: Final = 4  # of the requests under way, one in so many goes to hubs: slow ones must not hold polls up
HEARD: Final = {SUBSCRIBE: "verified", UNSUBSCRIBE: "ended by the hub", DENIED: "denied"}
AWAY: Final = timedelta(minutes=10)  # what hubs could not bring in a shorter time they mostly bring again
BOTH: Final = ("title", "text")

Wanted = Callable[[str], bool]
Asks = tuple[tuple[Act, ...], tuple[FeedState, ...]]


class Subscriptions:
    """What the fetch worker knows of hubs. Without terms WebSub is off: nothing is asked, nothing believed."""

    def __init__(self, terms: HubTerms | None, settings: FetchSettings, watch: FetchWatch) -> None:
        self.terms = terms
        self._settings = settings
        self._watch = watch
        self._due = DueFeeds()
        self._begun = False
        self._unheard: set[str] = set()

    @property
    def asking(self) -> HubTerms | None:
        """The terms, where hubs are asked and feeds polled less for it."""
        return self.terms if self.terms is not None and self.terms.asks else None

    def begin(self, states: Mapping[str, FeedState], now: datetime) -> list[str]:
        """Return, once, the feeds whose hubs may have called in vain while nobody was here: their own schedules hold
        for the next poll."""
        if self._begun:
            return []
        self._begun = True
        if self.asking is not None and now - last_awake(states.values(), now) >= AWAY:
            self._unheard = {key for key, state in states.items() if state.hub is not None}
        return sorted(self._unheard)

    def missed(self, key: str, found: Recognised | None) -> int:
        """How many versions a poll found that its hub could have told; none where we were away."""
        return 0 if found is None or key in self._unheard else len(found.versions)

    def poll_due(self, key: str, state: FeedState) -> datetime:
        """Return when the feed is polled."""
        return poll_due(state, None if key in self._unheard else self.asking)

    def note(self, key: str, before: FeedState | None, after: FeedState | None) -> None:
        """Take note of a feed's new state: one whose next poll is another has been asked."""
        if key in self._unheard and (before is None or after is None or before.next_poll_at != after.next_poll_at):
            self._unheard.remove(key)

    def place(self, key: str, state: FeedState | None, *, wanted: bool) -> None:
        """Take note of a feed's state, so that its hub is asked when it is due."""
        terms = self.asking
        ask = None if terms is None or state is None else next_ask(state, terms, wanted=wanted)
        if ask is None:
            self._due.remove(key)
            return
        due, request = ask
        host = registrable_domain(request.hub)
        self._due.put(key, host, due)
        if state is not None and state.hub is not None and state.hub.quiet_until is not None:
            self._due.hold(host, state.hub.quiet_until)

    def wake(self, now: datetime, states: Mapping[str, FeedState], is_wanted: Wanted) -> Asks:
        """Return what hubs are to be asked by now, and the states of subscriptions that ended by themselves."""
        terms = self.asking
        if terms is None:
            return (), ()
        acts, ended = [], []
        limit = max(1, self._settings.concurrency // SHARE)
        for key in self._due.due(now, limit, self._settings.per_host):
            state = states[key]
            ask = next_ask(state, terms, wanted=is_wanted(key))
            if ask is None:
                continue
            _, request = ask
            if request.mode == UNSUBSCRIBE and needs_no_asking(state, now):
                ended.append(replace(state, hub=None))
            else:
                asks = 0 if state.hub is None else state.hub.asks
                acts.append(Act(f"{ACT_PREFIX}{key}:{request.mode}:{asks}", request))
        return tuple(acts), tuple(ended)

    def answered(self, state: FeedState, outcome: HubOutcome) -> FeedState:
        """Return a feed's state after its hub has answered."""
        if self.terms is None:
            return state
        fault = outcome.error if state.hub is None or outcome.error != state.hub.error else None
        word = "failed" if outcome.status is None else "accepted" if outcome.error is None else "refused"
        self._watch.subscribed(f"{outcome.mode} {word}", state.url, fault)
        return after_answer(state, outcome, self.terms)

    def means(self, state: FeedState, request: FetchRequest) -> HubNotice | None:
        """Return a hub's words if they are meant for the feed as it stands."""
        notice = request.hub
        if self.terms is None or notice is None or not is_meant(state, notice, request.requested_at, self.terms):
            return None
        return notice

    def noticed(self, feed: Feed, state: FeedState, notice: HubNotice, at: datetime) -> FeedState:
        """Return the feed's state after a hub has verified, denied or pinged."""
        if self.terms is None:
            return state
        after = after_notice(feed, state, notice, at, self.terms)
        if notice.mode != PING:
            problem = None if after.hub is None else after.hub.error
            self._watch.subscribed(HEARD[notice.mode], feed.url, problem)
        return after

    def pushed(self, feed: Feed, state: FeedState, outcome: FetchOutcome, found: Recognised) -> FeedState:
        """Return the feed's state after a pushed document."""
        self._watch.recognised(found)
        if self.terms is None:
            return state
        after = after_push(feed, state, outcome.observed_at, found.new, self.terms)
        return replace(after, last_entry_at=newest_entry_at(state, outcome, found))


def pushed_outcome(request: FetchRequest, notice: HubNotice) -> FetchOutcome:
    """Return a pushed document as what a poll of its topic would have brought."""
    return FetchOutcome(
        feed_id=request.feed_id or "",
        url=request.url,
        requested_url=request.url,
        observed_at=request.requested_at,
        feed_title=notice.feed_title,
        feed_language=notice.feed_language,
        entries=notice.entries,
        bad_entries=notice.bad_entries,
    )


def needs_whole_document(found: Recognised) -> bool:
    """Whether pushed entries seem to be edits of others: which guids and links tell entries apart, only the whole
    document shows, so a poll has to decide."""
    return any(version.changed == BOTH for version in found.versions)
