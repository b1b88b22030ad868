"""Feeds exchanged with other readers: OPML 2.0 (opml.org/spec2.opml), with the folders that feeds are filed in."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from tieup.errors import BadFile
from tieup.model.feed import Feed

MAX_OPML_BYTES: Final = 50_000_000
MAX_OUTLINES: Final = 200_000
MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class OpmlOutline:
    """One feed of an OPML list; `category` is its path of names, outermost first.

    That are the outlines around it. Its own `category` attribute (the first of its comma-separated paths) holds where
    no outline is around it, or where it goes on from them.
    """

    url: str
    title: str | None = None
    language: str | None = None
    site_url: str | None = None
    category: tuple[str, ...] = ()


def parse_opml(data: bytes, name: str = "OPML") -> list[OpmlOutline]:
    """Return the feeds of an OPML list in its order, each URL once: where it stands first.

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
    """Return the feeds as an OPML 2.0 list, a category being the outlines around its feeds; else in the order given."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = "tieup feeds"
    folders: dict[tuple[str, ...], ET.Element] = {(): ET.SubElement(root, "body")}
    for feed in feeds:
        attributes = {"type": "rss", "text": feed.title or feed.url}
        attributes |= {"title": feed.title} if feed.title else {}
        attributes |= {"xmlUrl": feed.url}
        attributes |= {"language": feed.language} if feed.language else {}
        ET.SubElement(_folder(folders, feed.category), "outline", attributes)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _folder(folders: dict[tuple[str, ...], ET.Element], path: tuple[str, ...]) -> ET.Element:
    """Return the outline of a category, made together with those around it where there is none yet."""
    for depth in range(1, len(path) + 1):
        if path[:depth] not in folders:
            name = path[depth - 1]
            folders[path[:depth]] = ET.SubElement(folders[path[: depth - 1]], "outline", {"text": name, "title": name})
    return folders[path]


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
            self.outlines.append(self._feed(found, title))
        self._path.append(title if is_outline else None)

    def end(self, _: str) -> None:
        self._path.pop()

    def _feed(self, found: dict[str, str], title: str | None) -> OpmlOutline:
        url = found["xmlurl"]
        named = title if title != url else None  # as lists are written that know no better
        around = tuple(name for name in self._path if name)
        own = tuple(name for name in map(str.strip, found.get("category", "").split(",")[0].split("/")) if name)
        category = own if own[: len(around)] == around else around
        return OpmlOutline(url, named, found.get("language") or None, found.get("htmlurl") or None, category)
