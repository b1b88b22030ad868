"""Pages of articles: which are wanted, which were read, and what came of one request."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tieup.model.article import Article
from tieup.model.feed import PageText

PAGE_STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class PageWant:
    """A page that is wanted (topic page-wants, key `id`); only the owner of the page's host writes it.

    `id` is derived from the article's feed and id. `article` is the article as its entry has it, in the version that
    the page belongs to. `tries` counts the requests that failed; the next is due at `due_at`. `quiet_until` is until
    when the page's whole domain asked to be left alone.
    """

    id: str
    url: str
    domain: str
    article: Article
    requested_at: datetime
    due_at: datetime
    tries: int = 0
    quiet_until: datetime | None = None
    state_version: int = PAGE_STATE_VERSION


@dataclass(frozen=True, slots=True)
class PageRead:
    """That an article's page was read once (topic pages, key `article_id`); only the owner of its feed writes it.

    From then on it counts the article's versions: `version` is the newest. `content_hash` and `chars` are of the title
    and text, and of the text, of the newest that is no excerpt.
    """

    article_id: str
    feed_id: str
    version: int
    content_hash: str
    chars: int
    read_at: datetime
    state_version: int = PAGE_STATE_VERSION


class PageResult(StrEnum):
    """What came of a page, in the words of the metrics."""

    READ = "read"
    DISALLOWED = "disallowed by robots.txt"
    WITHHELD = "withheld by its robots tag"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    POSTPONED = "postponed"
    NOT_HTML = "not HTML"
    NO_TEXT = "no text"
    UNLIKE = "not about the article"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What came of one request for a page: handed by the fetching shell to the core as a record.

    `want_id`, `version` (of the article) and `tries` say which request it was. `again`: another try may help.
    """

    want_id: str
    version: int
    tries: int
    url: str
    observed_at: datetime
    result: PageResult
    status: int | None = None
    page: PageText | None = None
    error: str | None = None
    again: bool = False
    retry_after_s: int | None = None
    body_bytes: int = 0
