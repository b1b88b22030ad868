"""The feeds that are wanted: made from URLs, written as records, exchanged as OPML."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from xml.parsers import expat

from w3lib.url import canonicalize_url

from tieup.articles.urls import MAX_URL_CHARS, is_web_url, registrable_domain
from tieup.errors import BadFeed, BadFile
from tieup.ids import derive_id
from tieup.log.base import NewRecord
from tieup.log.topics import FEEDS, FETCH_REQUESTS
from tieup.model.codec import encode, to_millis
from tieup.model.feed import Feed, FetchRequest

MAX_OPML_BYTES: Final = 50_000_000
MAX_OUTLINES: Final = 200_000
MAX_DEPTH: Final = 64
MAX_NAME_CHARS: Final = 500

_FEED_SCHEME: Final = re.compile(r"^feed:(//)?", re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}


def feed_from_url(
    url: str,
    added_at: datetime,
    *,
    title: str | None = None,
    publisher: str | None = None,
    language: str | None = None,
    interval_s: int | None = None,
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
    )


def _name(text: str | None) -> str | None:
    """Return a name as one line of at most 500 characters, or None for an empty one."""
    line = " ".join((text or "").encode("utf-8", "ignore").decode().split())
    return line[:MAX_NAME_CHARS] or None


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


@dataclass(frozen=True, slots=True)
class OpmlOutline:
    """One feed of an OPML list; `category` holds the names of the outlines around it, outermost first."""

    url: str
    title: str | None = None
    language: str | None = None
    site_url: str | None = None
    category: tuple[str, ...] = ()


def parse_opml(data: bytes, name: str = "OPML") -> list[OpmlOutline]:
    """Return the feeds of an OPML list in its order, each URL once.

    A document type declaration is refused, since entities are declared there; at most 50 MB, 200,000 outlines, 64
    levels. Raises BadFile naming the file and the line.
    """
    if len(data) > MAX_OPML_BYTES:
        raise BadFile(f"{name}: larger than {MAX_OPML_BYTES} bytes")
    reader = _OpmlReader(name)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BadFile(f"{name}: not OPML: {error}") from error
    first: dict[str, OpmlOutline] = {}
    for outline in reader.outlines:
        first.setdefault(outline.url, outline)
    return list(first.values())


def write_opml(feeds: Sequence[Feed]) -> bytes:
    """Return the feeds as an OPML 2.0 list, in the order given."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = "tieup feeds"
    body = ET.SubElement(root, "body")
    for feed in feeds:
        name = feed.title or feed.publisher or feed.url
        attributes = {"type": "rss", "text": name, "title": name, "xmlUrl": feed.url}
        if feed.language:
            attributes["language"] = feed.language
        ET.SubElement(body, "outline", attributes)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


class _OpmlReader:
    def __init__(self, name: str) -> None:
        self.outlines: list[OpmlOutline] = []
        self._name = name
        self._path: list[str | None] = []

    def doctype(self, *_: object) -> None:
        raise BadFile(f"{self._name}: a document type declaration is refused")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path and tag.lower() != "opml":
            raise BadFile(f"{self._name}: not OPML: the root is <{tag[:40]}>")
        if len(self._path) >= MAX_DEPTH or len(self.outlines) >= MAX_OUTLINES:
            raise BadFile(f"{self._name}: deeper than {MAX_DEPTH} levels or longer than {MAX_OUTLINES} outlines")
        found = {key.lower(): value.strip() for key, value in attributes.items()}
        title = found.get("title") or found.get("text") or None
        is_outline = tag.lower() == "outline"
        if is_outline and found.get("xmlurl"):
            category = tuple(name for name in self._path if name)
            language = found.get("language") or None
            self.outlines.append(OpmlOutline(found["xmlurl"], title, language, found.get("htmlurl") or None, category))
        self._path.append(title if is_outline else None)

    def end(self, _: str) -> None:
        self._path.pop()


def _id(url: str) -> str:
    parts = urlsplit(canonicalize_url(url))
    return derive_id("feed", urlunsplit(("https", parts.netloc.lower(), parts.path or "/", parts.query, "")))
