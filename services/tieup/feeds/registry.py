"""The feeds that are wanted: made from URLs, changed without a loss, written as records."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from w3lib.url import canonicalize_url

from tieup.articles.urls import MAX_URL_CHARS, is_web_url, registrable_domain
from tieup.errors import BadFeed
from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import FEEDS, FETCH_REQUESTS
from tieup.model.codec import encode, to_millis
from tieup.model.feed import Feed, FetchOutcome, FetchRequest

MAX_NAME_CHARS: Final = 500
MAX_CATEGORY_DEPTH: Final = 16
MAX_HANDED_BYTES: Final = 900_000  # of the million that a record may have

_FEED_SCHEME: Final = re.compile(r"^feed:(//)?", re.IGNORECASE)
# What XML 1.0 (§2.2) has no way to write, so that every name can be exported.
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PORTS: Final = {"http": 80, "https": 443}


def feed_from_url(
    url: str,
    added_at: datetime,
    *,
    title: str | None = None,
    publisher: str | None = None,
    language: str | None = None,
    interval_s: int | None = None,
    category: Iterable[str] = (),
) -> Feed:
    """Return the feed at a URL. Raises BadFeed if it is no http(s) URL, or one with a password in it."""
    url = feed_url(url)
    return Feed(
        id=_id(url),
        url=url,
        domain=registrable_domain(url),
        added_at=added_at,
        title=_name(title),
        publisher=_name(publisher),
        language=_name(language),
        interval_s=interval_s,
        category=_path(category),
    )


def handed_over_record(feed: Feed, outcome: FetchOutcome, at: datetime) -> NewRecord | None:
    """Return the record that hands the outcome of a request over to a feed that is new; None if it is too large."""
    own = replace(outcome, feed_id=feed.id, requested_url=feed.url, moved_to=None)
    request = FetchRequest(feed.url, feed.domain, "found", at, feed_id=feed.id, outcome=own)
    value = encode(request)
    if len(value) > MAX_HANDED_BYTES:
        return None
    return NewRecord(FETCH_REQUESTS, feed.id.encode(), value, to_millis(at), place_by=feed.domain.encode())


def category_path(text: str) -> tuple[str, ...]:
    """Return the path that people write as `trade/de`: names between slashes, outermost first."""
    return _path(text.split("/"))


def wanted_again(known: Feed, given: Feed) -> Feed:
    """Return a feed that is wanted already as it is when it is added again: what is given now holds, the rest stays.

    It counts as added anew, so that one whose server had called it gone is asked again; paused it stays.
    """
    return replace(
        given,
        title=given.title or known.title,
        publisher=given.publisher or known.publisher,
        language=given.language or known.language,
        interval_s=given.interval_s or known.interval_s,
        category=given.category or known.category,
        paused=known.paused,
    )


def filled_in(known: Feed, listed: Feed, *, update: bool = False) -> Feed:
    """Return a feed that is wanted already after a list names it: the list fills in what nobody has set.

    With `update` the list's title, publisher, language and category replace those that are set. What only the operator
    sets (URL, interval, whether it is paused, when it was added) stays in any case: a list resurrects nothing.
    """
    first, second = (listed, known) if update else (known, listed)
    return replace(
        known,
        title=first.title or second.title,
        publisher=first.publisher or second.publisher,
        language=first.language or second.language,
        category=first.category or second.category,
    )


@dataclass(frozen=True, slots=True)
class Merged:
    """What a list of feeds makes of those that are wanted: new ones, changed ones, and how many stay as they are."""

    added: tuple[Feed, ...]
    changed: tuple[Feed, ...]
    same: int


def merge(known: Mapping[str, Feed], listed: Iterable[Feed], *, update: bool = False) -> Merged:
    """Return what a list makes of the feeds wanted, by id; of two in the list that are one feed the first counts."""
    first: dict[str, Feed] = {}
    for feed in listed:
        first.setdefault(feed.id, feed)
    added = tuple(feed for key, feed in first.items() if key not in known)
    both = [(known[key], filled_in(known[key], feed, update=update)) for key, feed in first.items() if key in known]
    changed = tuple(after for before, after in both if after != before)
    return Merged(added, changed, len(both) - len(changed))


def _path(names: Iterable[str]) -> tuple[str, ...]:
    found = (_name(name) for name in names)
    return tuple(name for name in found if name is not None)[:MAX_CATEGORY_DEPTH]


def _name(text: str | None) -> str | None:
    """Return a name as one line of at most 500 characters, or None for an empty one."""
    line = " ".join(_UNWRITABLE.sub("", text or "").split())
    return line[:MAX_NAME_CHARS].rstrip() or None


def feed_url(url: str) -> str:
    """Return the URL as it is requested: host in lower case, no default port, no fragment; path and query untouched.

    `feed://host/…` and `feed:https://…`, as browsers hand them out, are read as what they mean. Raises BadFeed if it is
    no http(s) URL, too long, or carries a user name.
    """
    url = _FEED_SCHEME.sub(lambda match: "http://" if match[1] else "", url.strip())
    if len(url) > MAX_URL_CHARS or not url.isprintable() or " " in url or not is_web_url(url):
        raise BadFeed(f"{url[:200]!r}: not an http or https URL")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise BadFeed(f"{parts.scheme}://{parts.hostname}: a feed URL must not carry a user name or password")
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise BadFeed(f"{url[:200]!r}: a URL without a host")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return urlunsplit((parts.scheme, host + port, parts.path or "/", parts.query, ""))


def typed_url(text: str) -> str:
    """Return the URL that a person means who leaves its scheme out: `news.example/rss` is asked with TLS."""
    text = text.strip()
    return text if "://" in text else f"https://{text}"


def feed_id(url: str) -> str:
    """Return the id of the feed at a URL: http and https, and the order of parameters, make no difference.

    Raises BadFeed as `feed_url` does.
    """
    return _id(feed_url(url))


def feed_record(feed: Feed) -> NewRecord:
    """Return the record that wants the feed, placed by its registrable domain."""
    return NewRecord(FEEDS, feed.id.encode(), encode(feed), to_millis(feed.added_at), place_by=feed.domain.encode())


def feeds_to_records(feeds: Iterable[Feed]) -> list[NewRecord]:
    """Return the records that want the feeds."""
    return [feed_record(feed) for feed in feeds]


def removal_record(feed: Feed, at: datetime) -> NewRecord:
    """Return the tombstone that wants the feed no longer."""
    return NewRecord(FEEDS, feed.id.encode(), None, to_millis(at), place_by=feed.domain.encode())


def poll_now_record(feed: Feed, reason: str, at: datetime) -> NewRecord:
    """Return the request to poll a feed before it is due."""
    request = FetchRequest(url=feed.url, domain=feed.domain, reason=reason, requested_at=at, feed_id=feed.id)
    return NewRecord(FETCH_REQUESTS, feed.id.encode(), encode(request), to_millis(at), place_by=feed.domain.encode())


def _id(url: str) -> str:
    parts = urlsplit(canonicalize_url(url))
    return derive_id("feed", urlunsplit(("https", parts.netloc.lower(), parts.path or "/", parts.query, "")))
