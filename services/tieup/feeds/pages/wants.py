"""The pages that a task is to read, since it owns their hosts: asked for, tried, answered or given up. Pure.

page request ─▶ want ─▶ act ─▶ outcome ─┬─▶ answer to the owner of the article's feed, want gone
                 ▲                      │
                 └──── later, again ◀───┘
"""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from sortedcontainers import SortedList

from tieup.articles.pages import page_answer
from tieup.articles.settings import ArticleSettings, FullText
from tieup.articles.urls import registrable_domain
from tieup.errors import BadFeed
from tieup.feeds.due import DueFeeds
from tieup.feeds.pages.plausible import is_about
from tieup.feeds.registry import feed_url
from tieup.feeds.schedule import rest_s
from tieup.feeds.settings import FetchSettings
from tieup.ids import derive_id
from tieup.log.base import NOTHING, Act, Change, Output
from tieup.log.topics import PAGE_WANTS
from tieup.model.article import Article
from tieup.model.codec import decode_state, encode
from tieup.model.feed import FetchRequest
from tieup.model.page import PAGE_STATE_VERSION, PageOutcome, PageResult, PageWant

PREFIX: Final = "page:"  # of the acts for pages
SHARE: Final = (
    2  # of the requests under way, one in so many goes to pages: they sleep for a Crawl-delay, polls must not
)

Deadline = tuple[datetime, str]
Hold = Callable[[str, datetime], None]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page: the payload of an act. `version` and `tries` come back with the outcome."""

    want_id: str
    url: str
    version: int
    tries: int


class PageWants:
    """The pages wanted of a task's hosts: beside its feeds, so that neither waits for the other's queue, but with one
    politeness and one hold for both."""

    def __init__(self, settings: ArticleSettings, fetching: FetchSettings, hold: Hold) -> None:
        """`hold` holds the feeds of a host back."""
        self._settings = settings
        self._fetching = fetching
        self._hold_feeds = hold
        self._due = DueFeeds()
        self._wants: dict[str, PageWant] = {}  # in the order in which they were asked for
        self._of_domain: dict[str, dict[str, None]] = {}
        self._deadlines: SortedList = SortedList()

    def __len__(self) -> int:
        """How many pages are wanted."""
        return len(self._wants)

    def apply(self, key: str, value: bytes | None) -> None:
        """Take a change of a want into memory. Raises StateVersionError for one of another version."""
        self._forget(key)
        if value is None:
            return
        want = decode_state(PageWant, value, f"{PAGE_WANTS} {key}", PAGE_STATE_VERSION)
        self._wants[key] = want
        self._of_domain.setdefault(want.domain, {})[key] = None
        self._deadlines.add((self._deadline(want), key))
        self._due.put(key, want.domain, want.due_at)
        if want.quiet_until is not None:
            self.hold(want.domain, want.quiet_until)
            self._hold_feeds(want.domain, want.quiet_until)

    def hold(self, host: str, until: datetime) -> None:
        """Let no page of a host be due before this time."""
        self._due.hold(host, until)

    def count(self, now: datetime) -> int:
        """How many pages are due by now."""
        return self._due.count(now)

    def due(self, now: datetime, gone: Container[str]) -> list[str]:
        """Return which pages are asked for now, less those that are gone: one of a host, in their share."""
        limit = max(1, self._fetching.concurrency // SHARE)
        return [key for key in self._due.due(now, limit, 1) if key not in gone]

    def act(self, key: str) -> Act:
        """Return the request for a page that is due."""
        want = self._wants[key]
        version = want.article.version
        return Act(f"{PREFIX}{key}:{version}:{want.tries}", PageRequest(want.id, want.url, version, want.tries))

    def requested(self, request: FetchRequest, article: Article) -> Output:
        """Take a request for a page, unless the page of this version or of a later one is wanted already."""
        want = _new_want(request, article)
        if want is None or self._settings.full_text is FullText.NEVER:
            return NOTHING
        known = self._wants.get(want.id)
        if known is not None and known.article.version >= article.version:
            return NOTHING
        crowded = None if known is not None else self._crowded(want.domain)
        return Output(changes=(_change(want),) if crowded is None else (_gone(crowded), _change(want)))

    def settled(self, outcome: PageOutcome) -> tuple[PageResult, Output]:
        """Decide what an outcome means; nothing comes of one whose request is no longer wanted."""
        want = self._wants.get(outcome.want_id)
        if want is None or (want.article.version, want.tries) != (outcome.version, outcome.tries):
            return outcome.result, NOTHING
        if outcome.page is not None:
            if not is_about(want.article, outcome.page.text):
                return PageResult.UNLIKE, Output(changes=(_gone(want),))
            return PageResult.READ, Output((page_answer(want.article, want.url, outcome.page),), (_gone(want),))
        later = want_after(want, outcome, self._settings, self._fetching)
        again = outcome.again and later.tries < self._settings.page_tries
        return outcome.result, Output(changes=(_change(later) if again else _gone(want),))

    def expired(self, now: datetime) -> tuple[Change, ...]:
        """Give up what was wanted for too long; all of it, where pages are not read any more."""
        if self._settings.full_text is FullText.NEVER:
            return tuple(map(_gone, self._wants.values()))
        late = takewhile(lambda deadline: deadline[0] <= now, self._deadlines)
        return tuple(_gone(self._wants[key]) for _, key in late)

    def _deadline(self, want: PageWant) -> datetime:
        return want.requested_at + timedelta(seconds=self._settings.page_max_age_s)

    def _crowded(self, domain: str) -> PageWant | None:
        """Return the oldest want of the domain, or of all, where there is no room for another."""
        of_domain = self._of_domain.get(domain, {})
        if len(of_domain) >= self._settings.pages_per_host:
            return self._wants[next(iter(of_domain))]
        return next(iter(self._wants.values())) if len(self._wants) >= self._settings.max_pages else None

    def _forget(self, key: str) -> None:
        want = self._wants.pop(key, None)
        if want is None:
            return
        of_domain = self._of_domain[want.domain]
        del of_domain[key]
        if not of_domain:
            del self._of_domain[want.domain]
        self._deadlines.remove((self._deadline(want), key))
        self._due.remove(key)


def want_after(want: PageWant, outcome: PageOutcome, settings: ArticleSettings, fetching: FetchSettings) -> PageWant:
    """Return the want after a try that failed: due again after a wait that doubles, or when the host wants it.

    Where nobody was asked, since the host had no turn to give, that was no try.
    """
    wait_s = settings.page_retry_s * 2**want.tries
    rest = rest_s(outcome.status, outcome.retry_after_s, fetching)
    due_at = outcome.observed_at + timedelta(seconds=max(wait_s, rest or 0))
    tries = want.tries if outcome.result is PageResult.POSTPONED else want.tries + 1
    return replace(want, tries=tries, due_at=due_at, quiet_until=None if rest is None else due_at)


def want_id(article: Article) -> str:
    """Return the id of the want for an article's page: one for each feed that brought the article."""
    return derive_id("page", article.feed_id or "", article.id)


def _new_want(request: FetchRequest, article: Article) -> PageWant | None:
    try:
        url = feed_url(request.url)
    except BadFeed:
        return None
    return PageWant(
        id=want_id(article),
        url=url,
        domain=registrable_domain(url),
        article=article,
        requested_at=request.requested_at,
        due_at=request.requested_at,
    )


def _change(want: PageWant) -> Change:
    return Change(PAGE_WANTS, want.id.encode(), encode(want))


def _gone(want: PageWant) -> Change:
    return Change(PAGE_WANTS, want.id.encode(), None)
