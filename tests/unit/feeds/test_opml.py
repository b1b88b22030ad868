"""Lists of feeds go out and come back with their folders."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import BadFile
from tieup.feeds.opml import OpmlOutline, parse_opml, write_opml
from tieup.feeds.registry import MAX_CATEGORY_DEPTH, feed_from_url

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)

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


def outline(attributes: str, around: str = "") -> OpmlOutline:
    inner = f"<outline xmlUrl='https://a.example/f' {attributes}/>"
    folder = f"<outline text='{around}'>{inner}</outline>" if around else inner
    (found,) = parse_opml(f"<opml><body>{folder}</body></opml>".encode())
    return found


def test_a_category_attribute_holds_where_no_folder_says_more() -> None:
    assert outline("category='/trade/de, /other'").category == ("trade", "de")
    assert outline("category='/trade/de'", around="trade").category == ("trade", "de")
    assert outline("category='/elsewhere'", around="trade").category == ("trade",)
    assert outline("category=' / ,'").category == ()


def test_a_title_that_is_only_the_address_is_none() -> None:
    assert outline("text='https://a.example/f'").title is None
    assert outline("text='Short' title='Long'").title == "Long"


PATHS = st.lists(st.text(max_size=8), max_size=MAX_CATEGORY_DEPTH + 2)


@given(st.lists(st.tuples(st.text(max_size=12), PATHS, st.sampled_from(["de", "zh-Hant", ""])), max_size=8))
def test_whatever_is_written_comes_back(made: list[tuple[str, list[str], str]]) -> None:
    feeds = [
        feed_from_url(f"https://a.example/{number}?x=1&y=<", NOW, title=title, category=path, language=language)
        for number, (title, path, language) in enumerate(made)
    ]
    found = {one.url: one for one in parse_opml(write_opml(feeds))}
    assert {(one.url, one.title, one.language, one.category) for one in found.values()} == {
        (feed.url, feed.title, feed.language, feed.category) for feed in feeds
    }


def test_feeds_of_a_category_share_its_folder() -> None:
    feeds = [feed_from_url(f"https://{name}.example/", NOW, category=("trade", "de")) for name in "ab"]
    assert write_opml(feeds).count(b'text="de"') == 1


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
