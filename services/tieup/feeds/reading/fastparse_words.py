"""The quick reader's table: namespaces, elements and markup that it knows."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tieup.errors import DataError


@dataclass(frozen=True, slots=True)
class FeedWords:
    """Short names by namespace, what to do by element name, and the tags of markup.

    `markup` may stand inside an entry's text; `telling` makes plain text be taken for HTML.
    """

    namespaces: dict[str, str]
    actions: dict[str, str]
    markup: frozenset[str]
    telling: frozenset[str]


@cache
def load_feed_words() -> FeedWords:
    """Return the packaged table. Raises DataError if the file is not as it should be."""
    try:
        table = tomllib.loads(files("tieup.feeds.reading").joinpath("fastparse.toml").read_text("utf-8"))
        return FeedWords(
            namespaces={str(uri): str(name) for uri, name in table["namespaces"].items()},
            actions={str(name): str(action) for action, names in table["elements"].items() for name in names},
            markup=frozenset(table["markup"]["tags"]),
            telling=frozenset(table["markup"]["telling"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"feeds/reading/fastparse.toml: {error}") from error
