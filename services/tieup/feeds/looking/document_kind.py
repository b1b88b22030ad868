"""Which format a feed document is in, by its first bytes, and where its XML is torn: what a person wants to be told."""

import re
from typing import Final
from xml.parsers import expat

import orjson

_PROLOG: Final = re.compile(rb"(?:\s|<\?.{0,2000}?\?>|<!--.{0,4000}?-->|<![^>]{0,2000}>)*", re.DOTALL)
_ROOT: Final = re.compile(rb"<(?:[\w.-]{1,40}:)?([\w.-]{1,40})([^>]{0,4000})", re.DOTALL)
_VERSION: Final = re.compile(rb"\sversion\s*=\s*[\"']([^\"']{1,20})[\"']")
_JSON_VERSION: Final = re.compile(r"jsonfeed\.org/version/([\d.]{1,8})")
_HEAD_BYTES: Final = 16_384
_OLD_ATOM: Final = b"http://purl.org/atom/ns#"
_NOT_TORN: Final = frozenset({expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]})


def document_kind(body: bytes) -> str:
    """Return a document's format and version as people name them (`RSS 2.0`, `Atom 1.0`, `JSON Feed 1.1`), or ""."""
    start = body[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        return _json_kind(body)
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = body[:_HEAD_BYTES].decode("utf-16", "ignore").encode().lstrip(b"\xef\xbb\xbf")
    prolog = _PROLOG.match(start)
    root = _ROOT.match(start, prolog.end() if prolog else 0)
    if root is None:
        return ""
    name, attributes = root[1].lower(), root[2]
    version = _VERSION.search(b" " + attributes)
    if name == b"rss":
        return f"RSS {version[1].decode('ascii', 'replace')}" if version else "RSS"
    if name == b"feed":
        return "Atom 0.3" if _OLD_ATOM in attributes else "Atom 1.0"
    return "RSS 1.0 (RDF)" if name == b"rdf" else ""


def xml_fault(body: bytes) -> str | None:
    """Return where an XML document is torn, in words, or None for one that is well-formed (or no XML).

    The standard library's expat: no external entities; its own bound on what entities grow to ends the reading.
    """
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    parser = expat.ParserCreate()
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        return None if error.code in _NOT_TORN else str(error)
    except (LookupError, ValueError):
        return None  # an encoding that Python does not know, or one that expat cannot take from it
    return None


def _json_kind(body: bytes) -> str:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    version = _JSON_VERSION.search(str(found.get("version"))) if isinstance(found, dict) else None
    return f"JSON Feed {version[1].rstrip('.')}" if version else ""
