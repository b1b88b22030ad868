"""What is wrong with a feed, in plain words, the worst first, and whether anything can be had from it all the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tieup.feeds.looking.checkup import Dates, FeedFacts, Identity
from tieup.feeds.looking.interval import span
from tieup.feeds.settings import FetchSettings

LARGE_BYTES: Final = 1_000_000
WORTH_COMPRESSING_BYTES: Final = 20_000
STALE_AFTER: Final = timedelta(days=30)
SHARE_UNDATED: Final = 0.5
NAMED_AT_MOST: Final = 3
XML_TYPES: Final = frozenset(
    {
        *("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml"),
        *("application/x-rss+xml", "application/xhtml+xml"),
    }
)
JSON_TYPES: Final = frozenset({"application/feed+json", "application/json"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; it `breaks` the feed if nothing can be read from it."""

    words: str
    breaks: bool = False


def problems_of(facts: FeedFacts, now: datetime, settings: FetchSettings) -> tuple[Problem, ...]:
    """Return what is wrong with a feed, what breaks it first."""
    if facts.error is not None:
        return (Problem(_why_nothing(facts), breaks=True),)
    words = [*_of_the_way(facts), *_of_the_answer(facts), *_of_the_document(facts, settings)]
    if facts.identity is not None and facts.entries:
        words += _of_identity(facts.identity, facts.entries)
    if facts.dates is not None and facts.entries:
        words += _of_dates(facts.dates, facts.entries, now)
    return tuple(map(Problem, words))


def _why_nothing(facts: FeedFacts) -> str:
    if not facts.is_page:
        rest = "" if facts.retry_after_s is None else f"; it asks to be left alone for {span(facts.retry_after_s)}"
        return f"nothing can be read: {facts.error}{rest}"
    if not facts.page_names:
        return "a web page, not a feed, and it names none; `tieup feeds discover` looks further"
    more = len(facts.page_names) - NAMED_AT_MOST
    rest = f" and {more} more (`tieup feeds discover` shows them)" if more > 0 else ""
    return f"a web page, not a feed; it names {', '.join(facts.page_names[:NAMED_AT_MOST])}{rest}"


def _of_the_way(facts: FeedFacts) -> Iterator[str]:
    if facts.moved_to is not None:
        yield f"moved for good: subscribe to {facts.moved_to}"
    if facts.url.startswith("https:") and not facts.ended_at.startswith("https:"):
        yield "a redirect gives TLS up: anyone on the way can change what it says"
    elif not facts.ended_at.startswith("https:"):
        yield "without TLS: anyone on the way can change what it says"


def _of_the_answer(facts: FeedFacts) -> Iterator[str]:
    if not (facts.etag or facts.last_modified):
        yield "no validators (ETag, Last-Modified): every poll is a whole download, so it is polled once a day only"
    elif facts.second is not None and not facts.second.startswith("304"):
        yield f"its validators are no use: asked with them it answered {facts.second}"
    kind = (facts.content_type or "").partition(";")[0].strip().lower()
    right = JSON_TYPES if facts.kind.startswith("JSON") else XML_TYPES
    if kind not in right:
        yield f"the Content-Type is {kind or 'missing'}, which is no feed's"
    sent, declared = facts.charset_sent, facts.charset_declared
    if sent and declared and sent.replace("-", "") != declared.replace("-", ""):
        yield f"the header says {sent}, the document {declared}"
    if facts.coding is None and facts.body_bytes >= WORTH_COMPRESSING_BYTES:
        yield f"{facts.body_bytes // 1000} kB sent without compression"


def _of_the_document(facts: FeedFacts, settings: FetchSettings) -> Iterator[str]:
    if not facts.entries:
        yield "no entries"
    if facts.torn is not None:
        yield f"torn XML ({facts.torn}); what can be had is read"
    if facts.entries + facts.left_out > settings.max_entries:
        yield f"more than {settings.max_entries} entries (feeds.max_entries): {facts.left_out} left out"
    elif facts.left_out:
        yield f"{facts.left_out} of {facts.entries + facts.left_out} entries hold nothing that can be read"
    if facts.body_bytes >= LARGE_BYTES:
        yield f"{facts.body_bytes / 1_000_000:.1f} MB at every change"
    if facts.relative_links:
        yield f"{facts.relative_links} relative links, read against {facts.ended_at}"
    if not facts.title:
        yield "no title"


def _of_identity(found: Identity, entries: int) -> Iterator[str]:
    if found.shared_guids:
        yield f"guids are not unique: {found.shared_guids} of them stand for several entries"
    if found.no_guid and found.by_link < entries:
        yield f"{found.no_guid} entries have no guid"
    if found.shared_links:
        yield f"links are not unique: {found.shared_links} of them stand for several entries"
    if found.by_content:
        yield f"{found.by_content} entries are known by their content only: an edit may look like a new one"
    if found.articles < entries:
        yield f"{entries} entries are {found.articles} articles: the rest repeat them"


def _of_dates(dates: Dates, entries: int, now: datetime) -> Iterator[str]:
    if not dates.dated:
        yield "no dates that can be read: each entry counts as published when it is first seen"
    elif entries - dates.dated > SHARE_UNDATED * entries:
        yield f"{entries - dates.dated} of {entries} entries have no date that can be read"
    if dates.ahead:
        yield f"{dates.ahead} dates lie in the future: such entries count as published when they are first seen"
    if dates.newest is not None and now - dates.newest > STALE_AFTER:
        yield f"nothing new for {span((now - dates.newest).total_seconds())}"
