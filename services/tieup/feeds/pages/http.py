"""The shell's part in reading a page: robots.txt first, then the page, hop by hop; then its main text, elsewhere."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from tieup.articles.settings import ArticleSettings
from tieup.errors import BadFeed, FetchError, HostBusy, TooManyRedirects
from tieup.feeds.asking import REDIRECTS, Answer, Asked, Asks, target
from tieup.feeds.pages.robots import KEPT_S, MAX_BYTES, MAX_REDIRECTS, Verdict, judge
from tieup.feeds.pages.text import MainText, main_text
from tieup.feeds.pages.wants import PageRequest
from tieup.feeds.poll import OK
from tieup.feeds.reading.document import bounded
from tieup.feeds.reading.parsing import ParsingPool
from tieup.feeds.schedule import TOO_MANY
from tieup.feeds.settings import FetchSettings
from tieup.model.codec import decode
from tieup.model.feed import PageText
from tieup.model.page import PageOutcome, PageResult
from tieup.outside.headers import retry_after_s

ACCEPT_PAGE: Final = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
ACCEPT_ROBOTS: Final = "text/plain, */*;q=0.5"
AWAY_S: Final = 60.0  # a robots.txt that cannot be had is not asked for again sooner
MAX_KEPT: Final = 2_000  # hosts
MAX_KEPT_BYTES: Final = 32_000_000

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_LATER: Final = frozenset({408, 425, TOO_MANY})

Seconds = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Rules:
    """A host's robots.txt: its bytes, none where everything is allowed; or why it cannot be had for now.

    `answer` is the one that said so, if there was one.
    """

    until: float
    body: bytes = b""
    away: str | None = None
    answer: Answer | None = None


class _Stop(FetchError):
    """The page is not read, for a reason that its outcome tells."""

    def __init__(self, result: PageResult, words: str, answer: Answer | None = None, *, again: bool = False) -> None:
        super().__init__(words)
        self.result = result
        self.answer = answer
        self.again = again


class PageReader:
    """Reads pages. What robots.txt files say is kept for a day, in memory; `now` gives the outcomes' time."""

    def __init__(
        self,
        asks: Asks,
        fetching: FetchSettings,
        settings: ArticleSettings,
        parsing: ParsingPool,
        now: Callable[[], datetime],
        seconds: Seconds = time.monotonic,
    ) -> None:
        self._asks = asks
        self._fetching = fetching
        self._settings = settings
        self._parsing = parsing
        self._now = now
        self._seconds = seconds
        self._rules: OrderedDict[str, _Rules] = OrderedDict()
        self._kept_bytes = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._next_at: OrderedDict[str, float] = OrderedDict()

    async def read(self, request: PageRequest) -> PageOutcome:
        """Read a page. Never raises for anything that the outside world does."""
        try:
            answer = await self._page(request.url)
            return await self._text(request, answer)
        except _Stop as stop:
            return self._outcome(request, stop.result, stop.answer, error=str(stop), again=stop.again)
        except HostBusy as error:
            return self._outcome(request, PageResult.POSTPONED, None, error=str(error), again=True)
        except (FetchError, BadFeed) as error:
            return self._outcome(request, PageResult.NO_ANSWER, None, error=str(error), again=True)

    async def _page(self, url: str) -> Answer:
        """Follow redirects to the page, each hop as its host's robots.txt allows. Raises _Stop, FetchError, BadFeed."""
        left_s = self._fetching.total_s
        for _ in range(self._fetching.max_redirects + 1):
            site = _site(url)
            async with self._paced(site, await self._delay_s(site, url)):
                answer, took_s = await self._asks.once(Asked(url, self._settings.max_page_bytes, ACCEPT_PAGE), left_s)
            left_s -= took_s
            if answer.status not in REDIRECTS:
                return answer
            url = target(answer)
        words = f"more than {self._fetching.max_redirects} redirects, the last to {url}"
        raise _Stop(PageResult.REFUSED, words)

    async def _text(self, request: PageRequest, answer: Answer) -> PageOutcome:
        if answer.status not in OK:
            again = answer.status >= 500 or answer.status in _LATER
            raise _Stop(PageResult.REFUSED, f"answered {answer.status}", answer, again=again)
        kind = answer.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() not in _HTML:
            raise _Stop(PageResult.NOT_HTML, f"{bounded(kind, 100) or 'of no type'}, not HTML", answer)
        if answer.body is None:
            raise _Stop(PageResult.NO_TEXT, answer.problem or "no body", answer)
        try:
            tag = answer.headers.get("x-robots-tag")
            found = decode(MainText, await self._parsing.run(answer.url, main_text, answer.body, kind, tag), answer.url)
        except FetchError as error:
            raise _Stop(PageResult.NO_TEXT, str(error), answer) from error
        if found.withheld:
            raise _Stop(PageResult.WITHHELD, "forbids to keep or quote it", answer)
        if not found.text:
            raise _Stop(PageResult.NO_TEXT, "no main text found", answer)
        outcome = self._outcome(request, PageResult.READ, answer)
        return replace(outcome, page=PageText(found.text, outcome.observed_at, found.truncated))

    async def _delay_s(self, site: str, url: str) -> float:
        """Return the Crawl-delay of a page that may be asked for. Raises _Stop if it may not, or not now."""
        lock = self._locks.setdefault(site, asyncio.Lock())
        async with lock:  # pages of one site wait for one answer
            rules = self._kept(site) or self._keep(site, await self._asked(site))
        if rules.away is not None:
            raise _Stop(PageResult.NO_ANSWER, rules.away, rules.answer, again=True)
        if not rules.body:
            return 0.0
        verdict = decode(Verdict, await self._parsing.run(url, judge, rules.body, url), url)
        if not verdict.allowed:
            raise _Stop(PageResult.DISALLOWED, f"{url}: {PageResult.DISALLOWED}")
        return verdict.delay_s

    async def _asked(self, site: str) -> _Rules:
        """Ask for robots.txt: what is not there allows all, what cannot be had allows nothing for now (RFC 9309)."""
        url = f"{site}/robots.txt"
        day, soon = self._seconds() + KEPT_S, self._seconds() + AWAY_S
        try:
            answer = await self._asks.ask(Asked(url, MAX_BYTES, ACCEPT_ROBOTS, cut=True), MAX_REDIRECTS)
        except TooManyRedirects:
            return _Rules(day)
        except HostBusy:
            raise  # nobody was asked
        except FetchError as error:
            return _Rules(soon, away=str(error))
        if answer.status >= 500 or answer.status == TOO_MANY or answer.problem is not None:
            said = answer.problem or f"answered {answer.status}"
            return _Rules(soon, away=f"{url}: {said}", answer=answer)
        return _Rules(day, answer.body or b"")

    def _kept(self, site: str) -> _Rules | None:
        rules = self._rules.get(site)
        if rules is None or rules.until <= self._seconds():
            return None
        self._rules.move_to_end(site)
        return rules

    def _keep(self, site: str, rules: _Rules) -> _Rules:
        old = self._rules.pop(site, None)
        self._kept_bytes += len(rules.body) - (len(old.body) if old else 0)
        self._rules[site] = rules
        while len(self._rules) > MAX_KEPT or self._kept_bytes > MAX_KEPT_BYTES:
            _, dropped = self._rules.popitem(last=False)
            self._kept_bytes -= len(dropped.body)
        return rules

    @asynccontextmanager
    async def _paced(self, site: str, delay_s: float) -> AsyncIterator[None]:
        """Hold a request until `delay_s` have passed since the site's answer before, one at a time."""
        if not delay_s:
            yield
            return
        async with self._locks.setdefault(f"pace of {site}", asyncio.Lock()):
            await asyncio.sleep(max(0.0, self._next_at.pop(site, 0.0) - self._seconds()))
            try:
                yield
            finally:
                self._next_at[site] = self._seconds() + delay_s
                if len(self._next_at) > MAX_KEPT:
                    self._next_at.popitem(last=False)

    def _outcome(
        self,
        request: PageRequest,
        result: PageResult,
        answer: Answer | None,
        *,
        error: str | None = None,
        again: bool = False,
    ) -> PageOutcome:
        now = self._now()
        headers = None if answer is None else answer.headers
        return PageOutcome(
            want_id=request.want_id,
            version=request.version,
            tries=request.tries,
            url=request.url,
            observed_at=now,
            result=result,
            status=None if answer is None else answer.status,
            error=None if error is None else _named(request.url, error),
            again=again,
            retry_after_s=None
            if headers is None
            else retry_after_s(headers.get("retry-after"), now, headers.get("date")),
            body_bytes=0 if answer is None or answer.body is None else len(answer.body),
        )


def _named(url: str, error: str) -> str:
    """Return an error in one line that begins with the page's URL, once."""
    words = error if error.startswith(f"{url}: ") else f"{url}: {error}"
    return " ".join(bounded(words, 1_000).split())


def _site(url: str) -> str:
    """What a robots.txt speaks for: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
