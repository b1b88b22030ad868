"""Which of what a feed shows of an article is the article's next version.

Several feeds of a site may show one article, in the same words or not: one teases, one has the whole text. Every feed
is compared with what it showed itself, so that two texts never take turns as versions:

- an edit in any of the feeds is a version, once: not where another one has told the same content as the latest;
- a text that is clearly fuller than what the others showed is a version when it is first seen;
- a shorter text that has changed under the same title, where the fuller one was told since this feed was last read,
  follows an edit that was told already: told again it would only put the teaser in the whole text's place.

Polls are taken to show the site as it is. A cache that shows one feed an edit behind another may cost versions, but
never the last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tieup.articles.normalize import PlainEntry, changed_fields, title_part
from tieup.model.feed import SeenEntry

MAX_FULLNESS: Final = 31  # five bits of memory: 0 is unknown, 1 an empty text, 31 one of 23,170 characters and more
CLEARLY: Final = 2  # steps of √2: 1.4 times as long at least, as each step is rounded down


@dataclass(frozen=True, slots=True)
class NewVersion:
    """An article version to publish: `version` 1 is a new article, a later one an edit of the fields in `changed`.

    `excerpt`: another feed of the site shows a fuller text, so what this one leaves out is not withdrawn.
    """

    plain: PlainEntry
    article_id: str
    version: int
    changed: tuple[str, ...] = ()
    excerpt: bool = False


def fullness(text: str) -> int:
    """Return how long a text is, from 1, in steps of √2 (exact: twice a binary logarithm, by the bits of a square)."""
    return min(1 + (len(text) ** 2).bit_length(), MAX_FULLNESS)


def compare(
    plain: PlainEntry,
    article_id: str,
    guid_hash: str | None,
    known: SeenEntry | None,
    others: Sequence[SeenEntry],
    max_versions: int,
) -> tuple[NewVersion | None, SeenEntry]:
    """Return the version to publish, if any, and what the feed remembers from now on.

    `known` is what the feed remembers of the article, `others` what the site's other feeds do.
    """
    if known is None and not others:  # what nearly all entries are
        return NewVersion(plain, article_id, 1), SeenEntry(
            article_id, plain.content_hash, 1, guid_hash, fullness=fullness(plain.text)
        )
    before = others if known is None else (*others, known)
    latest = max((entry.version for entry in before), default=0)
    told = [entry for entry in before if entry.version == latest and not entry.aside]
    shown = any(entry.content_hash == plain.content_hash for entry in told)
    memory = SeenEntry(
        id=article_id,
        content_hash=plain.content_hash,
        version=latest,
        guid_hash=guid_hash,
        aside=not shown,
        fullness=fullness(plain.text),
    )
    if shown or latest >= max_versions or not _is_due(plain, memory, known, others, told):
        return None, memory
    changed = () if not before else changed_fields((told or before)[-1].content_hash, plain.content_hash)
    excerpt = any(_fuller(other, memory) for other in others)
    version = NewVersion(plain, article_id, latest + 1, changed, excerpt)
    return version, replace(memory, version=latest + 1, aside=False)


def _is_due(
    plain: PlainEntry,
    memory: SeenEntry,
    known: SeenEntry | None,
    others: Sequence[SeenEntry],
    told: Sequence[SeenEntry],
) -> bool:
    """Whether content that nobody has told as the latest is to be told."""
    if known is None:
        return all(_fuller(memory, other) for other in others)
    if known.content_hash == plain.content_hash:
        return False
    title = title_part(plain.content_hash)
    return not any(
        entry.version > known.version and title_part(entry.content_hash) == title and _fuller(entry, memory)
        for entry in told
    )


def _fuller(one: SeenEntry, other: SeenEntry) -> bool:
    """Whether one text is clearly fuller than the other; of memories from before this was noted, nobody knows."""
    return bool(one.fullness and other.fullness) and one.fullness >= other.fullness + CLEARLY
