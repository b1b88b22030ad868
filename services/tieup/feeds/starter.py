"""Feeds to begin with: a curated list, packaged, of which nothing is claimed until it was polled."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from tieup.errors import BadFeed, DataError
from tieup.feeds.registry import category_path, feed_url

_LANGUAGE: Final = re.compile(r"[a-z]{2}")


class StarterFeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One feed of the list; `language` is an ISO 639-1 code, `category` a path of names, outermost first."""

    title: str
    publisher: str
    url: str
    language: str
    category: tuple[str, ...]


class _Starter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feed: tuple[StarterFeed, ...]


@cache
def load_starter() -> tuple[StarterFeed, ...]:
    """Return the packaged list in its order. Raises DataError, naming the feed, if it is not as it should be."""
    return read_starter(files("tieup.feeds").joinpath("starter.toml").read_text("utf-8"))


def read_starter(text: str) -> tuple[StarterFeed, ...]:
    """Return a list written in TOML. Raises DataError."""
    try:
        found = msgspec.convert(tomllib.loads(text), _Starter).feed
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"feeds/starter.toml: {error}") from error
    for feed in found:
        if (fault := _fault(feed)) is not None:
            raise DataError(f"feeds/starter.toml: {feed.url}: {fault}")
    return found


def _fault(feed: StarterFeed) -> str | None:
    try:
        as_asked = feed_url(feed.url)
    except BadFeed as error:
        return str(error)
    if as_asked != feed.url:
        return f"would be asked as {as_asked}"
    if not _LANGUAGE.fullmatch(feed.language):
        return f"language {feed.language!r} is no ISO 639-1 code"
    if not feed.category or category_path("/".join(feed.category)) != feed.category:
        return f"category {feed.category} is no path of names"
    return None if feed.title.strip() and feed.publisher.strip() else "has no title or no publisher"
