"""The entry normalised: plain title and text, canonical URL, language, publisher."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tieup.articles.html import plain_text
from tieup.articles.language import detect_language
from tieup.articles.urls import canonical_url, clean_url, is_web_url, registrable_domain
from tieup.ids import derive_id
from tieup.model.article import MAX_TEXT_CHARS, MAX_TITLE_CHARS, Article
from tieup.model.feed import Entry, Feed, PlainText

_TITLE_HASH: Final = 12
_TEXT_HASH: Final = 20


@dataclass(frozen=True, slots=True)
class PlainEntry:
    """An entry as plain text, before anything is decided about it.

    `content_hash` is 12 hex digits over the title and 20 over the text, so that an edit tells which of them it
    touched. `canonical_url` is None where the entry has no usable link.
    """

    entry: Entry
    title: str
    text: str
    truncated: bool
    canonical_url: str | None
    content_hash: str


def plain_entry(entry: Entry) -> PlainEntry:
    """Return the entry with its HTML read: title ≤ 1,000 characters, text ≤ 100,000, in NFC."""
    found = plain_text_of(entry) if entry.plain is None else entry.plain
    return PlainEntry(entry, found.title, found.text, found.truncated, found.canonical_url, found.content_hash)


def read_entry(entry: Entry) -> Entry:
    """Return the entry with `plain` worked out and its HTML left out; for the processes that parse."""
    if entry.plain is not None:
        return entry
    return Entry(
        guid=entry.guid,
        link=entry.link,
        title=entry.title,
        html="",
        published=entry.published,
        updated=entry.updated,
        language=entry.language,
        plain=plain_text_of(entry),
    )


def plain_text_of(entry: Entry) -> PlainText:
    """Return what `plain_entry` finds in the entry's HTML and link."""
    title = _normal(plain_text(entry.title)).replace("\n", " ")[:MAX_TITLE_CHARS]
    text = _normal(plain_text(entry.html))
    link = _web_url(entry.link)
    return PlainText(
        title=title,
        text=text[:MAX_TEXT_CHARS],
        truncated=len(text) > MAX_TEXT_CHARS,
        canonical_url=canonical_url(link) if link else None,
        content_hash=_tidy_hash(title, text),
    )


def content_hash(title: str, text: str) -> str:
    """Return 32 hex digits over title and text; white space does not count."""
    return _tidy_hash(" ".join(title.split()), " ".join(text.split()))


def _tidy_hash(title: str, text: str) -> str:
    """Return the content hash of texts whose white space is single blanks and line breaks already."""
    return derive_id(title.strip())[:_TITLE_HASH] + derive_id(text.replace("\n", " "))[:_TEXT_HASH]


def title_part(hash_: str) -> str:
    """Return the part of a content hash that stands for the title."""
    return hash_[:_TITLE_HASH]


def changed_fields(old_hash: str, new_hash: str) -> tuple[str, ...]:
    """Return which of title and text differ between two content hashes."""
    changed = []
    if old_hash[:_TITLE_HASH] != new_hash[:_TITLE_HASH]:
        changed.append("title")
    if old_hash[_TITLE_HASH:] != new_hash[_TITLE_HASH:]:
        changed.append("text")
    return tuple(changed)


def article_from_entry(
    plain: PlainEntry,
    feed: Feed,
    *,
    article_id: str,
    version: int,
    observed_at: datetime,
    changed: tuple[str, ...] = (),
    backfill: bool = False,
    excerpt: bool = False,
    feed_title: str | None = None,
    feed_language: str | None = None,
) -> Article:
    """Return the article that an entry is. Times are UTC already; `observed_at` is the poll's."""
    entry = plain.entry
    hint = entry.language or feed.language or feed_language
    return Article(
        id=article_id,
        version=version,
        title=plain.title,
        text=plain.text,
        observed_at=observed_at,
        url=_web_url(entry.link),
        canonical_url=plain.canonical_url,
        publisher=feed.publisher or feed.title or feed_title or feed.domain,
        domain=registrable_domain(plain.canonical_url) if plain.canonical_url else feed.domain,
        language=detect_language(f"{plain.title}\n{plain.text}", hint),
        published=entry.published or entry.updated,
        feed_id=feed.id,
        guid=entry.guid,
        content_hash=plain.content_hash,
        changed=changed,
        backfill=backfill,
        truncated=plain.truncated,
        excerpt=excerpt,
        feed_domain=feed.domain,
    )


def _web_url(link: str | None) -> str | None:
    """Return a link that a reader may be sent to: http or https, nothing that a page could run."""
    url = clean_url(link or "")
    return url if is_web_url(url) else None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
