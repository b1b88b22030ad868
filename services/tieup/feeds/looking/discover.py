"""The feeds of a web site: the page is asked, then what it names, each once and in turn; at most 20 requests.

site ─▶ a feed itself? ─▶ done
   └──▶ a page ─▶ the links in it ─▶ each asked once (a page among them is looked through, too)
            └──▶ names none that is one ─▶ the usual places, until one is
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tieup.articles.urls import registrable_domain
from tieup.errors import FetchError
from tieup.feeds.asking import Answer
from tieup.feeds.looking.document_kind import document_kind
from tieup.feeds.looking.feed_links import FeedLink, How, feed_links, is_page, usual_places
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_id, feed_url
from tieup.feeds.schedule import SLOW_DOWN
from tieup.model.feed import FetchOutcome

MAX_REQUESTS: Final = 20

Visit = Callable[[PollRequest], Awaitable[tuple[Answer, FetchOutcome]]]


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed of the site, asked once. `url` is what to subscribe to; `title` its own, else the page's word for it.

    `same_as` is the URL of one found before that holds the same entries.
    """

    url: str
    how: How
    title: str
    kind: str
    entries: int
    newest: datetime | None
    language: str | None
    of_comments: bool
    same_as: str | None
    outcome: FetchOutcome


@dataclass(slots=True)
class Discovery:
    """What was found at a site, in order of worth; `failed` says of the other addresses why they are no feeds.

    `requests` were made; `left` are addresses that were not asked, since there were too many or the host asked for
    rest.
    """

    site: str
    feeds: list[FoundFeed] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    requests: int = 0
    left: tuple[str, ...] = ()


def site_urls(site: str) -> tuple[str, ...]:
    """Return what is asked for a site as people name it: `news.example` is tried with TLS, then without.

    Raises BadFeed for what is no site.
    """
    if "://" in site:
        return (feed_url(site),)
    return feed_url(f"https://{site}"), feed_url(f"http://{site}")


async def discover(visit: Visit, site: str) -> Discovery:
    """Find the feeds of a site. Raises BadFeed for what is no site, FetchError if it cannot be reached."""
    search = _Search(visit, Discovery(site))
    body, url, content_type = await search.begin(site_urls(site))
    if search.found.feeds or search.resting:
        return search.found
    await search.follow(feed_links(body, url, content_type))
    if not search.found.feeds and not search.spent:
        await search.follow(usual_places(url), until_found=True)
    return search.found


class _Search:
    def __init__(self, visit: Visit, found: Discovery) -> None:
        self.found = found
        self.resting = False
        self._visit = visit
        self._asked: set[str] = set()
        self._entries: dict[frozenset[str], str] = {}

    @property
    def spent(self) -> bool:
        """Whether no further request may be made."""
        return self.resting or self.found.requests >= MAX_REQUESTS

    async def begin(self, urls: Iterable[str]) -> tuple[bytes, str, str | None]:
        """Ask the first of the site's addresses that answers; returns its body, where it ended, and its type."""
        fault: FetchError | None = None
        for url in urls:
            try:
                answer, outcome = await self._ask(url)
            except FetchError as error:
                fault = fault or error
                continue
            if outcome.entries is not None:
                self._take(FeedLink(url, How.ITSELF), answer, outcome)
            elif outcome.status != 200:
                self.found.failed.append((url, f"answered {outcome.status}"))
            return answer.body or b"", answer.url, answer.headers.get("content-type")
        raise fault or FetchError(f"{self.found.site}: no address to ask")

    async def follow(self, links: Iterable[FeedLink], *, until_found: bool = False) -> None:
        """Ask each address once; pages among those that a page links to are looked through as well."""
        waiting = deque(links)
        while waiting and not self.spent:
            link = waiting.popleft()
            if feed_id(link.url) in self._asked:
                continue
            page = await self._look(link)
            if page is not None and link.how == How.LINKED:
                waiting.extend(one for one in feed_links(*page) if not one.of_comments)
            if until_found and self.found.feeds:
                return
        self.found.left += tuple(link.url for link in waiting if feed_id(link.url) not in self._asked)

    async def _look(self, link: FeedLink) -> tuple[bytes, str, str | None] | None:
        """Ask one address; returns what came if it is a page."""
        try:
            answer, outcome = await self._ask(link.url)
        except FetchError as error:
            self.found.failed.append((link.url, _reason(str(error), link.url)))
            return None
        if outcome.entries is not None:
            self._take(link, answer, outcome)
            return None
        self.found.failed.append((link.url, _reason(outcome.error or "no feed", link.url)))
        body, content_type = answer.body or b"", answer.headers.get("content-type")
        return (body, answer.url, content_type) if is_page(body, content_type) else None

    async def _ask(self, url: str) -> tuple[Answer, FetchOutcome]:
        self._asked.add(feed_id(url))
        self.found.requests += 1
        answer, outcome = await self._visit(PollRequest(feed_id(url), url, registrable_domain(url)))
        self._asked.add(feed_id(answer.url))
        self.resting = outcome.status in SLOW_DOWN
        return answer, outcome

    def _take(self, link: FeedLink, answer: Answer, outcome: FetchOutcome) -> None:
        entries = outcome.entries or ()
        url = outcome.moved_to or link.url
        content = frozenset(entry.link or entry.guid or "" for entry in entries)
        same_as = self._entries.setdefault(content, url) if content else url
        dates = [entry.published for entry in entries if entry.published is not None]
        self.found.feeds.append(
            FoundFeed(
                url=url,
                how=link.how,
                title=outcome.feed_title or link.title,
                kind=document_kind(answer.body or b""),
                entries=len(entries),
                newest=max(dates, default=None),
                language=outcome.feed_language,
                of_comments=link.of_comments,
                same_as=None if same_as == url else same_as,
                outcome=outcome,
            )
        )


def _reason(words: str, url: str) -> str:
    return words.removeprefix(f"{url}: ")
