"""What one look at a feed tells: facts from one answer, or two. Pure; `faults.py` says what is wrong with them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from typing import Final

from tieup.articles.normalize import PlainEntry, plain_entry
from tieup.feeds.asking import Answer
from tieup.feeds.entries.identity import Recognised, recognise, rungs
from tieup.feeds.looking.document_kind import document_kind, xml_fault
from tieup.feeds.looking.feed_links import feed_links, is_page
from tieup.feeds.looking.interval import Interval, chosen_interval
from tieup.feeds.poll import new_state, state_after
from tieup.feeds.registry import feed_from_url
from tieup.feeds.schedule import rate_of_document
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Entry, FetchOutcome

AHEAD: Final = timedelta(hours=1)  # clocks differ; more is a wrong date
_DECLARED: Final = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*['\"]([\w.:-]{1,40})['\"]")
_LINKS: Final = re.compile(
    rb"<link(?:\s[^<>]{0,2000})?>\s{0,200}([^\s<]{1,2000})\s{0,200}</link>|<link\s[^<>]{0,2000}?href=[\"']([^\"'<>]+)"
)
_ABSOLUTE: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Identity:
    """By what the entries are known: how many by each rung of the ladder, and as how many articles.

    `no_guid` entries have none; `shared_guids` stand for several entries, `shared_links` likewise.
    """

    by_link: int
    by_guid: int
    by_content: int
    articles: int
    no_guid: int
    shared_guids: int
    shared_links: int


@dataclass(frozen=True, slots=True)
class Dates:
    """What the entries say about when they were published; `ahead` lie in the future, `per_day` is the rate."""

    dated: int
    ahead: int
    oldest: datetime | None
    newest: datetime | None
    per_day: float | None


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """All that one look at a feed tells. Sizes in bytes, times in seconds; None is what was not told or not there.

    `url` was asked and `ended_at` answered; `moved_to` is where permanent redirects alone led. `error` says why nothing
    could be read; where a web page came instead, `page_names` are the feeds that it names. `wire_bytes` is what the
    server said that it would send. `second` says what came of a second, conditional request.
    """

    url: str
    ended_at: str
    moved_to: str | None
    status: int | None
    error: str | None
    retry_after_s: int | None
    is_page: bool
    page_names: tuple[str, ...]
    kind: str
    quick: bool
    title: str | None
    language: str | None
    content_type: str | None
    charset_sent: str | None
    charset_declared: str | None
    etag: str | None
    last_modified: str | None
    second: str | None
    cache_control: str | None
    expires: str | None
    max_age_s: int | None
    wish_s: int | None
    skip_hours: tuple[int, ...]
    skip_days: tuple[int, ...]
    hub: str | None
    interval: Interval | None
    entries: int
    left_out: int
    identity: Identity | None
    dates: Dates | None
    coding: str | None
    wire_bytes: int | None
    body_bytes: int
    torn: str | None
    relative_links: int


def feed_facts(
    url: str, answer: Answer, outcome: FetchOutcome, second: FetchOutcome | None, settings: FetchSettings
) -> FeedFacts:
    """Return the facts about a feed from its answer, what was read in it, and the outcome of asking a second time."""
    headers, body = answer.headers, answer.body or b""
    feed = feed_from_url(url, outcome.observed_at)
    found = _recognised(outcome, feed.domain, settings)
    state = state_after(feed, new_state(feed), outcome, found, settings)
    length = headers.get("content-length", "")
    entries = outcome.entries or ()
    page = outcome.entries is None and is_page(body, headers.get("content-type"))
    return FeedFacts(
        url=feed.url,
        ended_at=answer.url,
        moved_to=outcome.moved_to,
        status=outcome.status,
        error=_short(outcome.error, feed.url, answer.url),
        retry_after_s=outcome.retry_after_s,
        is_page=page,
        page_names=tuple(link.url for link in feed_links(body, answer.url)) if page else (),
        kind=document_kind(body),
        quick=outcome.quick,
        title=outcome.feed_title,
        language=outcome.feed_language,
        content_type=headers.get("content-type"),
        charset_sent=_charset(headers.get("content-type")),
        charset_declared=_declared_charset(body),
        etag=outcome.etag,
        last_modified=outcome.last_modified,
        second=None if second is None else _second(outcome, second),
        cache_control=headers.get("cache-control"),
        expires=headers.get("expires"),
        max_age_s=outcome.max_age_s,
        wish_s=outcome.wish_s,
        skip_hours=outcome.skip_hours,
        skip_days=outcome.skip_days,
        hub=outcome.hub_url,
        interval=chosen_interval(feed, state, settings) if outcome.entries is not None else None,
        entries=len(entries),
        left_out=outcome.bad_entries,
        identity=None if found is None else _identity(entries, found, feed.domain),
        dates=_dates(entries, outcome.observed_at) if outcome.entries is not None else None,
        coding=headers.get("content-encoding"),
        wire_bytes=int(length) if length.isascii() and length.isdigit() else None,
        body_bytes=len(body),
        torn=xml_fault(body) if outcome.entries is not None else None,
        relative_links=_relative_links(body) if outcome.entries is not None else 0,
    )


def _short(error: str | None, *urls: str) -> str | None:
    """Return an error without the address that it begins with."""
    for url in urls:
        if error is not None and error.startswith(f"{url}: "):
            return error[len(url) + 2 :]
    return error


def _recognised(outcome: FetchOutcome, domain: str, settings: FetchSettings) -> Recognised | None:
    if outcome.entries is None:
        return None
    return recognise(_plain(outcome.entries), (), domain, lambda _: (), settings)


def _plain(entries: Sequence[Entry]) -> list[PlainEntry]:
    return [plain_entry(entry) for entry in entries]


def _identity(entries: Sequence[Entry], found: Recognised, domain: str) -> Identity:
    counts = rungs(_plain(entries), domain)
    guids = Counter(entry.guid for entry in entries if entry.guid)
    links = Counter(entry.link for entry in entries if entry.link)
    return Identity(
        by_link=counts["url"],
        by_guid=counts["guid"],
        by_content=counts["content"],
        articles=found.new,
        no_guid=len(entries) - guids.total(),
        shared_guids=sum(count > 1 for count in guids.values()),
        shared_links=sum(count > 1 for count in links.values()),
    )


def _dates(entries: Sequence[Entry], now: datetime) -> Dates:
    dates = [entry.published for entry in entries if entry.published is not None]
    return Dates(
        dated=len(dates),
        ahead=sum(date > now + AHEAD for date in dates),
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        per_day=rate_of_document(dates, now),
    )


def _second(first: FetchOutcome, second: FetchOutcome) -> str:
    """Say what a request that showed the validators brought."""
    if second.error is not None:
        return second.error
    if second.status == 304:
        return "304, not modified"
    return f"{second.status} with {'the same' if second.body_hash == first.body_hash else 'another'} body"


def _charset(content_type: str | None) -> str | None:
    message = Message()
    message["content-type"] = content_type or "text/plain"
    return message.get_content_charset()


def _declared_charset(body: bytes) -> str | None:
    found = _DECLARED.match(body.removeprefix(b"\xef\xbb\xbf"))
    return found[1].decode("ascii").lower() if found else None


def _relative_links(body: bytes) -> int:
    targets = (first or second for first, second in _LINKS.findall(body))
    return sum(_ABSOLUTE.match(target.strip()) is None for target in targets)
