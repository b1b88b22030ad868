"""The fetch worker: decides which feeds and pages are due and what each outcome means; the asking is the shell's."""

import base64
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tieup.articles.normalize import article_from_entry, plain_entry
from tieup.articles.settings import ArticleSettings
from tieup.errors import BadFeed, BadRecord, StateVersionError
from tieup.feeds.due import DueFeeds
from tieup.feeds.entries.identity import Recognised, recognise
from tieup.feeds.entries.memory import SeenMemory, pack
from tieup.feeds.entries.versions import NewVersion
from tieup.feeds.forgetting import RemovedFeeds
from tieup.feeds.hubs.subscribing import ACT_PREFIX, Subscriptions, needs_whole_document, pushed_outcome
from tieup.feeds.hubs.websub import HubTerms, after_poll, put_off
from tieup.feeds.moves import Moves
from tieup.feeds.packed import PackedRecords
from tieup.feeds.pages.pages import Pages
from tieup.feeds.poll import new_state, poll_request, refusal, state_after
from tieup.feeds.registry import feed_id
from tieup.feeds.schedule import after_skips
from tieup.feeds.settings import FetchSettings
from tieup.feeds.watch import FetchWatch
from tieup.log.base import NOTHING, OUTCOME_OFFSET, Act, Change, NewRecord, Output, Record, Shell, WorkerSpec
from tieup.log.dead_letters import dead_letter
from tieup.log.topics import ARTICLES, FEED_STATES, FEEDS, FETCH_REQUESTS, PAGE_WANTS, PAGES, SEEN_ENTRIES
from tieup.model.article import Article
from tieup.model.codec import decode, decode_state, encode, from_millis
from tieup.model.feed import (
    FEED_STATE_VERSION,
    SEEN_ENTRIES_VERSION,
    Feed,
    FeedState,
    FetchOutcome,
    FetchRequest,
    SeenEntries,
)
from tieup.model.hub import PING, PUSH, HubOutcome

NAME: Final = "fetch"
COUNT_EVERY: Final = timedelta(seconds=10)  # within a usual scrape interval

_log = logging.getLogger(__name__)


class FetchWorker:
    """One task's feeds: the wanted ones, their states, and when each is due; and the pages wanted of its hosts."""

    def __init__(
        self,
        settings: FetchSettings,
        watch: FetchWatch | None = None,
        partition: int = 0,
        hubs: HubTerms | None = None,
        articles: ArticleSettings | None = None,
    ) -> None:
        """`watch` is told what an operator wants to know; the log is, unless another is given. Without the terms on
        which `hubs` are asked, none is."""
        self._partition = partition
        self._counted_at: datetime | None = None
        self._settings = settings
        self._watch = FetchWatch() if watch is None else watch
        self._feeds = PackedRecords(Feed, FEEDS)
        self._states = PackedRecords(FeedState, FEED_STATES)
        self._due = DueFeeds()
        self._removed = RemovedFeeds(settings.forget_days)
        self._hubs = Subscriptions(hubs, settings, self._watch)
        self._pages = Pages(articles or ArticleSettings(), settings, self._due.hold, self._watch)
        self._memory = SeenMemory()
        self._from_states: set[str] = set()  # whose memory is still a state's of version 1
        self._moves = Moves()

    def process(self, record: Record) -> Output:
        """Take a fetch request, or the outcome of a poll or of asking a hub. Raises BadRecord for one that cannot be
        read."""
        if record.topic == FETCH_REQUESTS:
            request = decode(FetchRequest, record.value, record.place)
            if request.outcome is not None:
                return self._handed_over(request.outcome, record)
            return self._requested(request, from_millis(record.timestamp))
        if record.key is not None and record.key.startswith(ACT_PREFIX.encode()):
            return self._hub_answered(decode(HubOutcome, record.value, record.place))
        if self._pages.settles(record):
            return self._pages.settled(record)
        outcome = decode(FetchOutcome, record.value, record.place)
        feed = self._feeds.get(outcome.feed_id)
        if feed is None or poll_request(feed, self._state(feed)).url != outcome.requested_url:
            return NOTHING  # removed, or given another URL, while the request was under way
        return self._polled(feed, self._state(feed), outcome, record)

    def apply(self, change: Change) -> None:
        """Take a change of the feeds wanted or of a feed's state into memory."""
        key = change.key.decode()
        if change.topic == FEEDS:
            self._apply_feed(key, change.value)
        elif change.topic == FEED_STATES:
            self._apply_state(key, change.value)
        elif change.topic == SEEN_ENTRIES:
            self._apply_seen(key, change.value)
            return
        else:
            self._pages.apply(change)
            return
        self._place(key)
        for moved in self._moves.moved_to(key):
            self._place(moved)

    def wake(self, now: datetime) -> Output:
        """Return the polls that are due, at most four times what runs at once: a slow host blocks nobody; and what
        hubs and sites are asked for beside, in their share.

        A poll that comes late, into hours that its feed skips, is put off by a change. What was removed long ago is
        forgotten.
        """
        for unheard in self._hubs.begin(self._states, now):
            self._place(unheard)
        self._tell_queue(now)
        due = tuple(self._due.due(now, 4 * self._settings.concurrency, self._settings.per_host))
        later = {feed_id: after_skips(feed_id, now, self._state(self._feeds[feed_id])) for feed_id in due}
        polls = tuple(self._act(feed_id) for feed_id in due if later[feed_id] == now)
        late = (self._feeds[feed_id] for feed_id in due if later[feed_id] != now)
        states = [put_off(self._state(feed), later[feed.id]) for feed in late]
        asks, ended = self._hubs.wake(now, self._states, self._is_asked)
        pages = self._pages.wake(now)
        changes = (change for state in (*states, *ended) for change in self._changes(state))
        forgotten = self._forgotten(self._removed.over(now))
        return Output(changes=(*changes, *pages.changes, *forgotten), acts=(*asks, *pages.acts, *polls))

    def _forgotten(self, feed_id: str | None) -> tuple[Change, ...]:
        """The changes that leave nothing of a feed."""
        if feed_id is None:
            return ()
        key = feed_id.encode()
        pages = self._pages.forgotten(feed_id, (), self._memory)
        return (Change(FEED_STATES, key, None), Change(SEEN_ENTRIES, key, None), *pages)

    def _tell_queue(self, now: datetime) -> None:
        if self._counted_at is None or now - self._counted_at >= COUNT_EVERY:
            self._counted_at = now
            due = self._due.count(now) + self._pages.count(now)
            self._watch.queued(self._partition, len(self._due), due, len(self._pages))

    def _act(self, feed_id: str) -> Act:
        feed = self._feeds[feed_id]
        state = self._state(feed)
        return Act(f"{feed_id}:{state.polls}", poll_request(feed, state))

    def _state(self, feed: Feed) -> FeedState:
        return self._states.get(feed.id) or new_state(feed)

    def _changes(self, state: FeedState, seen: bytes | None = None) -> tuple[Change, ...]:
        """What to write for a feed: its state, and the entries seen if they are others now or stand nowhere yet."""
        key, before = state.feed_id.encode(), self._memory.packed(state.feed_id)
        told = Change(FEED_STATES, key, encode(state))
        if state.feed_id not in self._from_states and seen in (None, before):
            return (told,)
        packed = base64.b64encode(before if seen is None else seen).decode("ascii")
        return (told, Change(SEEN_ENTRIES, key, encode(SeenEntries(state.feed_id, packed))))

    def _requested(self, request: FetchRequest, at: datetime) -> Output:
        if request.article is not None:
            return self._pages.requested(request, self._memory)
        feed = self._feeds.get(request.feed_id or feed_id(request.url))
        if feed is None or request.article_id is not None:
            return NOTHING
        if request.hub is not None:
            return self._noticed(feed, request)
        state = self._state(feed)
        if refusal(feed, state) is not None or (state.next_poll_at <= at and not state.gone):
            return NOTHING  # paused, the host asked to be left alone, or the feed is due anyway
        return Output(changes=self._changes(replace(state, next_poll_at=at, gone=False)))

    def _handed_over(self, outcome: FetchOutcome, record: Record) -> Output:
        """Take the outcome of a request that was made before the feed was wanted; once it was polled it is too late."""
        feed = self._feeds.get(outcome.feed_id)
        if feed is None or feed.paused or feed.url != outcome.requested_url:
            return NOTHING
        state = self._state(feed)
        return self._polled(feed, state, outcome, record) if state.last_poll_at is None else NOTHING

    def _hub_answered(self, outcome: HubOutcome) -> Output:
        state = self._states.get(outcome.feed_id)
        if state is None:
            return NOTHING
        return Output(changes=self._changes(self._hubs.answered(state, outcome)))

    def _noticed(self, feed: Feed, request: FetchRequest) -> Output:
        """Take what a hub said to a callback: a document is news as a poll's is, but tells nothing of the whole."""
        state = self._state(feed)
        notice = self._hubs.means(state, request) if self._is_asked(feed.id) else None
        if notice is None:
            return NOTHING
        outcome = pushed_outcome(request, notice)
        found = self._recognised(feed, state, outcome) if notice.mode == PUSH else None
        if found is None or needs_whole_document(found):
            notice = notice if found is None else replace(notice, mode=PING)
            return Output(changes=self._changes(self._hubs.noticed(feed, state, notice, request.requested_at)))
        after = self._hubs.pushed(feed, state, outcome, found)
        out = self._pages.published(feed.id, _articles(found, feed, outcome), found.seen, self._memory)
        return Output(out.records, (*self._changes(after, pack(found.seen)), *out.changes))

    def _polled(self, feed: Feed, state: FeedState, outcome: FetchOutcome, record: Record) -> Output:
        letters = () if outcome.raw_body is None else (_letter(outcome, record),)
        found = self._recognised(feed, state, outcome)
        after = state_after(feed, state, outcome, found, self._settings)
        after = after_poll(feed, state, after, outcome, self._hubs.missed(feed.id, found), self._hubs.asking)
        self._watch.polled(feed, state, after, outcome, found)
        if found is None:
            return Output(letters, self._changes(after))
        backfill = state.last_success_at is None
        out = self._pages.published(
            feed.id, _articles(found, feed, outcome, backfill=backfill), found.seen, self._memory
        )
        return Output((*letters, *out.records), (*self._changes(after, pack(found.seen)), *out.changes))

    def _recognised(self, feed: Feed, state: FeedState, outcome: FetchOutcome) -> Recognised | None:
        if outcome.entries is None:
            return None
        return recognise(
            [plain_entry(entry) for entry in outcome.entries],
            self._memory.entries(feed.id),
            feed.domain,
            partial(self._memory.siblings, feed.id),
            self._settings,
            guids_wander=state.guids_wander,
            last_document=state.document_hash,
        )

    def _apply_feed(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._feeds.drop(key)
            return
        try:
            self._feeds.put(key, value, decode(Feed, value, f"{FEEDS} {key}"))
        except BadRecord as error:
            _log.warning("feed ignored: %s", error)

    def _apply_state(self, key: str, value: bytes | None) -> None:
        state = None if value is None else _read_state(key, value)
        self._hubs.note(key, self._states.get(key), state)
        self._moves.note(key, None if state is None else state.location)
        if state is None or value is None:
            self._states.drop(key)
            return
        if state.state_version != FEED_STATE_VERSION:
            self._take_over(key, state)
            state = replace(state, seen=(), state_version=FEED_STATE_VERSION)
            value = encode(state)
        self._states.put(key, value, state)
        if state.quiet_until is not None:
            host = state.quiet_domain or state.domain
            self._due.hold(host, state.quiet_until)
            self._pages.hold(host, state.quiet_until)

    def _take_over(self, key: str, state: FeedState) -> None:
        """Remember the entries that a state of version 1 holds, unless newer ones were read: topics have no order."""
        if not state.seen or (key in self._memory and key not in self._from_states):
            return
        try:
            self._memory.put(key, pack(state.seen))
        except ValueError as error:
            raise StateVersionError(f"{FEED_STATES} {key}: not as state version 1 is: {error}") from None
        self._from_states.add(key)

    def _apply_seen(self, key: str, value: bytes | None) -> None:
        try:
            self._memory.put(key, b"" if value is None else _read_seen(key, value))
        except ValueError as error:
            raise StateVersionError(
                f"{SEEN_ENTRIES} {key}: not as state version {SEEN_ENTRIES_VERSION} is: {error}"
            ) from None
        self._from_states.discard(key)

    def _place(self, key: str) -> None:
        feed, state = self._feeds.get(key), self._states.get(key)
        asked = self._is_asked(key)
        self._removed.place(key, state, wanted=feed is not None)
        self._hubs.place(key, state, wanted=asked)
        if feed is None or not asked:
            self._due.remove(key)
        else:
            self._due.put(key, feed.domain, self._hubs.poll_due(key, self._state(feed)))

    def _is_asked(self, key: str) -> bool:
        """Whether a feed is asked: it is wanted, neither paused nor gone, nor moved to where another wanted one is."""
        feed = self._feeds.get(key)
        if feed is None or feed.paused or _stopped(feed, self._state(feed)):
            return False
        return not self._moves.is_stood_for(key, self._feeds)


def fetch_spec(
    settings: FetchSettings,
    shell: Shell | None = None,
    watch: FetchWatch | None = None,
    hubs: HubTerms | None = None,
    articles: ArticleSettings | None = None,
) -> WorkerSpec:
    """Return the worker as the runner needs it; without a shell it only decides (replay, tests)."""
    return WorkerSpec(
        name=NAME,
        build=lambda partition: FetchWorker(settings, watch, partition, hubs, articles),
        streams=(FETCH_REQUESTS,),
        out=(ARTICLES, FETCH_REQUESTS),
        state=(FEED_STATES, SEEN_ENTRIES, PAGE_WANTS, PAGES),
        tables=(FEEDS,),
        shell=shell,
        concurrency=settings.concurrency,
        wakes=True,
    )


def _stopped(feed: Feed, state: FeedState) -> bool:
    """Whether the server said that the feed is gone, and nobody has added it again since."""
    return state.gone and (state.last_poll_at is None or feed.added_at <= state.last_poll_at)


def _articles(found: Recognised, feed: Feed, outcome: FetchOutcome, *, backfill: bool = False) -> list[Article]:
    """Documents list the newest first; a stream tells the oldest first."""
    articles = [_article(version, feed, outcome, backfill=backfill) for version in reversed(found.versions)]
    return sorted(articles, key=lambda article: article.event_time)


def _article(version: NewVersion, feed: Feed, outcome: FetchOutcome, *, backfill: bool) -> Article:
    return article_from_entry(
        version.plain,
        feed,
        article_id=version.article_id,
        version=version.version,
        observed_at=outcome.observed_at,
        changed=version.changed,
        backfill=backfill,
        excerpt=version.excerpt,
        feed_title=outcome.feed_title,
        feed_language=outcome.feed_language,
    )


def _letter(outcome: FetchOutcome, record: Record) -> NewRecord:
    """Keep the body that could not be parsed; its whole SHA-256 stands in the headers, as only 256 kB are kept."""
    body = base64.b64decode(outcome.raw_body or "")
    return dead_letter(
        NAME,
        record.partition,
        OUTCOME_OFFSET,
        outcome.feed_id.encode(),
        body,
        BadFeed(outcome.error or f"{outcome.url}: not a feed"),
        NAME,
        outcome.observed_at,
        (("url", outcome.url.encode("utf-8", "replace")), ("body-sha256", (outcome.body_hash or "").encode())),
    )


def _read_state(key: str, value: bytes) -> FeedState:
    return decode_state(FeedState, value, f"{FEED_STATES} {key}", FEED_STATE_VERSION - 1, FEED_STATE_VERSION)


def _read_seen(key: str, value: bytes) -> bytes:
    seen = decode_state(SeenEntries, value, f"{SEEN_ENTRIES} {key}", SEEN_ENTRIES_VERSION)
    return base64.b64decode(seen.packed, validate=True)
