"""The article: an entry normalised."""

from dataclasses import dataclass
from datetime import datetime

MAX_TEXT_CHARS = 100_000
MAX_TITLE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Article:
    """An entry normalised (topic articles, key `id`): plain text, canonical URL, language, UTC times.

    `version` counts from 1; a later version is an edit, `changed` names the fields that differ (title, text, url).
    `text` is at most 100,000
    characters (`truncated` tells), in Unicode code points as every offset here. `language` is an ISO 639-1 code or
    None where undecided.
    `observed_at` was set once, at the fetch. `backfill` marks the first poll of a new feed. `excerpt`: a fuller text of
    it is known, from another feed of the site or from its page, so what this version leaves out is not withdrawn.
    `from_page`: the text is the page's, not the entry's alone. `feed_domain` is the registrable domain of the feed,
    which places its records.
    """

    id: str
    version: int
    title: str
    text: str
    observed_at: datetime
    url: str | None = None
    canonical_url: str | None = None
    publisher: str | None = None
    domain: str | None = None
    language: str | None = None
    published: datetime | None = None
    feed_id: str | None = None
    guid: str | None = None
    content_hash: str = ""
    changed: tuple[str, ...] = ()
    backfill: bool = False
    truncated: bool = False
    excerpt: bool = False
    from_page: bool = False
    feed_domain: str | None = None

    @property
    def event_time(self) -> datetime:
        """The earlier of `published` and `observed_at`: a date in the future moves nothing."""
        return self.observed_at if self.published is None else min(self.published, self.observed_at)
