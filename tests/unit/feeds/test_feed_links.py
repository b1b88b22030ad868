"""Which feeds a page names, and what kind of document a body is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.feed_server import document, item, rss

from tieup.feeds.looking.document_kind import document_kind, xml_fault
from tieup.feeds.looking.feed_links import FeedLink, How, feed_links, is_page, usual_places

SITE = "https://www.news.example/cars/"


def links(html: str, url: str = SITE) -> list[tuple[str, How, str]]:
    return [(link.url, link.how, link.title) for link in feed_links(html.encode(), url)]


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("<link rel='alternate' type='application/rss+xml' href='/rss'>", "https://www.news.example/rss"),
        ("<link REL='Alternate' TYPE='application/atom+xml; charset=utf-8' href='feed'>", f"{SITE}feed"),
        ("<link rel='alternate home' type='application/feed+json' href='//cdn.example/f'>", "https://cdn.example/f"),
        ("<link rel='feed' href='/f'>", "https://www.news.example/f"),
        ("<link rel='alternate' type='text/xml' href='/rss.xml'>", "https://www.news.example/rss.xml"),
        ("<base href='/de/'><link rel=alternate type='application/rss+xml' href='f'>", "https://www.news.example/de/f"),
        ("<link rel='alternate' type='application/rss+xml' href='feed://x.example/f'>", "http://x.example/f"),
    ],
)
def test_declared_feeds_are_found(head: str, url: str) -> None:
    assert links(f"<html><head>{head}</head></html>") == [(url, How.DECLARED, "")]


@pytest.mark.parametrize(
    "part",
    [
        "<link rel='alternate' type='application/json' href='/wp-json/wp/v2'>",
        "<link rel='alternate' hreflang='en' href='/en/'>",
        "<link rel='alternate' type='text/xml' href='/sitemap'>",
        "<link rel='stylesheet' type='text/css' href='/feed.css'>",
        "<link rel='alternate' type='application/rss+xml' href=''>",
        "<link rel='alternate' type='application/rss+xml' href='javascript:alert(1)'>",
        "<link rel='alternate' type='application/rss+xml' href='http://[::1'>",
        "<link rel='alternate' type='application/rss+xml' href='https://user:secret@x.example/'>",
        f"<link rel='alternate' type='application/rss+xml' href='{SITE}'>",
        "<a href='https://feedly.example/i/subscription/feed/https://www.news.example/rss'>Feedly</a>",
        "<a href='/feedback'>Feedback</a>",
        "<a href='/ford-feeds-rumours-of-talks'>Ford feeds rumours</a>",
        "<a href='mailto:rss@news.example'>RSS</a>",
    ],
)
def test_what_only_looks_like_a_feed_is_not_taken(part: str) -> None:
    assert links(f"<html>{part}</html>") == []


@pytest.mark.parametrize(
    "href",
    ["/rss", "/feed/", "/news.rss", "/feeds/all.xml", "/atom.xml", "/rss/2.0/cars.xml", "/?feed=rss2", "/x?format=rss"],
)
def test_links_that_look_like_feeds_are_found(href: str) -> None:
    assert [how for _, how, _ in links(f"<a href='{href}'>all news</a>")] == [How.LINKED]


def test_a_link_that_says_so_is_found_whatever_its_address() -> None:
    assert links("<a href='/x/1'><img alt=''> Our <b>RSS</b>\n service</a>") == [
        ("https://www.news.example/x/1", How.LINKED, "Our RSS service")
    ]
    assert links("<a href='https://feeds.other.example/cars/rss' title='RSS'></a>")[0][1:] == (How.LINKED, "RSS")


def test_each_feed_comes_once_declared_first_and_comments_last() -> None:
    html = (
        "<link rel=alternate type='application/rss+xml' href='/comments/feed/' title='Comments'>"
        "<a href='/rss'>RSS</a><a href='/other.rss'>Other</a>"
        "<link rel=alternate type='application/rss+xml' href='http://www.news.example/rss' title='  All\n news '>"
    )
    assert links(html) == [
        ("http://www.news.example/rss", How.DECLARED, "All news"),
        ("https://www.news.example/other.rss", How.LINKED, "Other"),
        ("https://www.news.example/comments/feed/", How.DECLARED, "Comments"),
    ]


def test_a_page_s_own_charset_is_heeded() -> None:
    html = "<meta charset=windows-1252><link rel=alternate type='application/rss+xml' href='/f' title='Märkte'>"
    assert [link.title for link in feed_links(html.encode("windows-1252"), SITE)] == ["Märkte"]
    sent = html.partition(">")[2].encode("shift_jis", "ignore")
    assert feed_links(sent, SITE, "text/html; charset=shift_jis")[0].url == "https://www.news.example/f"


def test_a_page_of_links_costs_its_bound_only() -> None:
    assert len(links("".join(f"<a href='/{n}.rss'>x</a>" for n in range(9_000)))) == 50


@given(st.text(alphabet="<>/='\" abhrefslinktyp&;:.\0\ud7ff", max_size=300), st.sampled_from([SITE, "http://x/"]))
def test_any_page_names_what_can_be_asked_or_nothing(html: str, url: str) -> None:
    for link in feed_links(html.encode("utf-8", "replace"), url):
        assert link.url.startswith(("http://", "https://"))


@given(st.binary(max_size=300))
def test_any_bytes_can_be_looked_through(body: bytes) -> None:
    assert isinstance(feed_links(body, SITE), tuple)
    assert isinstance(document_kind(body), str)
    assert xml_fault(body) is None or "\n" not in xml_fault(body)
    is_page(body)


def test_usual_places_are_below_the_root() -> None:
    found = usual_places("https://news.example/de/cars?x=1")
    assert found[0] == FeedLink("https://news.example/feed", How.GUESSED)
    assert {link.how for link in found} == {How.GUESSED}
    assert len(found) < 12


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (rss(item(1)), "RSS 2.0"),
        (b"\xef\xbb\xbf <!-- a > b --> <!DOCTYPE rss> <rss version='0.91'/>", "RSS 0.91"),
        (b"<rss/>", "RSS"),
        (document("atom", 1), "Atom 1.0"),
        (b"<a:feed xmlns:a='http://www.w3.org/2005/Atom'/>", "Atom 1.0"),
        (b"<feed version='0.3' xmlns='http://purl.org/atom/ns#'/>", "Atom 0.3"),
        (b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'/>", "RSS 1.0 (RDF)"),
        ("<?xml version='1.0' encoding='utf-16'?><rss version='2.0'/>".encode("utf-16"), "RSS 2.0"),
        (document("json", 1), "JSON Feed 1.1"),
        (b'{"version": 1}', ""),
        (b"{", ""),
        (b"<html><body/></html>", ""),
        (b"", ""),
    ],
)
def test_a_document_s_kind(body: bytes, kind: str) -> None:
    assert document_kind(body) == kind


def test_torn_xml_is_located() -> None:
    assert xml_fault(rss(item(1))) is None
    assert xml_fault(document("json", 1)) is None
    assert "line 1" in str(xml_fault(rss(item(1))[:-40]))
    assert xml_fault("<?xml version='1.0' encoding='gb2312'?><rss>汽车</rss>".encode("gb2312")) is None
    bomb = "<!DOCTYPE a [" + "".join(f"<!ENTITY e{n + 1} '{f'&e{n};' * 10}'>" for n in range(30)) + "]><a>&e30;</a>"
    assert xml_fault(bomb.encode()) is not None
