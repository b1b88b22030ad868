"""The starter list: every address can be asked, none twice, and a faulty list is refused by name."""

from datetime import UTC, datetime

import pytest

from tieup.cli.feeds.starter import starter_feeds
from tieup.errors import DataError
from tieup.feeds.registry import feed_id, feed_url
from tieup.feeds.starter import load_starter, read_starter

ISO_639_1 = {"de", "en", "es", "fr", "it", "ja", "ko", "zh"}
GOOD = """[[feed]]
title = "Car Wire"
publisher = "Car Wire"
url = "https://www.carwire.example/rss"
language = "en"
category = ["trade"]
"""


def test_every_address_is_asked_as_it_stands_and_named_once() -> None:
    feeds = load_starter()
    assert [feed.url for feed in feeds if feed_url(feed.url) != feed.url] == []
    assert len({feed_id(feed.url) for feed in feeds}) == len(feeds)
    assert len({feed.title for feed in feeds}) == len(feeds)
    assert all(feed.url.startswith(("https://", "http://")) for feed in feeds)


def test_the_languages_of_the_mission_are_there() -> None:
    assert {feed.language for feed in load_starter()} == ISO_639_1
    assert {feed.category[0] for feed in load_starter()} >= {"trade", "business", "newsroom", "agency", "authority"}


def test_they_become_wanted_feeds() -> None:
    made = starter_feeds(datetime(2026, 2, 3, tzinfo=UTC))
    assert [(feed.url, feed.title, feed.publisher) for feed in made] == [
        (one.url, one.title, one.publisher) for one in load_starter()
    ]
    assert not any(feed.paused for feed in made)


@pytest.mark.parametrize(
    ("part", "other", "words"),
    [
        ("https://", "ftp://", "not an http or https URL"),
        ("www.carwire.example/rss", "WWW.carwire.example/rss", "would be asked as"),
        ('"en"', '"english"', "no ISO 639-1 code"),
        ('["trade"]', "[]", "no path of names"),
        ('["trade"]', '["a/b"]', "no path of names"),
        ('title = "Car Wire"', 'title = " "', "no title"),
        ("publisher", "publsher", "publsher"),
        ("[[feed]]", "[[feed", "starter.toml"),
    ],
)
def test_a_faulty_list_is_refused(part: str, other: str, words: str) -> None:
    assert len(read_starter(GOOD)) == 1
    with pytest.raises(DataError, match=words):
        read_starter(GOOD.replace(part, other))
