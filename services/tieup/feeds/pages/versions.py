"""The versions of articles whose pages were read: decided by the owner of their feed, who alone knows them. Pure.

An edit of an entry whose page was read goes out at once, as an excerpt: a denial is told in the poll that brings it,
and what only the page said is not taken back, only to be brought back by the page's next version: two false events.
The page is read again and follows as a whole: what it does not say any more is withdrawn then.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tieup.articles.normalize import changed_fields
from tieup.articles.pages import article_with_page, page_request
from tieup.articles.settings import ArticleSettings, FullText
from tieup.log.base import NOTHING, Change, NewRecord, Output
from tieup.log.topics import ARTICLES, PAGES
from tieup.model.article import Article
from tieup.model.codec import decode_state, encode, to_millis
from tieup.model.feed import FetchRequest, SeenEntry
from tieup.model.page import PAGE_STATE_VERSION, PageRead


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a task's feeds remember of an article: the entry of the feed that brought it, and its newest version."""

    entry: SeenEntry | None
    version: int


class PageVersions:
    """Which articles' pages were read, and in which version each such article is."""

    def __init__(self, settings: ArticleSettings, max_versions: int) -> None:
        self._settings = settings
        self._max_versions = max_versions
        self._read: dict[str, PageRead] = {}

    def __len__(self) -> int:
        """How many articles' pages were read."""
        return len(self._read)

    def apply(self, key: str, value: bytes | None) -> None:
        """Take a change into memory. Raises StateVersionError for one of another version."""
        self._read.pop(key, None)
        if value is not None:
            self._read[key] = decode_state(PageRead, value, f"{PAGES} {key}", PAGE_STATE_VERSION)

    def published(self, articles: Iterable[Article]) -> Output:
        """Return how entries' versions go out: as they are, or as excerpts with a request for their page."""
        records: list[NewRecord] = []
        changes: list[Change] = []
        for article in articles:
            known = self._read.get(article.id)
            if known is None:
                records.append(_record(article))
                continue
            out = self._published(article, known)
            records.extend(out.records)
            changes.extend(out.changes)
        return Output(tuple(records), tuple(changes))

    def answered(self, request: FetchRequest, article: Article, remembered: Remembered) -> Output:
        """Publish an article with its page.

        Nothing comes of a page that belongs to another version than the newest (that one has a request of its own), of
        one that says nothing new, and of one beyond the bound of an article's versions.
        """
        known = self._read.get(article.id)
        newest = remembered.version if known is None else known.version
        if request.page is None or remembered.entry is None or article.version != newest:
            return NOTHING
        whole = article_with_page(article, request.page)
        before = article.content_hash if known is None else known.content_hash
        if whole.content_hash == before or newest >= self._max_versions:
            return NOTHING
        return _next(replace(whole, changed=changed_fields(article.content_hash, whole.content_hash)), newest)

    def forgotten(self, dropped: Iterable[str], elsewhere: Callable[[str], Sequence[SeenEntry]]) -> tuple[Change, ...]:
        """Return the changes that forget those articles, of the ones that a feed has dropped, which no other feed of
        the task remembers: `elsewhere(article_id)` gives what they remember."""
        gone = sorted(key for key in dropped if key in self._read and not elsewhere(key))
        return tuple(Change(PAGES, key.encode(), None) for key in gone)

    def _published(self, article: Article, known: PageRead) -> Output:
        if known.version >= self._max_versions:
            return NOTHING
        if len(article.text) >= known.chars:
            return _next(article, known.version)
        told = replace(article, version=known.version + 1, excerpt=True)
        asked = () if self._settings.full_text is FullText.NEVER or told.url is None else (page_request(told),)
        return Output((_record(told), *asked), (_change(replace(known, version=told.version)),))


def _next(article: Article, newest: int) -> Output:
    """Publish a whole text as the next version."""
    article = replace(article, version=newest + 1, excerpt=False)
    read = PageRead(
        article_id=article.id,
        feed_id=article.feed_id or "",
        version=article.version,
        content_hash=article.content_hash,
        chars=len(article.text),
        read_at=article.observed_at,
    )
    return Output((_record(article),), (_change(read),))


def _change(read: PageRead) -> Change:
    return Change(PAGES, read.article_id.encode(), encode(read))


def _record(article: Article) -> NewRecord:
    return NewRecord(ARTICLES, article.id.encode(), encode(article), to_millis(article.observed_at))
