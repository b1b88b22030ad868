"""A user's archive of articles: JSON Lines to articles, with the moments at which they are taken to be seen."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tieup.articles.language import detect_language
from tieup.articles.urls import canonical_url, clean_url, is_web_url, registrable_domain
from tieup.errors import BadFile
from tieup.evaluation.gold import GoldArticle
from tieup.evaluation.jsonl import read_rows
from tieup.feeds.reading.dates import FIRST_YEAR, LAST_YEAR, parse_date
from tieup.ids import derive_id
from tieup.model.article import MAX_TEXT_CHARS, MAX_TITLE_CHARS, Article

UNDATED_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When the articles of an archive without any date are taken to be seen: fixed, as a clock would change the output."""

_PARTIAL_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2}))?")


@dataclass(frozen=True, slots=True)
class ArchiveArticle:
    """One line of an archive. `published` is as written: a year, a month, a day, a moment, or None."""

    id: str
    title: str = ""
    text: str = ""
    url: str | None = None
    published: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """The articles in the order of their lines, and what could not be read."""

    articles: tuple[ArchiveArticle, ...]
    faults: tuple[BadFile, ...] = ()


def read_archive(lines: Iterable[bytes], name: str) -> Archive:
    """Return the articles of JSON Lines. A line that cannot be used becomes a fault, the rest goes on.

    A line needs an `id` of its own and a title or a text. A date that cannot be read is a fault too.
    """
    articles: dict[str, ArchiveArticle] = {}
    faults: list[BadFile] = []
    for number, row in read_rows(lines, name):
        try:
            article = _article(row, f"{name}:{number}", articles)
            articles[article.id] = article
        except BadFile as fault:
            faults.append(fault)
    return Archive(tuple(articles.values()), tuple(faults))


def gold_archive(gold: Sequence[GoldArticle], name: str) -> list[ArchiveArticle]:
    """Return labelled articles as an archive, without their labels. Raises BadFile for one without text."""
    return [_from_gold(article, name) for article in gold]


def article_id(archive_id: str) -> str:
    """Return the id under which an article of an archive goes through tieup, whose ids are hashes."""
    return derive_id("archive", archive_id)


def dated(archive: Sequence[ArchiveArticle]) -> list[Article]:
    """Return the articles in the order in which they are processed: by `published`, else as in the file.

    A year or a month means its first moment. An article without a date keeps its place after the one before it in the
    file and is taken to be seen with that one; one before the first dated one, with that; without any date all are seen
    at UNDATED_AT. Equal moments keep the file's order.
    """
    moments = [None if one.published is None else parse_published(one.published) for one in archive]
    seen = next((moment for moment in moments if moment is not None), UNDATED_AT)
    articles: list[Article] = []
    for one, moment in zip(archive, moments, strict=True):
        seen = seen if moment is None else moment
        articles.append(_as_article(one, moment, seen))
    return sorted(articles, key=lambda article: article.observed_at)


def parse_published(text: str) -> datetime | None:
    """Return the UTC moment of a date as archives write it: `2022`, `2022-02`, a day, a moment; None if unreadable."""
    partial = _PARTIAL_DATE.fullmatch(text.strip())
    if partial is None:
        return parse_date(text)
    year, month = int(partial[1]), int(partial[2] or 1)
    if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12:
        return datetime(year, month, 1, tzinfo=UTC)
    return None


def _article(row: dict[str, Any] | BadFile, place: str, before: Mapping[str, object]) -> ArchiveArticle:
    if isinstance(row, BadFile):
        raise row
    article = _converted(row, place)
    if article.id in before:
        raise BadFile(f"{place}: the id {article.id!r} stands there twice")
    if not (article.title.strip() or article.text.strip()):
        raise BadFile(f"{place}: neither title nor text")
    if article.published is not None and parse_published(article.published) is None:
        raise BadFile(f"{place}: published: {article.published[:60]!r} is no date")
    return article


def _converted(row: dict[str, Any], place: str) -> ArchiveArticle:
    given = {name: value for name, value in row.items() if value is not None}
    if isinstance(given.get("published"), int):
        given["published"] = str(given["published"])
    try:
        article = msgspec.convert(given, ArchiveArticle)
    except msgspec.ValidationError as error:
        raise BadFile(f"{place}: not an article: {error}") from error
    if not article.id:
        raise BadFile(f"{place}: not an article: an empty id")
    blank = article.published is not None and not article.published.strip()
    return replace(article, published=None) if blank else article


def _from_gold(article: GoldArticle, name: str) -> ArchiveArticle:
    if article.text is None:
        raise BadFile(f"{name}: {article.id}: no text, neither in the line nor in {article.id}.txt beside the file")
    if article.published is not None and parse_published(article.published) is None:
        raise BadFile(f"{name}: {article.id}: published: {article.published[:60]!r} is no date")
    return ArchiveArticle(article.id, article.title, article.text, article.url, article.published, article.lang)


def _as_article(one: ArchiveArticle, published: datetime | None, seen: datetime) -> Article:
    """Title and text stay as they are, so that evidence points into the user's own text."""
    link = clean_url(one.url) if one.url else None
    canonical = canonical_url(link) if link and is_web_url(link) else None
    domain = registrable_domain(canonical) if canonical else None
    return Article(
        id=article_id(one.id),
        version=1,
        title=one.title[:MAX_TITLE_CHARS],
        text=one.text[:MAX_TEXT_CHARS],
        observed_at=seen,
        url=link,
        canonical_url=canonical,
        publisher=domain,
        domain=domain,
        language=detect_language(f"{one.title}\n{one.text}", one.lang),
        published=published,
        truncated=len(one.text) > MAX_TEXT_CHARS,
    )
