"""Which entries are new, which are edits, and which article each one is.

The ladder is guid, then canonical URL, then content. A rung is believed only where it tells the entries of one document
apart: some feeds give every entry the same guid, some link every entry to the front page. Some give an entry another
guid each time, or number the places of the document: those feeds' guids are believed no longer.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from tieup.articles.normalize import PlainEntry, changed_fields, title_part
from tieup.feeds.entries.memory import PackedEntries
from tieup.feeds.entries.versions import NewVersion, compare
from tieup.feeds.settings import FetchSettings
from tieup.ids import derive_id
from tieup.model.feed import SeenEntry

_GUID_HASH: Final = 16
_BOTH: Final = ("title", "text")
_WANDERING_SHARE: Final = 0.05  # FreshRSS gives a feed's guids up at the same share

Siblings = Callable[[str], Sequence[SeenEntry]]


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a document holds: the versions to publish, in its order, and the feed's memory afterwards.

    `known` counts the articles of the document that the feed had shown before, `new` those that it had not. `document`
    is the hash of what the document told.
    """

    versions: tuple[NewVersion, ...]
    seen: Sequence[SeenEntry]
    known: int = 0
    new: int = 0
    guids_wander: bool = False
    document: str | None = None


@dataclass(frozen=True, slots=True)
class _Identity:
    """`stable` unless nothing but its content identifies the entry."""

    article_id: str
    guid_hash: str | None
    stable: bool = True


@dataclass(frozen=True, slots=True)
class _Memory:
    """What a document may touch of the feed's memory, by each rung of the ladder; where one value stands for several,
    the newest comes first."""

    by_id: dict[str, SeenEntry] = field(default_factory=dict)
    by_guid: dict[str, SeenEntry] = field(default_factory=dict)
    by_content: defaultdict[str, list[SeenEntry]] = field(default_factory=lambda: defaultdict(list))
    by_title: defaultdict[str, list[SeenEntry]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, seen: PackedEntries, entries: Sequence[PlainEntry], identities: Sequence[_Identity]) -> "_Memory":
        memory = cls()
        ids = {identity.article_id for identity in identities}
        guids = {identity.guid_hash for identity in identities if identity.guid_hash}
        titles = {title_part(plain.content_hash) for plain in entries}
        for entry in seen.like(ids, guids, titles):
            memory.by_id.setdefault(entry.id, entry)
            if entry.guid_hash:
                memory.by_guid.setdefault(entry.guid_hash, entry)
            memory.by_content[entry.content_hash].append(entry)
            memory.by_title[title_part(entry.content_hash)].append(entry)
        return memory


def recognise(
    entries: Sequence[PlainEntry],
    seen: Sequence[SeenEntry],
    domain: str,
    siblings: Siblings,
    settings: FetchSettings,
    *,
    guids_wander: bool = False,
    last_document: str | None = None,
) -> Recognised:
    """Compare a document with the feed's memory. One that tells what the `last_document` told says nothing new, however
    little its entries can be told apart: many feeds change a date of their own with every poll.

    `siblings(article_id)` gives what other feeds of the site remember of an article: `versions.py` says what becomes of
    it where they show it differently.
    """
    packed = PackedEntries.of(seen)
    document, before = _document_hash(entries), guids_wander
    identities = _identities(entries, domain, guids_wander=guids_wander)
    memory = _Memory.of(packed, entries, identities)
    if not guids_wander and _wandering(entries, identities, memory):
        guids_wander, identities = True, _identities(entries, domain, guids_wander=True)
        memory = _Memory.of(packed, entries, identities)
    taken = {identity.article_id for identity in identities}
    now: dict[str, SeenEntry] = {}
    versions: list[NewVersion] = []
    guids: set[str] = set()
    known_ids = 0
    for plain, identity in zip(entries, identities, strict=True):
        known = _known(plain, identity, memory)
        if known is None and (guids_wander or not identity.stable):
            known = _known_by_content(plain, identity, memory, taken)
        if known is not None and known.id in now:  # another entry of this document is that article
            known = memory.by_id.get(identity.article_id)
        article_id = identity.article_id if known is None else known.id
        if article_id in now or identity.guid_hash in guids:
            continue
        if identity.guid_hash is not None:
            guids.add(identity.guid_hash)
        known_ids += known is not None
        guid_hash = identity.guid_hash or (known.guid_hash if known is not None else None)
        fresh, remembered = compare(plain, article_id, guid_hash, known, siblings(article_id), settings.max_versions)
        now[article_id] = remembered
        taken.add(article_id)
        if fresh is not None:
            versions.append(fresh)
    kept = packed.after(now.values(), settings.max_seen)
    if versions and document == last_document:
        return Recognised((), packed, len(entries), 0, before, document)
    return Recognised(tuple(versions), kept, known_ids, len(now) - known_ids, guids_wander, document)


def _document_hash(entries: Sequence[PlainEntry]) -> str:
    return derive_id(
        *(part for plain in entries for part in (plain.entry.guid or "", plain.canonical_url or "", plain.content_hash))
    )


def _known(plain: PlainEntry, identity: _Identity, memory: _Memory) -> SeenEntry | None:
    """Find the entry in the feed's memory.

    A guid under another URL is the same entry (titles in URLs are edited) unless title and text are both others:
    then the guid was given to something else.
    """
    same_id = memory.by_id.get(identity.article_id)
    same_guid = memory.by_guid.get(identity.guid_hash) if identity.guid_hash else None
    if same_guid is None or same_guid.id == identity.article_id:
        return same_id or same_guid
    reused = changed_fields(same_guid.content_hash, plain.content_hash) == _BOTH
    return same_id if reused else same_guid


def _known_by_content(
    plain: PlainEntry, identity: _Identity, memory: _Memory, taken: AbstractSet[str]
) -> SeenEntry | None:
    """Find an entry that nothing else identifies: by all of its content, or as an edit of one with its title."""
    if not (plain.title or plain.text):
        return None
    same = [entry for entry in memory.by_content.get(plain.content_hash, ()) if entry.id not in taken]
    if same:
        return same[0]
    titled = memory.by_title.get(title_part(plain.content_hash), ()) if plain.title and not identity.stable else ()
    edited = [entry for entry in titled if entry.id not in taken]
    return edited[0] if len(edited) == 1 else None


def _wandering(entries: Sequence[PlainEntry], identities: Sequence[_Identity], memory: _Memory) -> bool:
    """Whether entries known by their URL or their whole content come under other guids than before."""
    if not memory.by_content:
        return False
    moved = stayed = 0
    for plain, identity in zip(entries, identities, strict=True):
        if identity.guid_hash is None or not (plain.title or plain.text):
            continue
        same = memory.by_content.get(plain.content_hash, ())
        guids = {entry.guid_hash for entry in same if entry.guid_hash}
        if len(guids) == 1 and len(same) == 1:
            moved, stayed = moved + (identity.guid_hash not in guids), stayed + (identity.guid_hash in guids)
    return moved > 0 and (stayed == 0 or moved >= max(2, _WANDERING_SHARE * len(entries)))


def rungs(entries: Sequence[PlainEntry], domain: str) -> Counter[str]:
    """Return how many entries of a document each rung of the ladder names: `url`, `guid`, `content`."""
    found = _identities(entries, domain, guids_wander=False)
    urls = _ambiguous([(plain.canonical_url, plain.content_hash) for plain in entries])
    return Counter(
        "url" if plain.canonical_url and plain.canonical_url not in urls else "guid" if identity.stable else "content"
        for plain, identity in zip(entries, found, strict=True)
    )


def _identities(entries: Sequence[PlainEntry], domain: str, *, guids_wander: bool) -> list[_Identity]:
    guids = _ambiguous([(plain.entry.guid, plain.content_hash) for plain in entries])
    urls = _ambiguous([(plain.canonical_url, plain.content_hash) for plain in entries])
    believed = [None if guids_wander or plain.entry.guid in guids else plain.entry.guid for plain in entries]
    return [_identity(plain, guid, domain, urls) for plain, guid in zip(entries, believed, strict=True)]


def _identity(plain: PlainEntry, guid: str | None, domain: str, urls: frozenset[str]) -> _Identity:
    guid_hash = derive_id("guid", guid)[:_GUID_HASH] if guid else None
    if plain.canonical_url and plain.canonical_url not in urls:
        return _Identity(derive_id("url", plain.canonical_url), guid_hash)
    if guid:
        return _Identity(derive_id("guid", domain, guid), guid_hash)
    return _Identity(derive_id("content", domain, plain.content_hash), None, stable=False)


def _ambiguous(pairs: Sequence[tuple[str | None, Hashable]]) -> frozenset[str]:
    """Return the values that stand for more than one content in the document."""
    if len({value for value, _ in pairs}) == len(pairs):
        return frozenset()
    counts = Counter(value for value, _ in {pair for pair in pairs if pair[0]})
    return frozenset(value for value, count in counts.items() if value and count > 1)
