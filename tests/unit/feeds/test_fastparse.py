"""The quick reader says what feedparser says, on documents made up at random, and leaves alone what it must."""

from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tieup.errors import BadFeed, DataError
from tieup.feeds.reading import fastparse_words
from tieup.feeds.reading.parse import parse_feed, parse_quickly, parse_slowly

URL = "https://news.example/feeds/motor.xml"
NAMESPACES = (
    "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' "
    "xmlns:dcterms='http://purl.org/dc/terms/' xmlns:foo='https://foo.example/ns'"
)

texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30)
words = st.sampled_from(
    [
        *("", "Ford", " Ford & BYD ", "R&amp;D", "<b>Ford</b>", "1 < 2", "<p>one</p><p>two</p>", "a</b>", "&nbsp;x"),
        *("&bogus; y", "Ã¤", "\x80", "Müller", "電池", "<blink>x</blink>", "x<br>y", "&#38;", "]]", "a\nb"),
    ]
)
values = st.one_of(words, texts)
links = st.sampled_from(
    [
        *(
            "https://news.example/a?b=1&c=2",
            "/a",
            "a/b",
            "",
            "http:///x",
            "HTTPS://News.example/A",
            "//other.example/a",
        ),
        *("mailto:a@b.example", "https://news.example/ü", "https://news.example/a#", "?q", "http://[::1", "urn:x:1"),
    ]
)
dates = st.sampled_from(["Mon, 02 Feb 2026 10:00:00 +0100", "2026-02-02T10:00:00Z", "", "heute", "2026年2月2日"])
escaped, cdata = values.map(escape), values.map(lambda text: f"<![CDATA[{text}]]>")
written = st.one_of(escaped, cdata)
markup = st.sampled_from(
    ["<p>a <b>b</b> &amp; c</p>", "<div>x</div>", "<div><p class='A'>y</p>z<br/></div>", "t <i>u</i>"]
)


def elements(names: list[str], content: st.SearchStrategy[str], attributes: list[str]) -> st.SearchStrategy[str]:
    """Elements of any of these names, each with one of the attribute strings."""
    parts = st.tuples(st.sampled_from(names), st.sampled_from(attributes), content)
    return parts.map(lambda part: f"<{part[0]}{part[1]}>{part[2]}</{part[0]}>")


LANGUAGES = ["", " xml:lang='de'", " xml:lang='en_GB'", " xml:lang=''"]
TYPES = ["", " type='html'", " type='text'", " type='text/html' mode='escaped'", *LANGUAGES]
rss_parts = st.one_of(
    elements(["title", "dc:title", "media:title"], written, LANGUAGES),
    elements(["description", "content:encoded", "summary", "media:description", "itunes:summary"], written, LANGUAGES),
    elements(["description"], markup, [""]),
    elements(["link", "comments"], links.map(escape), [""]),
    elements(["guid"], st.one_of(links.map(escape), escaped), ["", " isPermaLink='false'", " isPermaLink='true'"]),
    elements(["pubDate", "dc:date", "lastBuildDate", "dcterms:created", "date"], dates, [""]),
    elements(["author", "dc:creator", "category", "foo:bar", "dc:language", "copyright"], escaped, [""]),
    elements(["source"], escaped, [" url='https://other.example/'"]),
    elements(["media:group"], elements(["media:title", "media:description"], escaped, [""]), [""]),
    elements(["enclosure", "media:thumbnail", "foo:x"], st.just(""), [" url='https://news.example/i.jpg' type='a/b'"]),
)
atom_parts = st.one_of(
    elements(["title", "summary", "content"], escaped, TYPES),
    elements(["title", "summary", "content"], markup, [" type='xhtml'"]),
    elements(["id"], st.one_of(links.map(escape), escaped), ["", " xml:base='https://base.example/x/'"]),
    elements(["published", "updated", "issued", "modified", "created"], dates, [""]),
    st.tuples(links, st.sampled_from(["", " rel='alternate'", " rel='self'", " type='TEXT/HTML'", " type='a/b'"])).map(
        lambda link: f'<link href="{escape(link[0])}"{link[1]}/>'
    ),
    elements(["author"], elements(["name", "uri", "email"], escaped, [""]), [""]),
    elements(["source"], elements(["title", "id", "updated"], escaped, [""]), [""]),
    elements(["rights", "category"], escaped, [""]),
)
rss = st.builds(
    lambda head, items: f"<rss version='2.0' {NAMESPACES}><channel>{head}{''.join(items)}</channel></rss>",
    st.lists(rss_parts, max_size=3).map("".join),
    st.lists(st.lists(rss_parts, max_size=7).map(lambda parts: f"<item>{''.join(parts)}</item>"), max_size=3),
)
atom = st.builds(
    lambda base, head, entries: f"<feed xmlns='http://www.w3.org/2005/Atom'{base}>{head}{''.join(entries)}</feed>",
    st.sampled_from(["", " xml:lang='de'", " xml:base='/sub/'"]),
    st.lists(atom_parts, max_size=3).map("".join),
    st.lists(st.lists(atom_parts, max_size=7).map(lambda parts: f"<entry>{''.join(parts)}</entry>"), max_size=3),
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(rss, atom))
@example(
    "<feed xmlns='http://www.w3.org/2005/Atom'><summary>a</summary><summary>b</summary>"
    "<entry><summary>c</summary><summary/></entry></feed>"
)
def test_it_says_what_feedparser_says(document: str) -> None:
    body = document.encode()
    quick = parse_quickly(body, URL, "application/xml", 100)
    if quick is None:
        return
    try:
        assert quick == parse_slowly(body, URL, "application/xml", 100)
    except BadFeed as error:
        assert "cannot be parsed" in str(error)  # noqa: PT017 - feedparser itself fell over


def item(number: int) -> str:
    """An item as most feeds write them."""
    return (
        f"<item><title>Ford &amp; BYD {number}</title><link>https://news.example/{number}</link>"
        f"<guid isPermaLink='false'>g{number}</guid><pubDate>Mon, 02 Feb 2026 10:00:00 +0100</pubDate>"
        f"<dc:creator>A</dc:creator><description><![CDATA[<p>Talks {number}.</p>]]></description></item>"
    )


FINE = f"<rss version='2.0' {NAMESPACES}><channel><title>Motor</title>{item(1)}{item(2)}</channel></rss>"


def test_it_answers_what_most_feeds_are() -> None:
    found = parse_quickly(FINE.encode(), URL, "application/rss+xml", 1)
    assert found is not None
    assert (found.title, found.bad_entries) == ("Motor", 1)
    (entry,) = found.entries
    assert (entry.guid, entry.link, entry.html) == ("g1", "https://news.example/1", "<p>Talks 1.</p>")
    assert entry.published == datetime(2026, 2, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE rss [<!ENTITY a 'aaa'><!ENTITY b '&a;&a;'>]>",
        "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<!-- --><!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd' [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>",
    ],
)
def test_a_document_that_declares_entities_is_not_read(head: str) -> None:
    assert parse_quickly(f"{head}{FINE}".encode(), URL, None, 100) is None
    assert parse_quickly(f"{head}{FINE.replace('Ford', '&x;')}".encode(), URL, None, 100) is None


@pytest.mark.parametrize(
    "body",
    [
        FINE.replace("&amp;", "&").encode(),
        FINE.replace("&amp;", "&nbsp;").encode(),
        FINE.encode()[:-20],
        FINE.replace("<title>Motor", "<title mode='base64'>Motor").encode(),
        FINE.encode("utf-16"),
        f"<?xml version='1.0' encoding='koi8-r'?>{FINE}ä".encode(),
        ("<rss><channel>" + "<a>" * 2_000).encode(),
        b"<html><body>x</body></html>",
        b"",
        b"\x00" * 100,
    ],
)
def test_what_is_broken_or_strange_is_left_to_feedparser(body: bytes) -> None:
    assert parse_quickly(body, URL, None, 100) is None


@pytest.mark.parametrize("name", ["utf-8", "iso-8859-1", "windows-1252", "gb2312", "shift_jis"])
def test_a_declared_encoding_is_heeded(name: str) -> None:
    title = {"gb2312": "电池", "shift_jis": "電池"}.get(name, "Müller")
    document = f"<?xml version='1.0' encoding='{name}'?>{FINE.replace('Motor', title)}"
    found = parse_quickly(document.encode(name), URL, "application/xml", 100)
    assert found is not None
    assert found.title == title
    assert found == parse_slowly(document.encode(name), URL, "application/xml", 100)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_damage_is_survived(data: st.DataObject) -> None:
    body = bytearray(FINE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    quick = parse_quickly(bytes(body), URL, None, 100)
    if quick is not None:
        assert parse_feed(bytes(body), URL, None, 100) == parse_slowly(bytes(body), URL, None, 100)


def test_a_broken_table_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "fastparse.toml").write_text("[namespaces]", encoding="utf-8")
    monkeypatch.setattr(fastparse_words, "files", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"fastparse\.toml"):
        fastparse_words.load_feed_words.__wrapped__()
