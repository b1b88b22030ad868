"""The quick reader: well-formed RSS, RDF and Atom through lxml, with the very entries that feedparser gives.

It answers only where it is sure to agree; anything unusual it leaves to feedparser. Nothing is loaded, no entity is
expanded (a document type with an internal subset is not read at all) and libxml2's own bounds on depth and size stay.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from tieup.feeds.reading.fastparse_bytes import as_utf8
from tieup.feeds.reading.fastparse_text import (
    HTML,
    PLAIN,
    XHTML,
    Attributes,
    Unsure,
    attributes,
    content_type,
    joined,
    looks_like_html,
    media_type,
    mended,
    new_base,
    written,
)
from tieup.feeds.reading.fastparse_words import load_feed_words

Found = dict[str, Any]

_PROLOG: Final = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE[^\[\]<>]*>")
_ROOTS: Final = {"rss": "rss", "feed": "atom", "rdf_rdf": ""}
_ATOM: Final = "http://www.w3.org/2005/atom"
_RSS10: Final = "http://purl.org/rss/1.0/"
_RSS090: Final = "http://my.netscape.com/rdf/simple/0.9/"
_IMAGE_PARTS: Final = frozenset({"title", "link", "description", "url", "href", "width", "height", "name"})
_SOURCE_PARTS: Final = frozenset({"title", "dc_title", "guid", "id", "link", "updated", "published", "rights"})
_SOURCE_OTHERS: Final = frozenset(
    {"author", "name", "uri", "email", "category", "generator", "icon", "logo", "subtitle"}
)
_AMPERSAND: Final = re.compile(r"&([A-Za-z0-9_]+);")
_NO_ATTRIBUTES: Final[Attributes] = {}


@dataclass(slots=True)
class FastFeed:
    """What was read: entries as feedparser would give those fields, at most the number asked for; `count` of all."""

    title: str | None = None
    language: str | None = None
    entries: list[Found] = field(default_factory=list)
    count: int = 0


def read_fast(body: bytes, url: str, sent_type: str | None, max_entries: int) -> FastFeed | None:
    """Return what feedparser would find in the body, or None where that is not sure. Never raises."""
    try:
        return _Reader(_root(body, sent_type), url, max_entries).feed
    except Exception:  # noqa: BLE001 - unsure, broken or hostile: what this reader cannot take, the other may
        return None


def _root(body: bytes, sent_type: str | None) -> etree._Element:
    prolog = _PROLOG.match(body.removeprefix(codecs.BOM_UTF8))
    rest = body.removeprefix(codecs.BOM_UTF8)[prolog.end() if prolog else 0 :]
    if rest.startswith(b"<!") and not _DOCTYPE.match(rest):
        raise Unsure
    if b"www.w3.org/1999/xlink" in body:
        raise Unsure
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    return etree.fromstring(as_utf8(body, sent_type), parser)


@dataclass(slots=True)
class _Node:
    """An element, its attributes, how deep it stands, and the base and language that hold inside it."""

    element: etree._Element
    found: Attributes
    depth: int
    base: str
    language: str | None


Handler = Callable[[_Node], None]


class _Reader:
    """Walks the document in its order, keeping feedparser's account of what overrides what."""

    def __init__(self, root: etree._Element, url: str, max_entries: int) -> None:
        self.feed = FastFeed()
        self._max_entries = max_entries
        self._words = load_feed_words()
        self._names: dict[str, str] = {}
        self._by_tag: dict[object, Handler | None] = {}
        self._current: Found | None = None
        self._depths: dict[str, int] = {}
        self._in_feed = False
        self._has_summary = self._head_has_summary = False
        self._has_content = False
        self._title_depth = -1
        self._handlers: dict[str, Handler] = {
            action: getattr(self, f"_{action}") for action in frozenset(self._words.actions.values())
        }
        self._start(root, url)

    def _start(self, root: etree._Element, url: str) -> None:
        name = self._name(root)
        if name not in _ROOTS or any(self._misleads(prefix, uri) for prefix, uri in root.nsmap.items()):
            raise Unsure
        at = self._node(root, _Node(root, _NO_ATTRIBUTES, 0, url, None))
        self._is_atom, self._is_atom10 = _dialect(name, root)
        self._in_feed = name == "feed"
        if name != "rdf_rdf" and at.language:
            self.feed.language = at.language.replace("_", "-")
        self._walk(at)

    def _misleads(self, prefix: str | None, uri: str) -> bool:
        """Whether a prefix that stands for one namespace everywhere else means another one here."""
        known = self._words.namespaces.get(uri.lower())
        return prefix is not None and prefix in self._words.namespaces.values() and known != prefix

    def _name(self, element: etree._Element) -> str:
        tag = element.tag
        if not isinstance(tag, str):
            raise Unsure  # an entity, which only feedparser knows how to read
        name = self._names.get(tag)
        if name is None:
            name = self._resolved(tag, element.prefix)
            if not tag.startswith("{") or self._known(tag[1:].partition("}")[0]) is not None:
                self._names[tag] = name
        return name

    def _resolved(self, tag: str, prefix: str | None) -> str:
        namespace, _, local = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
        known = self._known(namespace)
        short = known if known is not None else prefix
        return f"{short.lower()}_{local.lower()}" if short else local.lower()

    def _known(self, namespace: str) -> str | None:
        lower = namespace.lower()
        return "" if "backend.userland.com/rss" in lower else self._words.namespaces.get(lower)

    def _node(self, element: etree._Element, outside: _Node) -> _Node:
        found = attributes(element)
        if not found:
            return _Node(element, found, outside.depth + 1, outside.base, outside.language)
        base = new_base(outside.base, found.get("xml:base", found.get("base")))
        language = found.get("xml:lang", found.get("lang"))
        return _Node(
            element, found, outside.depth + 1, base, outside.language if language is None else language or None
        )

    def _walk(self, outside: _Node) -> None:
        known = self._by_tag
        for element in outside.element:
            handler = known[element.tag] if element.tag in known else self._handler(element)
            if handler is not None:
                handler(self._node(element, outside))
            elif len(element):
                self._walk(self._node(element, outside))

    def _handler(self, element: etree._Element) -> Handler | None:
        action = self._words.actions.get(self._name(element))
        handler = None if action is None else self._handlers[action]
        if element.tag in self._names:  # else the name depends on the prefix too
            self._by_tag[element.tag] = handler
        return handler

    # Structure

    def _refused(self, at: _Node) -> None:
        raise Unsure(at.element.tag)

    def _channel(self, at: _Node) -> None:
        if "lastmod" in at.found or "href" in at.found or self._current is not None:
            raise Unsure  # Channel Definition Format
        self._in_feed = True
        self._walk(at)
        self._in_feed = False

    def _entry(self, at: _Node) -> None:
        if "lastmod" in at.found or "href" in at.found or self._current is not None:
            raise Unsure
        self.feed.count += 1
        if self.feed.count > self._max_entries:
            return
        self._current = {"id": at.found["rdf:about"]} if at.found.get("rdf:about") else {}
        self._depths = {}
        self._has_summary = False
        self._title_depth = -1
        self.feed.entries.append(self._current)
        self._walk(at)
        self._current, self._has_content = None, False

    def _image(self, at: _Node) -> None:
        """Pass over an image or a text input: only its title's depth counts for what follows."""
        self._title_depth = -1
        if len(at.element) and self._current is not None:
            raise Unsure
        for part in at.element:
            name = self._name(part)
            if name not in _IMAGE_PARTS or len(part):
                raise Unsure
            if name == "title" and (part.text or "").strip():
                self._title_depth = at.depth + 1

    def _source(self, at: _Node) -> None:
        self._title_depth = -1
        for part in at.element:
            name = self._name(part)
            if name not in _SOURCE_PARTS and name not in _SOURCE_OTHERS:
                raise Unsure
            if name in _SOURCE_PARTS and len(part):
                raise Unsure
            if name in {"title", "dc_title"} and (part.text or "").strip():
                self._title_depth = at.depth + 1

    # Plain fields

    def _text(self, element: etree._Element) -> str:
        if len(element):
            raise Unsure
        return (element.text or "").strip()

    def _keep(self, name: str, value: str, at: _Node, rank: str | None = None) -> None:
        """Keep an entry's field unless one of an outer element is there."""
        if self._current is None:
            return
        rank = rank or name
        before = self._depths.get(rank)
        if before is None or at.depth <= before:
            self._depths[rank] = at.depth
            self._current[name] = value

    def _published(self, at: _Node) -> None:
        self._keep("published", mended(self._text(at.element)), at)

    def _updated(self, at: _Node) -> None:
        self._keep("updated", mended(self._text(at.element)), at)

    def _created(self, at: _Node) -> None:
        self._keep("created", mended(self._text(at.element)), at)

    def _date(self, at: _Node) -> None:
        if at.found:
            raise Unsure
        self._keep("updated", mended(self._text(at.element)), at, "date")

    def _language(self, at: _Node) -> None:
        value = mended(self._text(at.element))
        if self._in_feed and self._current is None:
            self.feed.language = value

    def _guid(self, at: _Node) -> None:
        is_link = at.found.get("ispermalink", "true") == "true"
        value = self._text(at.element)
        if is_link and value:
            value = joined(at.base, value)
        value = mended(value)
        self._keep("id", value, at)
        if is_link and self._current is not None:
            self._current.setdefault("link", value)

    def _link(self, at: _Node) -> None:
        href = at.found.get("url", at.found.get("uri", at.found.get("href")))
        if href or "href" in at.found:
            if len(at.element) or (not href and at.found["href"]):
                raise Unsure
            html = media_type(at.found.get("type", HTML)) in {HTML, XHTML}
            if at.found.get("rel", "alternate") == "alternate" and html and self._current is not None:
                self._current["link"] = joined(at.base, href or "")
            return
        value = self._text(at.element)
        if self._current is not None:
            value = mended(joined(at.base, value) if value else value).replace("&amp;", "&")
            self._current["link"] = _AMPERSAND.sub(r"&\1", value)

    # Texts

    def _detail(self, at: _Node, default: str) -> Found:
        if at.found.get("mode") == "base64":
            raise Unsure
        kind = content_type(at.found.get("type", default))
        text, kind = written(at.element, kind, atom=self._is_atom10)
        if kind == PLAIN and not self._is_atom and looks_like_html(text):
            kind = HTML
        language = at.language.replace("_", "-") if at.language else at.language
        return {"value": mended(text), "type": kind, "language": language}

    def _title(self, at: _Node) -> None:
        detail = self._detail(at, PLAIN)
        if not -1 < self._title_depth <= at.depth:
            if self._current is not None:
                self._current["title_detail"] = detail
            elif self._in_feed:
                self.feed.title = detail["value"]
        if detail["value"]:
            self._title_depth = at.depth

    def _media_title(self, at: _Node) -> None:
        before = self._title_depth
        self._title(at)
        self._title_depth = before

    def _prose(self, at: _Node) -> None:
        self._detail(at, PLAIN)

    def _add_summary(self, detail: Found) -> None:
        if self._current is not None:
            self._current["summary_detail"] = detail
            self._has_summary = True

    def _add_content(self, at: _Node, default: str) -> None:
        detail = self._detail(at, default)
        if self._current is None:
            raise Unsure
        self._current.setdefault("content", []).append(detail)
        if detail["type"] in {PLAIN, HTML, XHTML}:
            self._has_summary = True

    def _description(self, at: _Node) -> None:
        if self._current is None and self._head_has_summary:
            raise Unsure
        if self._has_summary and not self._has_content and self._current is not None:
            self._content(at)
        else:
            self._add_summary(self._detail(at, HTML))

    def _summary(self, at: _Node) -> None:
        if self._current is None:
            if self._head_has_summary:
                raise Unsure  # a second one of the feed itself: feedparser takes its first entry otherwise then
            self._head_has_summary = True
        if self._has_summary and not self._has_content and self._current is not None:
            self._content(at)
        else:
            self._add_summary(self._detail(at, PLAIN))

    def _abstract(self, at: _Node) -> None:
        self._add_summary(self._detail(at, PLAIN))

    def _content(self, at: _Node) -> None:
        self._has_content = True
        self._add_content(at, PLAIN)

    def _encoded(self, at: _Node) -> None:
        self._has_content = True
        self._add_content(at, HTML)

    def _body(self, at: _Node) -> None:
        self._add_content(at, XHTML)


def _dialect(name: str, root: etree._Element) -> tuple[bool, bool]:
    """Return whether the document counts as Atom, and whether as Atom 1.0. Unsure where it declares several."""
    declared = {uri.lower() for uri in root.nsmap.values()} & {_ATOM, _RSS10, _RSS090}
    if name == "rss":
        return False, False
    if name == "feed":
        if declared - {_ATOM}:
            raise Unsure
        return True, bool(declared)
    if len(declared) != 1 or _ATOM in declared:
        raise Unsure
    return False, False
