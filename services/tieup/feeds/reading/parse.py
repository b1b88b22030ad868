"""Feed documents to entries. The only place that sees feedparser; it runs in a worker process.

feedparser gets a `BytesIO` and nothing else: given a string or bytes it may open a local file or fetch a URL.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from io import BytesIO
from typing import Any, Final
from xml.sax import SAXException

import feedparser

from tieup.errors import BadFeed
from tieup.feeds.reading.dates import parse_date
from tieup.feeds.reading.document import ParsedFeed, bounded, entry_or_none
from tieup.feeds.reading.fastparse import read_fast
from tieup.feeds.reading.jsonfeed import parse_json_feed
from tieup.model.feed import Entry

Found = dict[str, Any]

_HTML: Final = re.compile(rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_REFERENCE: Final = re.compile(rb"&#(?:x([0-9a-f]{1,8})|([0-9]{1,8}));?", re.IGNORECASE)
_SURROGATES: Final = range(0xD800, 0xE000)
_JSON: Final = (b"{", b"\xff\xfe{\0", b"\xfe\xff\0{")
_HEAD_BYTES: Final = 2_000
_TAIL_BYTES: Final = 2_000
_ROOT_ENDS: Final = (b"</rss", b"</feed", b"</rdf", b"</channel", b":rdf>", b":feed>")


def parse_feed(body: bytes, url: str, content_type: str | None, max_entries: int) -> ParsedFeed:
    """Return what a body says: RSS, Atom, RDF or JSON Feed, whatever its content type claims.

    `url` is where it came from; relative links are resolved against it. Broken XML gives the entries that can be had.
    Raises BadFeed, in one line naming the URL, if there is no feed in it.
    """
    start = body[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise BadFeed(f"{url}: the body is empty")
    if start.startswith(_JSON):
        return parse_json_feed(body, url, max_entries)
    quick = parse_quickly(body, url, content_type, max_entries)
    return parse_slowly(body, url, content_type, max_entries) if quick is None else replace(quick, quick=True)


def parse_quickly(body: bytes, url: str, content_type: str | None, max_entries: int) -> ParsedFeed | None:
    """Return what `parse_slowly` would, several times sooner, or None where that is not sure. Never raises."""
    found = read_fast(body, url, content_type, max_entries)
    return None if found is None else _document(found.title, found.language, found.entries, found.count)


def parse_slowly(body: bytes, url: str, content_type: str | None, max_entries: int) -> ParsedFeed:
    """Return what feedparser makes of an XML body: the reference for `read_fast`, and what reads all that it does not.

    Raises BadFeed, in one line naming the URL, if there is no feed in it.
    """
    start = body[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    result = _feedparser(body, url, content_type)
    parsed = _parsed(result, body, max_entries)
    torn = isinstance(result.get("bozo_exception"), SAXException)
    if (torn and not parsed.entries) or not (result["entries"] or result.get("version")):
        raise BadFeed(f"{url}: {_why_no_feed(result, start)}")
    return parsed


def _feedparser(body: bytes, url: str, content_type: str | None) -> Found:
    headers = {"content-location": url, "content-type": content_type or "application/xml"}
    # feedparser gives a whole feed up for one reference to a surrogate (UnicodeEncodeError).
    stream = BytesIO(_REFERENCE.sub(_without_surrogate, body))
    try:
        found: Found = feedparser.parse(
            stream, response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # noqa: BLE001 - hostile input finds every hole of a lenient parser; one feed pays
        raise BadFeed(f"{url}: cannot be parsed: {_one_line(error)}") from None
    return found


def _without_surrogate(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    return b"" if code in _SURROGATES else match[0]


def _why_no_feed(result: Found, start: bytes) -> str:
    if _HTML.search(start):
        return "an HTML page, not a feed"
    problem = result.get("bozo_exception")
    return f"not a feed: {_one_line(problem)}" if problem is not None else "not a feed"


def _one_line(error: object) -> str:
    return bounded(" ".join(str(error).split()), 200) or type(error).__name__


def _parsed(result: Found, body: bytes, max_entries: int) -> ParsedFeed:
    found = result["entries"]
    if found and isinstance(result.get("bozo_exception"), SAXException) and _is_cut(body):
        found = found[:-1]  # feedparser makes an entry of the torn rest
    feed = result["feed"]
    return _document(feed.get("title"), feed.get("language"), found[:max_entries], len(result["entries"]))


def _document(title: object, language: object, found: Sequence[Found], count: int) -> ParsedFeed:
    entries = [_entry(item) for item in found]
    good = tuple(entry for entry in entries if entry is not None)
    return ParsedFeed(
        bounded(str(title), 1_000) or None if title else None,
        bounded(str(language), 35) or None if language else None,
        good,
        count - len(good),
    )


def _is_cut(body: bytes) -> bool:
    tail = body[-_TAIL_BYTES:].lower()
    return not any(end in tail for end in _ROOT_ENDS)


def _entry(item: Found) -> Entry | None:
    content = _content(item)
    return entry_or_none(
        guid=_string(item.get("id")),
        link=_string(item.get("link")),
        title=_html(item.get("title_detail") or {}),
        html=_html(content),
        published=parse_date(_string(_raw(item, "published")) or _string(_raw(item, "created"))),
        updated=parse_date(_string(_raw(item, "updated"))),
        language=_string(content.get("language")),
    )


def _content(item: Found) -> Found:
    """Return the longest of the contents and the summary: some feeds tease in one and tell in the other."""
    parts = [*(item.get("content") or ()), item.get("summary_detail") or {}]
    longest: Found = max(parts, key=lambda part: len(part.get("value") or ""))
    return longest


def _raw(item: Found, name: str) -> object:
    """Return the field itself: feedparser's `get` would answer `updated` with `published`."""
    return dict.get(item, name)


def _html(part: Found) -> str:
    value = _string(part.get("value")) or ""
    return escape(value, quote=False).replace("\n", "<br>") if part.get("type") == "text/plain" else value


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
