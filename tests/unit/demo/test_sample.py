"""The sample feeds: they load, differ between the polls as the demo tells, and a wrong manifest is named."""

import io
import itertools
from datetime import UTC, datetime

import feedparser
import orjson
import pytest

from tieup.demo.sample import Sample, SampleFeed, load_sample
from tieup.errors import DataError


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load_sample()


def entries(feed: SampleFeed, poll: int) -> dict[str, tuple[str, str]]:
    """Identity → (title, content) of a feed's entries, read by an independent parser."""
    if feed.format == "json":
        items = orjson.loads(feed.bodies[poll])["items"]
        return {item["id"]: (item["title"], item.get("content_html") or item["content_text"]) for item in items}
    parsed = feedparser.parse(io.BytesIO(feed.bodies[poll]))
    assert not parsed.bozo, feed.host
    return {
        entry.get("id", entry.link): (entry.title, entry.content[0].value if "content" in entry else entry.summary)
        for entry in parsed.entries
    }


def test_eight_feeds_in_three_formats_and_two_languages(sample: Sample) -> None:
    assert len(sample.feeds) == 8
    assert {feed.format for feed in sample.feeds} == {"rss", "atom", "json"}
    assert {feed.language for feed in sample.feeds} == {"de", "en"}
    assert sample.polls == (datetime(2026, 2, 1, 6, tzinfo=UTC), datetime(2026, 2, 2, 18, tzinfo=UTC))
    assert len({feed.url for feed in sample.feeds}) == 8
    assert all(feed.host.endswith(".example") for feed in sample.feeds)


def test_about_forty_entries(sample: Sample) -> None:
    seen = {(feed.host, key) for feed in sample.feeds for poll in (0, 1) for key in entries(feed, poll)}
    assert 35 <= len(seen) <= 45


def test_the_second_poll_brings_one_edit_news_and_feeds_that_did_not_change(sample: Sample) -> None:
    unchanged = [feed.host for feed in sample.feeds if feed.bodies[0] == feed.bodies[1]]
    assert len(unchanged) == 2
    edited, new = [], []
    for feed in sample.feeds:
        before, after = entries(feed, 0), entries(feed, 1)
        edited += [(before[key], after[key]) for key in before.keys() & after.keys() if before[key] != after[key]]
        new += sorted(after.keys() - before.keys())
    assert len(edited) == 1
    (old_title, old_text), (new_title, new_text) = edited[0]
    assert "sprachen über Gemeinschaftsunternehmen" in old_title
    assert "falsch" not in old_text
    assert "dementieren" in new_title
    assert "völlig falsch" in new_text
    assert len(new) >= 10


@pytest.mark.parametrize(
    "fact",
    [
        "Financial Times",
        "completely false",
        "völlig falsch",
        "CATL",
        "Reuters",
        "Bloomberg",
        "BluePark",
        "Jilin",
        "Deutz",
        "Audi",
    ],
)
def test_the_facts_of_the_worked_example_are_told(sample: Sample, fact: str) -> None:
    told = itertools.chain.from_iterable(entries(feed, poll).values() for feed in sample.feeds for poll in (0, 1))
    assert any(fact in title + text for title, text in told)


def test_a_manifest_with_a_typo_is_named(tmp_path) -> None:
    (tmp_path / "manifest.toml").write_text("polls = []\nfeedz = []\n")
    with pytest.raises(DataError, match=r"^manifest\.toml: .*feed"):
        load_sample(tmp_path)


def test_a_missing_feed_file_is_named(tmp_path) -> None:
    (tmp_path / "manifest.toml").write_text(
        '[[polls]]\nat = 2026-01-01T00:00:00Z\n[[feeds]]\nhost = "a.example"\npath = "/"\nformat = "rss"\n'
        'publisher = "A"\nlanguage = "en"\nfiles = ["poll-1/a.rss"]\n'
    )
    with pytest.raises(DataError, match=r"poll-1/a\.rss"):
        load_sample(tmp_path)


def test_a_feed_without_a_file_for_each_poll_is_named(tmp_path) -> None:
    (tmp_path / "manifest.toml").write_text(
        '[[polls]]\nat = 2026-01-01T00:00:00Z\n[[feeds]]\nhost = "a.example"\npath = "/"\nformat = "rss"\n'
        'publisher = "A"\nlanguage = "en"\nfiles = []\n'
    )
    with pytest.raises(DataError, match=r"a\.example has 0 files for 1 polls"):
        load_sample(tmp_path)


def test_polls_out_of_order_are_refused(tmp_path) -> None:
    (tmp_path / "manifest.toml").write_text(
        "feeds = []\n[[polls]]\nat = 2026-01-02T00:00:00Z\n[[polls]]\nat = 2026-01-01T00:00:00Z\n"
    )
    with pytest.raises(DataError, match="rising order"):
        load_sample(tmp_path)


def test_a_folder_without_manifest_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"^manifest\.toml: cannot be read"):
        load_sample(tmp_path)
