"""The settings of articles: when the page of a short entry is read, and how much that may cost."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tieup.errors import SettingsError

_COUNTS: Final = (
    *("short_chars", "max_page_bytes", "page_tries", "page_retry_s", "page_max_age_s", "pages_per_host", "max_pages"),
)


class FullText(StrEnum):
    """Whose pages are read: of short entries that may state a tie, of none, of every short entry."""

    CANDIDATES = "candidates"
    NEVER = "never"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class ArticleSettings:
    """When pages are read. Times in seconds, sizes in bytes.

    An entry is short below `short_chars` characters of text. A page is tried `page_tries` times, `page_retry_s` after
    the first failure and twice as long after each further one, and no longer than `page_max_age_s` after it was asked
    for. At most `pages_per_host` and `max_pages` wait for one domain and for one task: beyond, the oldest is given up.
    """

    full_text: FullText = FullText.CANDIDATES
    short_chars: int = 1_500
    max_page_bytes: int = 2_000_000
    page_tries: int = 3
    page_retry_s: int = 120
    page_max_age_s: int = 86_400
    pages_per_host: int = 200
    max_pages: int = 5_000

    def __post_init__(self) -> None:
        """Refuse what cannot work: SettingsError names the setting."""
        try:
            object.__setattr__(self, "full_text", FullText(self.full_text))
        except ValueError:
            raise SettingsError(f"articles.full_text: must be one of {', '.join(FullText)}") from None
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise SettingsError(f"articles.{name}: must be at least 1")
