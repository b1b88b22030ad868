from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import BadFeed
from tieup.feeds.registry import (
    category_path,
    feed_from_url,
    feed_id,
    feed_record,
    feeds_to_records,
    filled_in,
    merge,
    poll_now_record,
    removal_record,
    typed_url,
    wanted_again,
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


HELD = replace(
    feed_from_url("https://a.example/f", NOW, title="Mine", interval_s=600, category=("trade",)), paused=True
)
LATER = NOW + timedelta(days=9)


def test_a_category_is_a_path_of_names() -> None:
    assert category_path(" trade / de//electric  cars ") == ("trade", "de", "electric cars")
    assert category_path("") == category_path("/") == ()
    assert len(category_path("a/" * 100)) == 16


def test_a_name_holds_nothing_that_a_list_could_not_carry() -> None:
    feed = feed_from_url("https://a.example/f", NOW, title="A\x00\x1b\ufffe\ud800 B\n C", category=["\x00", "D"])
    assert (feed.title, feed.category) == ("A B C", ("D",))


def test_adding_again_changes_what_is_given_and_keeps_the_rest() -> None:
    again = wanted_again(HELD, feed_from_url("http://A.example/f", LATER, language="de"))
    assert again == replace(HELD, url="http://a.example/f", language="de", added_at=LATER)
    assert wanted_again(HELD, feed_from_url(HELD.url, LATER, title="New", interval_s=60)).interval_s == 60


def test_a_list_fills_in_what_nobody_has_set_and_resurrects_nothing() -> None:
    listed = feed_from_url("http://a.example/f", LATER, title="Theirs", language="de", interval_s=60, category=("x",))
    assert filled_in(HELD, listed) == replace(HELD, language="de")
    updated = filled_in(HELD, listed, update=True)
    assert updated == replace(HELD, language="de", title="Theirs", category=("x",))
    assert (updated.paused, updated.interval_s, updated.added_at, updated.url) == (True, 600, NOW, HELD.url)


def test_merging_counts_what_is_new_changed_and_the_same() -> None:
    other = feed_from_url("https://b.example/f", LATER)
    listed = [feed_from_url(HELD.url, LATER, language="de"), other, replace(other, title="twice")]
    merged = merge({HELD.id: HELD}, listed)
    assert (merged.added, merged.same) == ((other,), 0)
    assert merged.changed == (replace(HELD, language="de"),)
    again = merge({HELD.id: merged.changed[0], other.id: other}, listed[:2])
    assert (again.added, again.changed, again.same) == ((), (), 2)


def test_a_scheme_left_out_is_tls() -> None:
    assert typed_url(" news.example/rss ") == "https://news.example/rss"
    assert typed_url("http://news.example/rss") == "http://news.example/rss"
    assert typed_url("feed://news.example/rss") == "feed://news.example/rss"
