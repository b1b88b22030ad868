from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.normalize import article_from_entry, changed_fields, content_hash, plain_entry, read_entry
from tieup.model.article import MAX_TEXT_CHARS, MAX_TITLE_CHARS
from tieup.model.feed import Entry, Feed

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
FEED = Feed("f1", "https://news.example/feed", "news.example", NOW, title="Motor News", language="de")
ENTRY = Entry("g1", "https://www.news.example/a?utm_source=rss", "Ford &amp; Xiaomi", "<p>Ford spricht mit Xiaomi.</p>")


def test_an_entry_becomes_an_article() -> None:
    entry = replace(ENTRY, published=datetime(2026, 2, 2, tzinfo=UTC))
    article = article_from_entry(plain_entry(entry), FEED, article_id="a1", version=1, observed_at=NOW, backfill=True)
    assert (article.title, article.text) == ("Ford & Xiaomi", "Ford spricht mit Xiaomi.")
    assert article.url == "https://www.news.example/a?utm_source=rss"
    assert article.canonical_url == "https://news.example/a"
    assert (article.publisher, article.domain, article.language) == ("Motor News", "news.example", "de")
    assert (article.published, article.event_time) == (entry.published, entry.published)
    assert article.backfill
    assert not article.truncated


def test_an_entry_without_link_or_date_is_an_article_all_the_same() -> None:
    entry = Entry(None, None, "", "Only text")
    article = article_from_entry(plain_entry(entry), FEED, article_id="a1", version=1, observed_at=NOW)
    assert (article.url, article.canonical_url, article.domain) == (None, None, "news.example")
    assert (article.published, article.event_time) == (None, NOW)


def test_a_link_that_could_run_is_no_url() -> None:
    plain = plain_entry(replace(ENTRY, link="javascript:alert(1)"))
    article = article_from_entry(plain, FEED, article_id="a1", version=1, observed_at=NOW)
    assert (article.url, article.canonical_url) == (None, None)


def test_text_and_title_are_bounded() -> None:
    plain = plain_entry(replace(ENTRY, title="t" * 5_000, html="x" * (MAX_TEXT_CHARS + 1)))
    assert (len(plain.title), len(plain.text), plain.truncated) == (MAX_TITLE_CHARS, MAX_TEXT_CHARS, True)


def test_an_edit_tells_what_it_touched() -> None:
    first = content_hash("Title", "Text here")
    assert changed_fields(first, content_hash("Title", "Text\n here")) == ()
    assert changed_fields(first, content_hash("Title!", "Text here")) == ("title",)
    assert changed_fields(first, content_hash("Title", "Other")) == ("text",)
    assert changed_fields(first, content_hash("A", "B")) == ("title", "text")


@given(st.text(), st.text(), st.one_of(st.none(), st.text()))
def test_any_entry_can_be_normalised(title: str, html: str, link: str | None) -> None:
    plain = plain_entry(Entry(None, link, title, html))
    article_from_entry(plain, FEED, article_id="a1", version=1, observed_at=NOW)
    assert "\n" not in plain.title


def test_text_worked_out_beside_the_parsing_is_the_same() -> None:
    entry = Entry(guid="g", link="https://a.example/x?utm_source=y", title="A &amp; B", html="<p>one</p>two")
    read = read_entry(entry)
    assert (read.html, read_entry(read)) == ("", read)
    assert replace(plain_entry(read), entry=entry) == plain_entry(entry)
