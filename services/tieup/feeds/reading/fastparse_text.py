"""The texts of a feed as feedparser gives them: markup written out again, habits of broken publishers undone."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html.entities import entitydefs
from typing import Final
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from lxml import etree

from tieup.feeds.reading.fastparse_words import load_feed_words

XHTML: Final = "application/xhtml+xml"
HTML: Final = "text/html"
PLAIN: Final = "text/plain"

_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_TYPES: Final = {"text": PLAIN, "plain": PLAIN, "html": HTML, "xhtml": XHTML}
# Attributes that mean something to feedparser also when an unknown namespace owns them.
_MEANT: Final = frozenset(
    {"base", "href", "ispermalink", "lang", "lastmod", "mode", "rel", "src", "type", "uri", "url", "version"}
)
_SIMPLE_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?:/[\w/.%+=@:~!$*-]*)?(?:\?[\w/.%+=&@:~!$*-]+)?", re.ASCII)
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")
_C1: Final = re.compile("[\x80-\x9f]")
# The bytes that Windows-1252 uses where Unicode has control characters.
_WINDOWS: Final = {
    code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", "ignore")) and char
}
_CLOSING: Final = re.compile(r"</(\w+)>")
_REFERENCE: Final = re.compile(r"&#?\w+;")
_TAG: Final = re.compile(r"</?(\w+)")
_NAMED: Final = re.compile(r"&(\w+);")

Attributes = Mapping[str, str]
_NONE: Final[Attributes] = {}


class Unsure(Exception):
    """The document holds something that the quick reader leaves to feedparser."""


def attributes(element: etree._Element) -> Attributes:
    """Return an element's attributes by lower-case name; those of xml: and rdf: keep that prefix."""
    items = element.items()
    if not items:
        return _NONE
    found: dict[str, str] = {}
    for key, value in items:
        name = _attribute_name(str(key))
        if name is not None:
            found[name] = str(value).lower() if name in {"rel", "type"} else str(value)
    return found


def _attribute_name(key: str) -> str | None:
    if not key.startswith("{"):
        return key.lower()
    for namespace, prefix in ((_XML, "xml:"), (_RDF, "rdf:")):
        if key.startswith(namespace):
            return prefix + key[len(namespace) :].lower()
    if key.rpartition("}")[2].lower() in _MEANT:
        raise Unsure
    return None


def media_type(name: str) -> str:
    """Return the media type that a type attribute means."""
    return _TYPES.get(name, name)


def content_type(name: str) -> str:
    """Return the media type that a content's type attribute means. Unsure where the content would be Base64."""
    found = media_type(name)
    if not found.startswith("text/") and not found.endswith(("+xml", "/xml")):
        raise Unsure
    return found


def written(element: etree._Element, kind: str, *, atom: bool) -> tuple[str, str]:
    """Return an element's text, its markup written out, and its type, which unescaped markup turns into XHTML."""
    text = element.text or ""
    if len(element) == 0:
        return (escape(text) if kind == XHTML else text).strip(), kind
    if kind != XHTML and kind.endswith("xml"):
        raise Unsure
    pieces = [escape(text) if kind == XHTML else text, *_pieces(element, top=kind)]
    return "".join(_without_div(pieces) if atom else pieces).strip(), XHTML


def _pieces(element: etree._Element, top: str = XHTML) -> Iterator[str]:
    for child in element:
        tag = _markup_tag(child)
        if tag == "div" and top != XHTML:
            raise Unsure  # feedparser loses count of its depth there
        top = XHTML
        yield f"<{tag}{_written_attributes(child)}>"
        if child.text:
            yield escape(child.text)
        yield from _pieces(child)
        yield f"</{tag}>"
        if child.tail:
            yield escape(child.tail)


def _markup_tag(element: etree._Element) -> str:
    if not isinstance(element.tag, str):
        raise Unsure
    tag = element.tag.rpartition("}")[2].lower()
    if tag not in load_feed_words().markup:
        raise Unsure
    return tag


def _written_attributes(element: etree._Element) -> str:
    items = element.items()
    if not items:
        return ""
    if any(str(key).startswith("{") and not str(key).startswith(_XML) for key, _ in items):
        raise Unsure
    return "".join(f' {name}="{escape(value, _QUOTE)}"' for name, value in attributes(element).items())


_QUOTE: Final = {'"': "&quot;"}


def _without_div(pieces: list[str]) -> list[str]:
    """Drop the div that holds all the rest, as Atom's XHTML must have one."""
    while len(pieces) > 1 and not pieces[-1].strip():
        pieces = pieces[:-1]
    while len(pieces) > 1 and not pieces[0].strip():
        pieces = pieces[1:]
    first = pieces[0]
    if not (first == "<div>" or first.startswith("<div ")) or pieces[-1] != "</div>":
        return pieces
    depth = 0
    for piece in pieces[:-1]:
        if piece.startswith("</"):
            depth -= 1
            if depth == 0:
                return pieces
        elif piece.startswith("<") and not piece.endswith("/>"):
            depth += 1
    return pieces[1:-1]


def looks_like_html(text: str) -> bool:
    """Whether plain text is markup all the same. Unsure where a tag is not known to tell."""
    if "<" not in text and "&" not in text:
        return False
    if not (_CLOSING.search(text) or _REFERENCE.search(text)):
        return False
    if any(tag.lower() not in load_feed_words().telling for tag in _TAG.findall(text)):
        raise Unsure
    return all(name in entitydefs for name in _NAMED.findall(text))


def mended(text: str) -> str:
    """Undo UTF-8 that was read as Latin-1, and characters of Windows-1252 given as control characters."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_WINDOWS) if _C1.search(text) else text


def joined(base: str, url: str) -> str:
    """Return a URL made absolute; superfluous slashes after its scheme are dropped."""
    if _SIMPLE_URL.fullmatch(url):
        return url
    try:
        return urljoin(base, _SCHEME.sub(r"\1\3", url))
    except ValueError:
        return ""


def new_base(base: str, url: str | None) -> str:
    """Return the base inside an element with this base attribute. Unsure about what is neither http nor https."""
    if not url:
        return base
    found = joined(base, url)
    if not found.startswith(("http://", "https://")):
        raise Unsure
    return found
