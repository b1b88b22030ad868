from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import BadFeed, BadFile
from tieup.feeds.registry import (
    OpmlOutline,
    feed_from_url,
    feed_id,
    feed_record,
    feeds_to_records,
    parse_opml,
    poll_now_record,
    removal_record,
    write_opml,
)
from tieup.log.topics import FEEDS, FETCH_REQUESTS
from tieup.model.codec import decode
from tieup.model.feed import Feed, FetchRequest

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)


def test_a_feed_from_a_url() -> None:
    feed = feed_from_url(" HTTPS://WWW.Autonews.co.uk:443/rss?b=2&a=1#top ", NOW, title="Autonews")
    assert feed.url == "https://www.autonews.co.uk/rss?b=2&a=1"
    assert (feed.domain, feed.title, feed.added_at) == ("autonews.co.uk", "Autonews", NOW)


def test_one_feed_has_one_id() -> None:
    urls = ["https://a.example/f?x=1&y=2", "http://a.example/f?y=2&x=1", "https://A.example:443/f?x=1&y=2#z"]
    urls += ["feed://a.example/f?x=1&y=2", "feed:https://a.example/f?x=1&y=2", "http://a.example./g/../f?x=1&y=2"]
    assert len({feed_id(url) for url in urls}) == 1
    assert feed_id("https://bücher.example/~f") == feed_id("https://xn--bcher-kva.example/%7ef")
    assert feed_id("https://a.example/g") != feed_id(urls[0])


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "news",
            "feed:",
            "feed:x",
            "ftp://a.example/f",
            "http://.",
            "file:///etc/passwd",
            "http://",
            "http://[::1",
            "http://a b.example/",
        ),
        *("http://a.example:port/", "https://user:secret@a.example/f", "https://a.example/" + "x" * 5_000),
    ],
)
def test_what_is_no_feed_url_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(BadFeed) as caught:
        feed_from_url(url, NOW)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_feed_or_refused(url: str) -> None:
    with suppress(BadFeed):
        feed_from_url(url, NOW)


def test_records_are_placed_by_domain() -> None:
    feed = feed_from_url("https://rss.news.example/f", NOW)
    record = feed_record(feed)
    assert (record.topic, record.key.decode(), record.place_by) == (FEEDS, feed.id, b"news.example")
    assert decode(Feed, record.value, "test") == feed
    assert feeds_to_records([feed]) == [record]
    gone = removal_record(feed, NOW)
    assert (gone.key, gone.value, gone.place_by) == (record.key, None, record.place_by)
    now = poll_now_record(feed, "asked", NOW)
    assert (now.topic, now.place_by) == (FETCH_REQUESTS, record.place_by)
    assert decode(FetchRequest, now.value, "test").feed_id == feed.id


OPML = b"""<?xml version="1.0"?><opml version="2.0"><body>
<outline text="trade"><outline text="de">
<outline type="rss" text="A &amp; B" xmlUrl="https://a.example/f" htmlUrl="https://a.example" language="de"/>
</outline></outline>
<outline TITLE="C" xmlURL=" https://c.example/f "/>
<outline text="again" xmlUrl="https://a.example/f"/>
<outline text="no feed"/>
</body></opml>"""


def test_opml_is_read_with_its_categories() -> None:
    assert parse_opml(OPML) == [
        OpmlOutline("https://a.example/f", "A & B", "de", "https://a.example", ("trade", "de")),
        OpmlOutline("https://c.example/f", "C"),
    ]


def test_what_is_written_can_be_read() -> None:
    feeds = [feed_from_url("https://a.example/f?x=1&y=<2>", NOW, title='A "&" <B>', language="de")]
    assert parse_opml(write_opml(feeds)) == [OpmlOutline(feeds[0].url, 'A "&" <B>', "de")]
    assert write_opml(feeds) == write_opml(feeds)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not OPML"),
        (b"<html/>", "the root is <html>"),
        (b"<opml><body>", "line 1"),
        (b"<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>", "document type declaration"),
        (b"<?xml version='1.0' encoding='no-such'?><opml/>", "not OPML"),
        (b"<opml>" + b"<outline>" * 100, "deeper than"),
    ],
)
def test_bad_opml_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(BadFile, match=words) as caught:
        parse_opml(data, "list.opml")
    assert str(caught.value).startswith("list.opml: ")


@given(st.binary(max_size=200))
def test_any_bytes_are_opml_or_refused(data: bytes) -> None:
    with suppress(BadFile):
        parse_opml(data)
