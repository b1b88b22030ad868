"""Whose page is read, and what is asked for it."""

from dataclasses import replace

import pytest
from tests.unit.claims.conftest import AT

from tieup.articles.settings import ArticleSettings, FullText
from tieup.claims.extract import Extractor
from tieup.claims.wanted import page_wanted
from tieup.claims.worker import ExtractWorker, extract_spec
from tieup.errors import SettingsError
from tieup.log.base import Record
from tieup.log.topics import ARTICLES, FETCH_REQUESTS, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import decode, encode
from tieup.model.feed import FetchRequest

FEED_ID = "f" * 32
TEASER = Article(
    id="a" * 32,
    version=1,
    title="Ford in talks on a joint venture",
    text="A partner from China is close.",
    observed_at=AT,
    url="https://www.pages.example/news/1?utm_source=rss",
    language="en",
    feed_id=FEED_ID,
    feed_domain="feeds.example",
)
ALWAYS, NEVER = ArticleSettings(full_text=FullText.ALWAYS), ArticleSettings(full_text=FullText.NEVER)


@pytest.mark.parametrize(
    ("title", "text", "language", "wanted"),
    [
        ("Ford in talks on a joint venture", "", "en", True),
        ("Ford sells its stake", "", "en", True),
        ("VW bestreitet Gespräche mit Huawei", "", "de", True),
        ("本田と日産が提携を協議", "", "ja", True),
        ("Ford shows a new van", "It is blue.", "en", False),
        ("Supermarkets form a joint venture", "They sell apples.", "en", False),
        ("Ford in talks on a joint venture", "", None, False),
        ("", "", "en", False),
    ],
)
def test_a_candidate_names_a_company_and_speaks_of_a_tie(
    extractor: Extractor, title: str, text: str, language: str | None, wanted: bool
) -> None:
    article = replace(TEASER, title=title, text=text, language=language)
    assert page_wanted(article, extractor.may_tie, ArticleSettings()) is wanted


@pytest.mark.parametrize(
    "change",
    [
        {"text": "A partner from China is close. " * 60},
        {"url": None},
        {"url": "javascript:alert(1)"},
        {"backfill": True},
        {"from_page": True},
        {"truncated": True},
        {"excerpt": True},
        {"feed_id": None},
        {"feed_domain": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_the_setting_some_pages_are_never_read(change: dict) -> None:
    assert page_wanted(TEASER, lambda _: True, ALWAYS)
    assert not page_wanted(replace(TEASER, **change), lambda _: True, ALWAYS)


def test_what_costs_is_asked_last() -> None:
    asked = []
    for settings, article in ((NEVER, TEASER), (ALWAYS, TEASER), (ArticleSettings(), replace(TEASER, backfill=True))):
        page_wanted(article, lambda one: asked.append(one) or True, settings)
    assert asked == []


def test_the_bound_of_a_short_text_is_the_setting() -> None:
    settings = ArticleSettings(short_chars=10)
    assert page_wanted(replace(TEASER, text="x" * 9), lambda _: True, settings)
    assert not page_wanted(replace(TEASER, text="x" * 10), lambda _: True, settings)


def test_the_request_carries_the_article_to_the_owner_of_its_pages_host(extractor: Extractor) -> None:
    worker = ExtractWorker(extractor, ArticleSettings())
    told = replace(TEASER, title="Ford and Geely form a joint venture")
    relations, asked = worker.process(Record(ARTICLES, 0, 1, b"a", encode(told), 1_000)).records
    assert relations.topic == RELATIONS
    assert (asked.topic, asked.place_by, len(asked.key)) == (FETCH_REQUESTS, b"pages.example", 32)
    request = decode(FetchRequest, asked.value, "test")
    assert (request.reason, request.url, request.domain) == ("page", told.url, "pages.example")
    assert (request.article, request.feed_id, request.article_id) == (told, FEED_ID, told.id)


def test_a_replay_asks_for_nothing_and_writes_no_requests(extractor: Extractor) -> None:
    assert extract_spec(lambda: extractor, NEVER).out == (RELATIONS,)
    assert extract_spec(lambda: extractor, ArticleSettings()).out == (RELATIONS, FETCH_REQUESTS)
    worker = ExtractWorker(extractor, NEVER)
    assert worker.process(Record(ARTICLES, 0, 1, b"a", encode(TEASER), 1_000)).records == ()


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(SettingsError, match=r"articles\.full_text: must be one of candidates, never, always"):
        ArticleSettings(full_text="sometimes")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"articles\.page_tries"):
        ArticleSettings(page_tries=0)
