from contextlib import suppress
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.articles.html import plain_text
from tieup.errors import BadFeed
from tieup.feeds.reading.document import ParsedFeed
from tieup.feeds.reading.parse import parse_feed
from tieup.model.codec import encode

URL = "https://a.example/x/feed"

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>Motor &amp; Markt</title><language>de-DE</language>
<item><title>Ford &amp;amp; Xiaomi</title><link>/a?x=1&amp;y=2</link><guid isPermaLink="false">g1</guid>
<pubDate>Mo, 17 Nov 2025 10:00:00 MEZ</pubDate><description>Kurz</description>
<content:encoded><![CDATA[<p>Ford <b>spricht</b> mit Xiaomi.</p>]]></content:encoded></item>
<item><guid>https://a.example/b</guid><description>5 &lt; 6</description></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>T</title>
<entry><id>tag:1</id><title type="html">A &amp;amp; B</title><link href="rel"/>
<published>2025-11-17T10:00:00+01:00</published><updated>2025-11-18T10:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>one</p><p>two</p></div></content>
<summary>s</summary></entry></feed>"""

JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "J",
    "language": "en",
    "items": [
        {"id": 7, "url": "/a", "title": "1 < 2", "content_html": "<p>x</p>", "date_published": "2025-11-17T10:00:00Z"},
        {"id": "b", "content_text": "a\n<b>"},
        {"id": "nothing"},
        "no object",
    ],
}


def parse(body: str | bytes, content_type: str | None = "application/xml", most: int = 100) -> ParsedFeed:
    return parse_feed(body.encode() if isinstance(body, str) else body, URL, content_type, most)


def test_rss() -> None:
    parsed = parse(RSS)
    assert (parsed.title, parsed.language) == ("Motor & Markt", "de-DE")
    first, second = parsed.entries
    assert (first.guid, first.link) == ("g1", "https://a.example/a?x=1&y=2")
    assert plain_text(first.title) == "Ford & Xiaomi"
    assert plain_text(first.html) == "Ford spricht mit Xiaomi."
    assert first.published == datetime(2025, 11, 17, 9, tzinfo=UTC)
    assert (second.guid, second.link, second.title, second.published) == (
        "https://a.example/b",
        "https://a.example/b",
        "",
        None,
    )
    assert plain_text(second.html) == "5 < 6"


def test_atom() -> None:
    parsed = parse(ATOM)
    (entry,) = parsed.entries
    assert (entry.guid, entry.link) == ("tag:1", "https://a.example/x/rel")
    assert plain_text(entry.title) == "A & B"
    assert plain_text(entry.html) == "one\ntwo"
    assert entry.published == datetime(2025, 11, 17, 9, tzinfo=UTC)
    assert entry.updated == datetime(2025, 11, 18, 10, tzinfo=UTC)


def test_json_feed() -> None:
    parsed = parse(b"\xef\xbb\xbf" + orjson.dumps(JSON), "text/plain")
    assert (parsed.title, parsed.language, parsed.bad_entries) == ("J", "en", 2)
    first, second = parsed.entries
    assert (first.guid, first.link, plain_text(first.title)) == ("7", "https://a.example/a", "1 < 2")
    assert first.published == datetime(2025, 11, 17, 10, tzinfo=UTC)
    assert plain_text(second.html) == "a\n<b>"


PLAIN_JSON = '{"version": "https://jsonfeed.org/version/1", "title": "Käufer", "items": [{"id": 1, "title": "Ü"}]}'


@pytest.mark.parametrize(
    "body",
    [
        PLAIN_JSON.encode(),
        PLAIN_JSON.encode("utf-8-sig"),
        PLAIN_JSON.encode("utf-16"),
        b"\xfe\xff" + PLAIN_JSON.encode("utf-16-be"),
        PLAIN_JSON.encode("cp1252"),
        b" \n" + PLAIN_JSON.encode() + b"\n<!-- from the cache -->",
        PLAIN_JSON.replace("1,", '1, "score": NaN,').encode(),
        PLAIN_JSON.replace("Käufer", "K\tä\\ud800ufer").encode(),
    ],
)
def test_json_that_is_none_is_read_as_far_as_sensible(body: bytes) -> None:
    parsed = parse(body, "application/feed+json; charset=utf-8")
    assert "".join((parsed.title or "").split()) == "Käufer"
    assert [(entry.guid, entry.title) for entry in parsed.entries] == [("1", "Ü")]


def test_what_a_json_feed_says_of_an_item_beyond_its_text() -> None:
    items = [
        {"id": "1", "content_html": "<p>all</p>", "content_text": "all", "summary": "some", "language": "fr"},
        {"id": "2", "summary": "some", "authors": [{"name": "A"}], "attachments": [{"url": "/a.mp3"}]},
        {"external_url": "https://b.example/x", "url": "/own", "title": "both"},
        {"external_url": "https://b.example/x", "title": "theirs"},
        {"title": ["no text"], "content_html": {"no": "text"}, "url": 5, "id": True},
        {"id": "7", "title": "t", "date_published": "17.11.2025 10:00", "date_modified": "2025-11-18T09:00:00+09:00"},
    ]
    parsed = parse(orjson.dumps(JSON | {"items": items, "authors": [{"name": "B"}], "hubs": [{"type": "x"}]}))
    assert [(entry.guid, entry.link, plain_text(entry.html), entry.language) for entry in parsed.entries[:4]] == [
        ("1", None, "all", "fr"),
        ("2", None, "some", None),
        (None, "https://a.example/own", "", None),
        (None, "https://b.example/x", "", None),
    ]
    assert (parsed.entries[4].link, parsed.bad_entries) == ("https://a.example/x/5", 0)
    assert parsed.entries[5].published == datetime(2025, 11, 17, 10, tzinfo=UTC)
    assert parsed.entries[5].updated == datetime(2025, 11, 18, tzinfo=UTC)


def test_relative_links_go_by_xml_base_and_else_by_where_the_feed_was() -> None:
    based = ATOM.replace('xml:lang="en"', 'xml:lang="en" xml:base="https://b.example/y/"')
    inner = based.replace("<entry>", '<entry xml:base="z/">')
    assert [parse(body).entries[0].link for body in (ATOM, based, inner)] == [
        "https://a.example/x/rel",
        "https://b.example/y/rel",
        "https://b.example/y/z/rel",
    ]


@pytest.mark.parametrize("body", [RSS, orjson.dumps(JSON)])
def test_entries_are_bounded_and_the_rest_counted(body: str | bytes) -> None:
    parsed = parse(body, most=1)
    assert len(parsed.entries) == 1
    assert parsed.bad_entries >= 1


def test_a_lying_content_type_is_survived() -> None:
    assert len(parse(RSS, "text/html; charset=ascii").entries) == 2


def test_a_torn_document_gives_no_torn_entry() -> None:
    torn = RSS[: RSS.index("5 &lt;")]
    assert [entry.guid for entry in parse(torn).entries] == ["g1"]


def test_an_external_entity_is_not_read() -> None:
    body = """<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>T</title>
    <item><title>A</title><description>&x;</description></item></channel></rss>"""
    assert "root:" not in str(parse(body).entries)


def test_an_empty_feed_is_a_feed() -> None:
    assert parse("<rss version='2.0'><channel><title>T</title></channel></rss>").entries == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is empty"),
        (b"\xef\xbb\xbf \n", "the body is empty"),
        (b"<!doctype html><html></html>", "an HTML page"),
        (b"/etc/passwd", "not a feed"),
        (b"http://127.0.0.1:1/", "not a feed"),
        (b'{"version": 1}', "no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": 3}', "without items"),
        (b"{" * 100_000, "broken JSON"),
        (b"<rss version='2.0'><channel><it", "not a feed"),
        (b"<rss version='2.0'><channel><item><title>x", "not a feed"),
    ],
)
def test_what_is_no_feed_is_named_with_its_url(body: bytes, words: str) -> None:
    with pytest.raises(BadFeed, match=words) as caught:
        parse(body)
    assert str(caught.value).startswith(f"{URL}: ")
    assert "\n" not in str(caught.value)


@settings(max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: RSS.replace("Kurz", text).encode("utf-8", "ignore")),
    )
)
def test_any_bytes_are_a_feed_or_refused_and_fit_into_json(body: bytes) -> None:
    with suppress(BadFeed):
        encode(parse(body))


def test_lone_surrogates_do_not_reach_the_log() -> None:
    encode(parse(RSS.replace("Kurz", "&#xD800;&#57343;&#55296;ok")).entries)
