"""Pages as the fetch worker sees them: those wanted of its hosts, and the versions of its feeds' articles. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from tieup.articles.pages import PAGE_READ
from tieup.articles.settings import ArticleSettings
from tieup.feeds.due import DueFeeds
from tieup.feeds.memory import SeenMemory
from tieup.feeds.page_versions import PageVersions, Remembered
from tieup.feeds.page_wants import PREFIX, PageWants
from tieup.feeds.settings import FetchSettings
from tieup.feeds.watch import FetchWatch
from tieup.log.base import NOTHING, OUTCOME_OFFSET, Act, Change, Output, Record
from tieup.log.topics import PAGE_WANTS
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.feed import FetchRequest, SeenEntry
from tieup.model.page import PageOutcome

_PLACE: Final = PREFIX.encode()


class Pages:
    """Both sides of a task's pages; each request, act, outcome and change goes to the side that it concerns."""

    def __init__(self, settings: ArticleSettings, fetching: FetchSettings, due: DueFeeds, watch: FetchWatch) -> None:
        self._wants = PageWants(settings, fetching, due)
        self._versions = PageVersions(settings, fetching.max_versions)
        self._watch = watch

    def __len__(self) -> int:
        """How many pages are wanted."""
        return len(self._wants)

    def apply(self, change: Change) -> None:
        """Take a change of a want or of an article's versions into memory. Raises StateVersionError."""
        side = self._wants if change.topic == PAGE_WANTS else self._versions
        side.apply(change.key.decode(), change.value)

    def act(self, place: str) -> Act | None:
        """Return the request for the page at this place among what is due, None if a feed is due there."""
        return self._wants.act(place) if place.startswith(PREFIX) else None

    def expired(self, now: datetime) -> tuple[Change, ...]:
        """Give up the pages that were wanted for too long."""
        changes = self._wants.expired(now)
        self._watch.given_up(len(changes))
        return changes

    def settles(self, record: Record) -> bool:
        """Whether a record is the outcome of a request for a page."""
        return record.offset == OUTCOME_OFFSET and (record.key or b"").startswith(_PLACE)

    def settled(self, record: Record) -> Output:
        """Decide what an outcome means. Raises BadRecord for one that cannot be read."""
        outcome = decode(PageOutcome, record.value, record.place)
        result, out = self._wants.settled(outcome)
        self._watch.page(outcome, result)
        return out

    def requested(self, request: FetchRequest, memory: SeenMemory) -> Output:
        """Take a request for a page, or the answer to one."""
        article = request.article
        if article is None or article.feed_id is None:
            return NOTHING
        if request.reason != PAGE_READ:
            out = self._wants.requested(request, article)
            self._watch.given_up(max(0, len(out.changes) - 1))
            return out
        entry = next((one for one in memory.of(article.feed_id) if one.id == article.id), None)
        others = memory.siblings(article.feed_id, article.id)
        newest = max((one.version for one in (entry, *others) if one is not None), default=0)
        return self._versions.answered(request, article, Remembered(entry, newest))

    def published(
        self, feed_id: str, articles: Iterable[Article], seen: Sequence[SeenEntry], memory: SeenMemory
    ) -> Output:
        """Return how the versions that a poll found go out; `seen` is what the feed remembers after it."""
        out = self._versions.published(articles)
        forgotten = self._versions.forgotten(feed_id, seen, lambda key: memory.siblings(feed_id, key))
        return Output(out.records, (*out.changes, *forgotten))
