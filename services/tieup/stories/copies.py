"""Which of some articles that copy one another is the original: the first in time, whichever came in first.

An original that comes late, or is edited, is found to share its text with its own copies; so the links between them say
who belongs together, and only time says who was first.
"""

from collections.abc import Mapping


def originals(links: Mapping[str, str | None]) -> dict[str, str]:
    """Return whom each copy copies. `links` are articles in order of time, each with one that it shares its text with.

    All that hang together copy the first of them, or the article outside that one of them is linked to.
    """
    if not any(links.values()):
        return {}
    root: dict[str, str] = {}
    for article, other in links.items():
        if other is not None:
            root[_end(root, article)] = _end(root, other)
    first: dict[str, str] = {}
    for article in (*(other for other in links.values() if other and other not in links), *links):
        first.setdefault(_end(root, article), article)
    found = {article: first[_end(root, article)] for article in links}
    return {article: original for article, original in found.items() if original != article}


def _end(root: Mapping[str, str], article: str) -> str:
    while (above := root.get(article, article)) != article:
        article = above
    return article
