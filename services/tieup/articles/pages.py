"""Pages of articles: the requests that travel between who wants one, who reads it and who publishes it; the text."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from tieup.articles.language import detect_language
from tieup.articles.normalize import content_hash
from tieup.articles.urls import registrable_domain
from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import FETCH_REQUESTS
from tieup.model.article import MAX_TEXT_CHARS, Article
from tieup.model.codec import encode, to_millis
from tieup.model.feed import FetchRequest, PageText

PAGE: Final = "page"
PAGE_READ: Final = "page-read"

MAX_SOUGHT: Final = 300
"""Lines of an entry that are sought in its page, each a pass over 100,000 characters: 25 ms at most, where 20,000 lines
took 1.6 s of the task's time."""

_TORN: Final = " .…[]()>»"


def page_request(article: Article) -> NewRecord:
    """Return the request for an article's page, placed by the page's registrable domain: its host's owner reads it.

    It carries the article, so that the owner needs nothing else.
    """
    url = article.url or ""
    return _record(article, PAGE, url, registrable_domain(url), None, article.observed_at)


def page_answer(article: Article, url: str, page: PageText) -> NewRecord:
    """Return the answer to a request, placed by the feed's domain: only the feed's owner knows the versions."""
    return _record(article, PAGE_READ, url, article.feed_domain or "", page, page.observed_at)


def _record(article: Article, reason: str, url: str, domain: str, page: PageText | None, at: datetime) -> NewRecord:
    request = FetchRequest(
        url=url,
        domain=domain,
        reason=reason,
        requested_at=at,
        feed_id=article.feed_id,
        article_id=article.id,
        article=article,
        page=page,
    )
    key = derive_id("page", url)
    return NewRecord(FETCH_REQUESTS, key.encode(), encode(request), to_millis(at), place_by=domain.encode())


def article_with_page(article: Article, page: PageText) -> Article:
    """Return the article with its page's text; the title stays the entry's, the language is decided anew."""
    text = joined(article.text, page.text)
    cut = text[:MAX_TEXT_CHARS]
    return replace(
        article,
        text=cut,
        truncated=page.truncated or len(text) > len(cut),
        observed_at=page.observed_at,
        content_hash=content_hash(article.title, cut),
        language=detect_language(f"{article.title}\n{cut}", article.language),
        from_page=True,
        excerpt=False,
    )


def joined(entry: str, page: str) -> str:
    """Return the page's text, and before it those lines of the entry that it does not hold.

    A summary is often written apart, and a page may come from a cache that is older than its entry: what the entry
    says, a denial perhaps, must not be lost to the page. A line that was cut for the feed is held by its beginning;
    those after the first 300 only where they stand in the page as lines.
    """
    held, lines = " ".join(page.split()), entry.split("\n")
    sought = (line for line in lines[:MAX_SOUGHT] if " ".join(line.split()).rstrip(_TORN) not in held)
    as_lines = {"", *page.split("\n")} if len(lines) > MAX_SOUGHT else set()
    return "\n".join([*sought, *(line for line in lines[MAX_SOUGHT:] if line not in as_lines), page])
