"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), which feedparser 6 does not read."""

import codecs
import json
from html import escape
from typing import Final
from urllib.parse import urljoin

import orjson

from tieup.errors import BadFeed
from tieup.feeds.reading.dates import parse_date
from tieup.feeds.reading.document import ParsedFeed, bounded, entry_or_none
from tieup.feeds.reading.hublinks import MAX_HUBS, HubLinks
from tieup.model.feed import Entry

_LENIENT: Final = json.JSONDecoder(strict=False)
_VERSION: Final = "jsonfeed.org/version/1"


def parse_json_feed(body: bytes, url: str, max_entries: int) -> ParsedFeed:
    """Return the entries of a JSON Feed; items that are no objects are counted as bad. Raises BadFeed otherwise."""
    try:
        document = _loaded(body)
    except (ValueError, RecursionError) as error:
        raise BadFeed(f"{url}: broken JSON: {error}") from error
    if not isinstance(document, dict) or _VERSION not in str(document.get("version")):
        raise BadFeed(f"{url}: JSON, but no JSON Feed")
    items = document.get("items")
    if not isinstance(items, list):
        raise BadFeed(f"{url}: a JSON Feed without items")
    language = _text(document.get("language"))
    entries = [_entry(item, url) for item in items[:max_entries]]
    good = tuple(entry for entry in entries if entry is not None)
    bad = len(items) - len(good)
    return ParsedFeed(_text(document.get("title")), language, good, bad, links=_links(document))


def _links(document: dict[str, object]) -> HubLinks:
    """Return what `hubs` names; other kinds of hub than WebSub's are left out."""
    hubs = document.get("hubs")
    found = [hub for hub in (hubs if isinstance(hubs, list) else [])[:MAX_HUBS] if isinstance(hub, dict)]
    urls = [_text(hub.get("url")) for hub in found if str(hub.get("type")).lower() == "websub"]
    return HubLinks(tuple(url for url in urls if url), _text(document.get("feed_url")))


def _loaded(body: bytes) -> object:
    """Read JSON, and as far as sensible what is none: other charsets, lone surrogates, NaN, more behind its end."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        document, _ = _LENIENT.raw_decode(_decoded(body).lstrip())
        return document


def _decoded(body: bytes) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")  # what writes no UTF-8 is an old Windows, more often than not


def _entry(item: object, url: str) -> Entry | None:
    if not isinstance(item, dict):
        return None
    link = _text(item.get("url")) or _text(item.get("external_url"))
    html = _text(item.get("content_html")) or escape(
        _text(item.get("content_text")) or _text(item.get("summary")) or "", quote=False
    ).replace("\n", "<br>")
    return entry_or_none(
        guid=_text(item.get("id")),
        link=_absolute(url, link),
        title=escape(_text(item.get("title")) or "", quote=False),
        html=html,
        published=parse_date(_text(item.get("date_published"))),
        updated=parse_date(_text(item.get("date_modified"))),
        language=_text(item.get("language")),
    )


def _absolute(url: str, link: str | None) -> str | None:
    try:
        return urljoin(url, link) if link else None
    except ValueError:
        return link


def _text(value: object) -> str | None:
    """Return a string; numbers too, since ids are often numbers although the format asks for strings."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return bounded(str(value)) or None
