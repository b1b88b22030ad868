"""Discovery: which hub a feed names, and under which topic (WebSub §4).

The HTTP header wins over the document (§4). In XML the links are atom:link elements outside the entries, read from the
raw bytes by patterns as `wishes.py` does; JSON Feed 1.1 lists `hubs`. All of it is hostile: bounded, and never raised
for.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Final
from urllib.parse import urljoin

from tieup.errors import BadFeed
from tieup.feeds.reading.wishes import around_entries
from tieup.feeds.registry import feed_url

MAX_HEADER_CHARS: Final = 16_384
MAX_LINKS: Final = 50
MAX_HUBS: Final = 8

_CDATA: Final = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_LINK: Final = re.compile(rb"<(?:[\w.-]{1,40}:)?link\s([^<>]{1,9000}?)/?>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(rb"([\w:.-]{1,40})\s{0,20}=\s{0,20}(?:\"([^\"<]{0,4096})\"|'([^'<]{0,4096})')")
# RFC 8288 §3: <target> and parameters; what is quoted may hold commas and semicolons.
_HEADER_LINK: Final = re.compile(r"<([^<>]{1,4096})>((?:[^,<\"]|\"(?:[^\"\\]|\\.)*\")*)")
_PARAMETER: Final = re.compile(r";\s*([\w!#$&+.^`|~*-]{1,40})\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]+)))?")


@dataclass(frozen=True, slots=True)
class HubLinks:
    """What a header or a document names: hubs in its order, and the address that it goes by (`self`)."""

    hubs: tuple[str, ...] = ()
    topic: str | None = None


_NO_LINKS: Final = HubLinks()


@dataclass(frozen=True, slots=True)
class Advertised:
    """The hub that can be asked for a feed, and the topic to ask it for."""

    hub: str
    topic: str


def advertised(headers: Sequence[str], document: HubLinks | None, url: str) -> Advertised | None:
    """Return the first hub named by the `Link` headers, else by the document; the topic likewise, else the `url`.

    `url` is where the feed answered; links are relative to it. A hub without TLS for a feed with TLS is passed over:
    what it pushed would be worth less than a poll.
    """
    found = header_links(headers) if headers else _NO_LINKS
    hubs = found.hubs or (() if document is None else document.hubs)
    if not hubs:  # as with nearly all feeds: what they call themselves is of no matter
        return None
    named = found.topic or (None if document is None else document.topic)
    topic = url if named is None else _absolute(url, named)
    usable = (hub for hub in (_absolute(url, one) for one in hubs) if hub is not None and not _weaker(url, hub))
    hub = next(usable, None)
    return None if hub is None or topic is None else Advertised(hub, topic)


def header_links(headers: Sequence[str]) -> HubLinks:
    """Return what `Link` headers name (RFC 8288). A relation may be one of several in `rel`."""
    text = ", ".join(headers)[:MAX_HEADER_CHARS]
    found = []
    for link in islice(_HEADER_LINK.finditer(text), MAX_LINKS):
        relations = (quoted or bare for name, quoted, bare in _PARAMETER.findall(link[2]) if name.lower() == "rel")
        found.append((next(relations, ""), link[1].strip()))  # the first counts (§3.3)
    return _links(found)


def document_links(body: bytes) -> HubLinks:
    """Return what an XML document names outside its entries: at most 64 kB before the first, 16 kB after the last."""
    text = _CDATA.sub(b"", around_entries(body))
    return _links(_elements(text))


def _elements(text: bytes) -> Iterator[tuple[str, str]]:
    for element in islice(_LINK.finditer(text), MAX_LINKS):
        found = {name.lower(): double or single for name, double, single in _ATTRIBUTE.findall(element[1])}
        href = unescape(found.get(b"href", b"").decode("utf-8", "replace")).strip()
        if href:
            yield found.get(b"rel", b"").decode("utf-8", "replace"), href


def _links(found: Iterable[tuple[str, str]]) -> HubLinks:
    hubs: dict[str, None] = {}
    topic = None
    for rel, target in found:
        relations = rel.lower().split()
        if "hub" in relations and len(hubs) < MAX_HUBS:
            hubs[target] = None
        if "self" in relations and topic is None:
            topic = target
    return HubLinks(tuple(hubs), topic)


def _absolute(url: str, link: str) -> str | None:
    """Return the link as a URL that may be asked, or None."""
    try:
        target = urljoin(url, link)
        feed_url(target)
    except (BadFeed, ValueError):
        return None
    return target


def _weaker(feed: str, hub: str) -> bool:
    return feed.lower().startswith("https:") and not hub.lower().startswith("https:")
