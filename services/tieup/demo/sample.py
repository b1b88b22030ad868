"""The sample feeds: what stands under which address at each of the demo's polls."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Literal

import msgspec

from tieup.errors import DataError

FeedFormat = Literal["rss", "atom", "json"]

CONTENT_TYPES: Final[dict[FeedFormat, str]] = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class SampleFeed:
    """One feed of the demo: its address (`http://` host path), its publisher, and its body at each poll."""

    host: str
    path: str
    format: FeedFormat
    publisher: str
    language: str
    bodies: tuple[bytes, ...]

    @property
    def url(self) -> str:
        """The address that the demo subscribes to."""
        return f"http://{self.host}{self.path}"

    @property
    def content_type(self) -> str:
        """The media type that the server declares."""
        return CONTENT_TYPES[self.format]


@dataclass(frozen=True, slots=True)
class Sample:
    """All sample feeds and the fixed moment of each poll (UTC), first poll first."""

    polls: tuple[datetime, ...]
    feeds: tuple[SampleFeed, ...]


class _Poll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: datetime


class _Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    path: str
    format: FeedFormat
    publisher: str
    language: str
    files: tuple[str, ...]


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    polls: tuple[_Poll, ...]
    feeds: tuple[_Feed, ...]


def load_sample(folder: Traversable | None = None) -> Sample:
    """Return the sample feeds that ship with the package, or those of another folder with a `manifest.toml`.

    Raises DataError, naming the file, if the manifest is wrong or a feed's file is missing.
    """
    where = files("tieup.demo") / "feeds" if folder is None else folder
    manifest = _manifest(where / "manifest.toml")
    polls = tuple(poll.at.astimezone(UTC) for poll in manifest.polls)
    if not polls or list(polls) != sorted(set(polls)):
        raise DataError("manifest.toml: the polls must be given in rising order")
    return Sample(polls, tuple(_feed(where, feed, len(polls)) for feed in manifest.feeds))


def _manifest(file: Traversable) -> _Manifest:
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _Manifest)
    except OSError as error:
        raise DataError(f"{file.name}: cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{file.name}: {error}") from error


def _feed(where: Traversable, feed: _Feed, polls: int) -> SampleFeed:
    if len(feed.files) != polls:
        raise DataError(f"manifest.toml: {feed.host} has {len(feed.files)} files for {polls} polls")
    bodies = tuple(_body(where, name) for name in feed.files)
    return SampleFeed(feed.host, feed.path, feed.format, feed.publisher, feed.language, bodies)


def _body(where: Traversable, name: str) -> bytes:
    try:
        return where.joinpath(*name.split("/")).read_bytes()
    except OSError as error:
        raise DataError(f"manifest.toml: feed file {name} cannot be read: {error}") from error
