"""Which feeds a web page names, and where feeds usually are: pure, on the page's own bytes.

`<link rel="alternate">` is how the HTML standard (§4.6.7.1) has pages name their feeds; many name them only in plain
links, some not at all. Read by lxml, whose HTML parser stops at 256 levels: a parser without such a bound takes minutes
for a page of nothing but `<div>`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final
from urllib.parse import urljoin, urlsplit

from lxml import etree
from w3lib.encoding import html_to_unicode

from tieup.articles.urls import registrable_domain
from tieup.errors import BadFeed
from tieup.feeds.registry import feed_id, feed_url

MAX_PAGE_CHARS: Final = 2_000_000
MAX_NODES: Final = 5_000
MAX_TEXTS: Final = 20  # of one link
MAX_LINKS: Final = 50
MAX_TITLE_CHARS: Final = 200

USUAL_PLACES: Final = ("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "feeds", "rss.php")
FEED_TYPES: Final = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
)
PAGE_TYPES: Final = frozenset({"text/html", "application/xhtml+xml"})
XML_TYPES: Final = frozenset({"application/xml", "text/xml"})

_HTML: Final = re.compile(rb"<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.IGNORECASE)
_HEAD_BYTES: Final = 4_000
_PATH: Final = re.compile(
    r"(?:^|[/_-])(?:rss|feeds?|atom|rdf)(?:\d{0,2}|[-_.]\w{1,20})?/?$|\.(?:rss|atom|rdf)$|/(?:rss|feeds?|atom)/",
    re.IGNORECASE,
)
_QUERY: Final = re.compile(r"(?:^|&)(?:feed|format|output|outputtype)=(?:rss|atom|xml|feed)", re.IGNORECASE)
_WORDS: Final = re.compile(r"\b(?:rss|atom)\b", re.IGNORECASE)
_COMMENTS: Final = re.compile(r"(?:^|/)comments?(?:/|$)|[?&]withcomments=", re.IGNORECASE)


class How(StrEnum):
    """How a feed was found: it is what was asked for, the page declares it, the page links to it, or it was guessed."""

    ITSELF = "itself"
    DECLARED = "declared"
    LINKED = "linked"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class FeedLink:
    """An address that may be a feed's, and the name that the page gives it."""

    url: str
    how: How
    title: str = ""

    @property
    def of_comments(self) -> bool:
        """Whether it looks like a feed of readers' comments."""
        return _COMMENTS.search(self.url) is not None


def is_page(body: bytes, content_type: str | None = None) -> bool:
    """Whether a body is HTML, by its beginning or by its type."""
    typed = (content_type or "").partition(";")[0].strip().lower() in PAGE_TYPES
    return bool(body) and (typed or _HTML.search(body[:_HEAD_BYTES]) is not None)


def feed_links(body: bytes, url: str, content_type: str | None = None) -> tuple[FeedLink, ...]:
    """Return what an HTML page names as feeds, declared ones before linked ones, comments last; at most 50, each once.

    `url` is where the page came from; a `<base>` in it counts. Never raises: what is no page names nothing.
    """
    html = html_to_unicode(content_type, body, default_encoding="utf-8")[1][:MAX_PAGE_CHARS]
    root = _root(html)
    if root is None:
        return ()
    base = _base(root, url)
    found = [*_declared(root, base), *_linked(root, base)]
    first: dict[str, FeedLink] = {}
    for link in sorted(found, key=lambda link: link.of_comments):
        first.setdefault(feed_id(link.url), link)
    first.pop(feed_id(url), None)
    return tuple(first.values())[:MAX_LINKS]


def usual_places(url: str) -> tuple[FeedLink, ...]:
    """Return where the feeds of a site usually are: below its root."""
    return tuple(FeedLink(urljoin(url, f"/{place}"), How.GUESSED) for place in USUAL_PLACES)


def _root(html: str) -> etree._Element | None:
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return etree.fromstring(html.replace("\0", "").encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return None  # nothing in it


def _base(root: etree._Element, url: str) -> str:
    hrefs = (node.get("href") for node in islice(root.iter("base"), MAX_NODES))
    return _absolute(url, next(filter(None, hrefs), "")) or url


def _declared(root: etree._Element, base: str) -> Iterator[FeedLink]:
    for found in islice(root.iter("link"), MAX_NODES):
        relations = (found.get("rel") or "").lower().split()
        kind = (found.get("type") or "").partition(";")[0].strip().lower()
        target = _absolute(base, found.get("href") or "")
        if target is None or "stylesheet" in relations:
            continue
        typed = kind in FEED_TYPES or (kind in XML_TYPES and _looks_like_feed(target))
        if "feed" in relations or ("alternate" in relations and typed):
            yield FeedLink(target, How.DECLARED, _line(found.get("title") or ""))


def _linked(root: etree._Element, base: str) -> Iterator[FeedLink]:
    domain = registrable_domain(base)
    for node in islice(root.iter("a"), MAX_NODES):
        target = _absolute(base, node.get("href") or "")
        if target is None or not _is_of_site(target, domain):
            continue
        text = _text(node)
        if _looks_like_feed(target) or _WORDS.search(text):
            yield FeedLink(target, How.LINKED, text)


def _is_of_site(url: str, domain: str) -> bool:
    """Whether a link leads to the site itself or to a host that is there for feeds: others are buttons to readers."""
    host = urlsplit(url).hostname or ""
    return registrable_domain(url) == domain or host.startswith(("feeds.", "feed.", "rss."))


def _looks_like_feed(url: str) -> bool:
    parts = urlsplit(url)
    return _PATH.search(parts.path) is not None or _QUERY.search(parts.query) is not None


def _text(node: etree._Element) -> str:
    words = (
        "".join(map(str, islice(node.itertext(), MAX_TEXTS))),
        node.get("title") or "",
        node.get("aria-label") or "",
    )
    return next(filter(None, map(_line, words)), "")


def _absolute(base: str, href: str) -> str | None:
    """Return a link as it is asked, or None for one that cannot be."""
    if not href.strip():
        return None
    try:
        return feed_url(urljoin(base, href.strip()))
    except (BadFeed, ValueError):
        return None


def _line(text: str) -> str:
    return " ".join(text[: 4 * MAX_TITLE_CHARS].split())[:MAX_TITLE_CHARS]
