"""A page's main text. The only place that sees trafilatura; it runs in the parsing processes."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import trafilatura
from lxml.etree import LxmlError
from w3lib.encoding import html_to_unicode

from tieup.articles.html import tidy
from tieup.feeds.pages.robots import PRODUCT
from tieup.feeds.reading.document import bounded
from tieup.feeds.reading.parsing import bound_memory
from tieup.model.article import MAX_TEXT_CHARS
from tieup.model.codec import encode

_HEAD_CHARS: Final = 200_000
_MAX_METAS: Final = 300
_MAX_TAG_CHARS: Final = 2_000
_WITHHELD: Final = frozenset({"noarchive", "nosnippet"})
_META: Final = re.compile(r"<meta\s[^>]{0,1000}>", re.IGNORECASE)
_FIELD: Final = re.compile(r"(name|content)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MainText:
    """What a page holds: its main text (empty: none found); `withheld` if it forbids to keep or quote it."""

    text: str
    truncated: bool = False
    withheld: bool = False


def main_text(body: bytes, content_type: str | None, robots_tag: str | None) -> bytes:
    """Return the encoded MainText of an HTML page: no navigation, comments or advertisements. Runs in a worker.

    A page withholds itself by `noarchive` or `nosnippet` (its X-Robots-Tag header, or a meta element for robots or for
    us): the text would be kept for a year and quoted in events, which is what these forbid.
    """
    bound_memory()
    _, page = html_to_unicode(content_type, body, default_encoding="utf-8")
    if withheld(page, robots_tag):
        return encode(MainText("", withheld=True))
    try:
        found = _extracted(page)
    except (MemoryError, RecursionError, ValueError, LxmlError):
        found = ""  # hostile pages find every hole of a lenient parser; one page pays
    text = unicodedata.normalize("NFC", tidy(bounded(found)))
    return encode(MainText(text[:MAX_TEXT_CHARS], len(text) > MAX_TEXT_CHARS))


def withheld(page: str, robots_tag: str | None) -> bool:
    """Whether a page, by its header or its meta elements, forbids us or everyone to keep or to quote it."""
    return bool(_WITHHELD & {word for said in _said(page, robots_tag) for word in re.split(r"[,\s]+", said.lower())})


def _said(page: str, robots_tag: str | None) -> Iterator[str]:
    """What is said to all robots, and to us: a directive of the header may name one, `tieup: noarchive`."""
    for part in (robots_tag or "")[:_MAX_TAG_CHARS].split(","):
        agent, colon, rest = part.rpartition(":")
        if not colon or agent.strip().lower() == PRODUCT:
            yield rest
    for meta in islice(_META.finditer(page, 0, _HEAD_CHARS), _MAX_METAS):
        fields = {name.lower(): a or b or c for name, a, b, c in _FIELD.findall(meta[0])}
        if fields.get("name", "").strip().lower() in ("robots", PRODUCT):
            yield fields.get("content", "")


def _extracted(page: str) -> str:
    found = trafilatura.extract(page, include_comments=False, include_tables=False, include_formatting=False)
    return found or ""
