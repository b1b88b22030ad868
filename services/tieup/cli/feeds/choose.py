"""Which feeds a command means: by URL, by the first digits of an id, by domain, by category."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from tieup.errors import UsageError
from tieup.model.feed import Feed

FeedNames = Annotated[
    list[str] | None, typer.Argument(metavar="FEED...", help="URLs, or the first digits of ids.", show_default=False)
]
Category = Annotated[
    str | None, typer.Option("--category", metavar="PATH", help="Feeds filed here or below, such as trade or trade/de.")
]
Domain = Annotated[str | None, typer.Option("--domain", metavar="DOMAIN", help="Feeds of this registrable domain.")]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which feeds are meant; None means all."""

    category: str | None = None
    domain: str | None = None
    language: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return (self.category, self.domain, self.language) != (None, None, None)

    def accepts(self, feed: Feed, language: str | None = None) -> bool:
        """Whether a feed is meant; `language` is its own word, where the operator gave none."""
        if self.domain is not None and feed.domain != self.domain.strip().lower().rstrip("."):
            return False
        spoken = (feed.language or language or "").lower().replace("_", "-")
        if self.language is not None and spoken.split("-")[0] != self.language.strip().lower():
            return False
        return self.category is None or filed_under(feed.category, self.category)


def filed_under(category: Sequence[str], wanted: str) -> bool:
    """Whether a category is the wanted path or below it, whatever the case of its names."""
    from tieup.feeds.registry import category_path

    path = [name.casefold() for name in category_path(wanted)]
    return [name.casefold() for name in category[: len(path)]] == path


def find(feeds: Mapping[str, Feed], wanted: str) -> Feed:
    """Return the feed with this URL or the one whose id begins so. Raises UsageError if it is none or several."""
    from tieup.feeds.registry import feed_id, typed_url

    if "://" in wanted or "." in wanted:
        key = feed_id(typed_url(wanted))
        found = [feeds[key]] if key in feeds else []
    else:
        found = [feed for key, feed in feeds.items() if wanted and key.startswith(wanted.lower())]
    if len(found) != 1:
        raise UsageError(f"{wanted}: {'no such feed' if not found else f'{len(found)} feeds begin so'}")
    return found[0]


def chosen(feeds: Mapping[str, Feed], names: Iterable[str], accepted: Filter) -> list[Feed]:
    """Return the named feeds, or all that the filter accepts, or those named that it accepts; each once.

    Raises UsageError if nothing is named, a name means no feed or several, or nothing is left.
    """
    names = list(names)
    if not names and not accepted:
        raise UsageError("which feeds? Name them, or give --category or --domain")
    meant = [find(feeds, name) for name in names] if names else list(feeds.values())
    found = list({feed.id: feed for feed in meant if accepted.accepts(feed)}.values())
    if not found:
        raise UsageError("no feed is so")
    return sorted(found, key=lambda feed: (feed.domain, feed.url))
