"""Who broke a story and who cites whom: the origins as a tree, from what each article credits.

An article whose publisher reports on its own, or that credits nobody, stands at a root; one that credits a source hangs
under it; a copy hangs under the publisher of what it copies. Of a publisher the first credit counts, and nobody cites
himself by a detour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tieup.model.story import Source, StoryArticle
from tieup.stories.parties import fold_name

MAX_SOURCES: Final = 50
_UNKNOWN: Final = "unknown"


def source_key(name: str) -> str:
    """Return a source's name as a key: folded, without the article."""
    return fold_name(name).removeprefix("the ")


def source_tree(articles: Sequence[StoryArticle]) -> tuple[Source, ...]:
    """Return the sources of a story in order of appearance, each with the name of the one that it cites; at most 50.

    `articles` are in order of their event time. The first that cites nobody broke the story, as far as is known.
    """
    nodes: dict[str, _Node] = {}
    publishers = {one.article_id: one.publisher for one in articles}
    for article in articles:
        credited = _credited(article, publishers)
        if credited is not None:
            _add(nodes, credited, article, None, counts=False)
        if article.publisher is not None:
            _add(nodes, article.publisher, article, credited, counts=True)
    return tuple(node.source() for node in islice(nodes.values(), MAX_SOURCES))


@dataclass(slots=True)
class _Node:
    """A source while the tree grows."""

    name: str
    first: StoryArticle
    independent: bool
    cites: str | None = None
    articles: int = 0

    def source(self) -> Source:
        return Source(
            self.name, self.first.event_time, self.first.article_id, self.cites, self.articles, self.independent
        )


def _credited(article: StoryArticle, publishers: dict[str, str | None]) -> str | None:
    """Whom the article has it from; None: from nobody that is known, or from its own reporting."""
    copied = publishers.get(article.duplicate_of) if article.duplicate_of else None
    name = article.origin if source_key(article.origin) not in {"", _UNKNOWN} else copied
    own = source_key(article.publisher or "")
    return None if name is None or source_key(name) == own else name


def _add(nodes: dict[str, _Node], name: str, article: StoryArticle, cites: str | None, *, counts: bool) -> None:
    key = source_key(name)
    node = nodes.get(key)
    if node is None:
        node = nodes[key] = _Node(name, article, independent=article.corroborates and cites is None)
    if cites is not None and node.cites is None and not node.independent and not _leads(nodes, cites, key):
        node.cites = nodes[source_key(cites)].name
    if cites is None and article.corroborates and node.cites is None:
        node.independent = True
    node.articles += counts


def _leads(nodes: dict[str, _Node], name: str | None, key: str) -> bool:
    """Say whether citing `name` would lead back to `key`."""
    seen: set[str] = set()
    while name is not None and source_key(name) not in seen:
        if source_key(name) == key:
            return True
        seen.add(source_key(name))
        node = nodes.get(source_key(name))
        name = None if node is None else node.cites
    return False
