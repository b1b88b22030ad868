"""Pages as the fetch worker sees them: those wanted of its hosts, and the versions of its feeds' articles. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from tieup.articles.pages import PAGE_READ
from tieup.articles.settings import ArticleSettings
from tieup.feeds.entries.memory import PackedEntries, SeenMemory
from tieup.feeds.pages.versions import PageVersions, Remembered
from tieup.feeds.pages.wants import PREFIX, Hold, PageWants
from tieup.feeds.settings import FetchSettings
from tieup.feeds.watch import FetchWatch
from tieup.log.base import NOTHING, OUTCOME_OFFSET, Change, Output, Record
from tieup.log.topics import PAGE_WANTS
from tieup.model.article import Article
from tieup.model.codec import decode
from tieup.model.feed import FetchRequest, SeenEntry
from tieup.model.page import PageOutcome

_PLACE: Final = PREFIX.encode()


class Pages:
    """Both sides of a task's pages; each request, act, outcome and change goes to the side that it concerns."""

    def __init__(self, settings: ArticleSettings, fetching: FetchSettings, hold: Hold, watch: FetchWatch) -> None:
        """`hold` lets the feeds of a host rest too that a page's answer asks to be left alone."""
        self._wants = PageWants(settings, fetching, hold)
        self._versions = PageVersions(settings, fetching.max_versions)
        self._watch = watch

    def __len__(self) -> int:
        """How many pages are wanted."""
        return len(self._wants)

    def apply(self, change: Change) -> None:
        """Take a change of a want or of an article's versions into memory. Raises StateVersionError."""
        side = self._wants if change.topic == PAGE_WANTS else self._versions
        side.apply(change.key.decode(), change.value)

    def hold(self, host: str, until: datetime) -> None:
        """Let no page of a host be asked for before this time."""
        self._wants.hold(host, until)

    def count(self, now: datetime) -> int:
        """How many pages are due by now."""
        return self._wants.count(now)

    def wake(self, now: datetime) -> Output:
        """Return the requests for the pages that are due; give up those that were wanted for too long."""
        given_up = self._wants.expired(now)
        self._watch.given_up(len(given_up))
        gone = {change.key.decode() for change in given_up}
        return Output(changes=given_up, acts=tuple(self._wants.act(key) for key in self._wants.due(now, gone)))

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
        return Output(out.records, (*out.changes, *self.forgotten(feed_id, seen, memory)))

    def forgotten(self, feed_id: str, seen: Sequence[SeenEntry], memory: SeenMemory) -> tuple[Change, ...]:
        """Return the changes that forget the pages of what a feed, and no other, remembered and now does not."""
        if not self._versions:
            return ()
        dropped = memory.entries(feed_id).ids() - PackedEntries.of(seen).ids()
        return self._versions.forgotten(map(bytes.hex, dropped), lambda key: memory.siblings(feed_id, key))
