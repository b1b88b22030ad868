"""What parsing a feed document gives, whatever its format: bounded entries and the feed's own title and language."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from tieup.feeds.reading.hublinks import HubLinks
from tieup.model.feed import Entry

MAX_FIELD_CHARS: Final = 1_000_000
MAX_NAME_CHARS: Final = 4_096

# JSON cannot carry lone surrogates, and nothing that anyone publishes needs NUL.
_UNWANTED: Final = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document as read: entries in its order; `bad_entries` counts those that held nothing or were too many.

    `quick`: the quick reader has read it. `links` are the hubs that it names; None until somebody has looked.
    """

    title: str | None
    language: str | None
    entries: tuple[Entry, ...]
    bad_entries: int = 0
    quick: bool = field(default=False, compare=False)
    links: HubLinks | None = None


class ParsedBytes(msgspec.Struct):
    """A ParsedFeed as JSON, read but for its entries: they go on as the bytes that they are."""

    title: str | None
    language: str | None
    entries: msgspec.Raw
    bad_entries: int = 0
    quick: bool = False
    links: HubLinks | None = None

    @classmethod
    def of(cls, encoded: bytes) -> "ParsedBytes":
        """Read what `encode` made of a ParsedFeed."""
        return msgspec.json.decode(encoded, type=cls)


def bounded(text: str, limit: int = MAX_FIELD_CHARS) -> str:
    """Return the text without lone surrogates and NUL, stripped, cut to the limit."""
    text = text[:limit]
    if text.isascii() and "\x00" not in text:  # no surrogate either, which the pattern would take longer to see
        return text.strip()
    return _UNWANTED.sub("", text).strip()


def entry_or_none(
    *,
    guid: str | None,
    link: str | None,
    title: str,
    html: str,
    published: datetime | None,
    updated: datetime | None,
    language: str | None,
) -> Entry | None:
    """Return the entry, or None for one with neither title, text nor link. A missing id or date is no fault."""
    if not (title or html or link):
        return None
    return Entry(
        guid=bounded(guid, MAX_NAME_CHARS) or None if guid else None,
        link=bounded(link, MAX_NAME_CHARS) or None if link else None,
        title=bounded(title, MAX_NAME_CHARS),
        html=bounded(html),
        published=published,
        updated=updated,
        language=bounded(language, 35) or None if language else None,
    )
