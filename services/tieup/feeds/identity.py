"""Which entries are new, which are edits, and which article each one is.

The ladder is guid, then canonical URL, then content. A rung is believed only where it tells the entries of one document
apart: some feeds give every entry the same guid, some link every entry to the front page.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tieup.articles.normalize import PlainEntry, changed_fields
from tieup.feeds.settings import FetchSettings
from tieup.ids import derive_id
from tieup.model.feed import SeenEntry

_GUID_HASH: Final = 16
_BOTH: Final = ("title", "text")

Siblings = Callable[[str], Sequence[SeenEntry]]


@dataclass(frozen=True, slots=True)
class NewVersion:
    """An article version to publish: `version` 1 is a new article, a later one an edit of the fields in `changed`."""

    plain: PlainEntry
    article_id: str
    version: int
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a document holds: the versions to publish, in its order, and the feed's memory afterwards."""

    versions: tuple[NewVersion, ...]
    seen: tuple[SeenEntry, ...]


@dataclass(frozen=True, slots=True)
class _Identity:
    article_id: str
    guid_hash: str | None


def recognise(
    entries: Sequence[PlainEntry],
    seen: Sequence[SeenEntry],
    domain: str,
    siblings: Siblings,
    settings: FetchSettings,
) -> Recognised:
    """Compare a document with the feed's memory.

    `siblings(article_id)` gives what other feeds of the site remember of an article: it is published once, and an edit
    that one of them has shown already is not shown again.
    """
    by_id = {entry.id: entry for entry in seen}
    by_guid = {entry.guid_hash: entry for entry in reversed(seen) if entry.guid_hash}  # the newest wins
    now: dict[str, SeenEntry] = {}
    versions: list[NewVersion] = []
    guids: set[str] = set()
    for plain, identity in zip(entries, _identities(entries, domain), strict=True):
        known = _known(plain, identity, by_id, by_guid)
        if known is not None and known.id in now:  # another entry of this document is that article
            known = by_id.get(identity.article_id)
        article_id = identity.article_id if known is None else known.id
        if article_id in now or identity.guid_hash in guids:
            continue
        if identity.guid_hash is not None:
            guids.add(identity.guid_hash)
        fresh, memory = _compare(plain, known, replace(identity, article_id=article_id), siblings, settings)
        now[article_id] = memory
        if fresh is not None:
            versions.append(fresh)
    rest = (entry for entry in seen if entry.id not in now)
    return Recognised(tuple(versions), (*now.values(), *rest)[: settings.max_seen])


def _compare(
    plain: PlainEntry, known: SeenEntry | None, identity: _Identity, siblings: Siblings, settings: FetchSettings
) -> tuple[NewVersion | None, SeenEntry]:
    guid_hash = identity.guid_hash or (known.guid_hash if known is not None else None)
    memory = SeenEntry(identity.article_id, plain.content_hash, 1, guid_hash)
    if known is not None and known.content_hash == plain.content_hash:
        return None, replace(memory, version=known.version)
    others = siblings(identity.article_id)
    latest = max((entry.version for entry in (*others, known) if entry is not None), default=0)
    shown = any(entry.content_hash == plain.content_hash for entry in others)
    if (known is None and others) or shown or latest >= settings.max_versions:
        return None, replace(memory, version=latest)
    changed = () if known is None else changed_fields(known.content_hash, plain.content_hash)
    return NewVersion(plain, identity.article_id, latest + 1, changed), replace(memory, version=latest + 1)


def _known(
    plain: PlainEntry, identity: _Identity, by_id: dict[str, SeenEntry], by_guid: dict[str, SeenEntry]
) -> SeenEntry | None:
    """Find the entry in the feed's memory.

    A guid under another URL is the same entry (titles in URLs are edited) unless title and text are both others:
    then the guid was given to something else.
    """
    same_guid = by_guid.get(identity.guid_hash) if identity.guid_hash else None
    if same_guid is None or same_guid.id == identity.article_id:
        return by_id.get(identity.article_id) or same_guid
    reused = changed_fields(same_guid.content_hash, plain.content_hash) == _BOTH
    return by_id.get(identity.article_id) if reused else same_guid


def _identities(entries: Sequence[PlainEntry], domain: str) -> list[_Identity]:
    guids = _ambiguous((plain.entry.guid, plain.content_hash) for plain in entries)
    urls = _ambiguous((plain.canonical_url, plain.content_hash) for plain in entries)
    return [_identity(plain, domain, guids, urls) for plain in entries]


def _identity(plain: PlainEntry, domain: str, guids: frozenset[str], urls: frozenset[str]) -> _Identity:
    guid = plain.entry.guid if plain.entry.guid and plain.entry.guid not in guids else None
    guid_hash = derive_id("guid", guid)[:_GUID_HASH] if guid else None
    if plain.canonical_url and plain.canonical_url not in urls:
        return _Identity(derive_id("url", plain.canonical_url), guid_hash)
    if guid:
        return _Identity(derive_id("guid", domain, guid), guid_hash)
    return _Identity(derive_id("content", domain, plain.content_hash), None)


def _ambiguous(pairs: Iterable[tuple[str | None, Hashable]]) -> frozenset[str]:
    """Return the values that stand for more than one content in the document."""
    counts = Counter(value for value, _ in {pair for pair in pairs if pair[0]})
    return frozenset(value for value, count in counts.items() if value and count > 1)
