import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.feed_server import document, item, rss

from tieup.feeds.reading.hublinks import Advertised, HubLinks, advertised, document_links, header_links
from tieup.feeds.reading.jsonfeed import parse_json_feed

FEED = "https://news.example/feed"
HUB = "https://hub.example/"


@pytest.mark.parametrize(
    ("header", "links"),
    [
        ([f'<{HUB}>; rel="hub"', f'<{FEED}>; rel="self"'], HubLinks((HUB,), FEED)),
        ([f'<{HUB}>; rel=hub, <{FEED}>; title*=x; REL = "alternate SELF"'], HubLinks((HUB,), FEED)),
        ([f'<{HUB}?a=1,2;b>; title="x, <y>; rel=\\"no\\""; rel="hub"; rel="self"'], HubLinks((f"{HUB}?a=1,2;b",))),
        ([f'<{HUB}>; rel="hub", <{HUB}2>; rel="hub"'], HubLinks((HUB, f"{HUB}2"))),
        ([f'<{HUB}>; rel="hubcap"', f"{HUB}; rel=hub", ""], HubLinks()),
    ],
)
def test_headers(header: list[str], links: HubLinks) -> None:
    assert header_links(header) == links


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_links_of_a_document_stand_outside_its_entries(kind: str) -> None:
    prefix = "atom:" if kind == "rss" else ""
    head = (
        f"<{prefix}link href='https://hub.example/?a=1&amp;b=2' rel='hub'/>"
        f'<{prefix}link rel="self" type="application/xml"\n href="{FEED}"></{prefix}link>'
        f"<!-- <{prefix}link rel='hub' href='https://old.example/'/> -->"
        f"<description><![CDATA[<{prefix}link rel='hub' href='https://evil.example/'/>]]></description>"
    )
    evil = f"<{prefix}link rel='hub' href='https://evil.example/'/>"
    body = document(kind, 1, 2, head=head).replace(b"<title>Title 1", f"{evil}<title>Title 1".encode())
    assert document_links(body) == HubLinks(("https://hub.example/?a=1&b=2",), FEED)


def test_links_after_the_entries_count_and_other_formats_have_none() -> None:
    late = b"<atom:link rel='hub' href='https://hub.example/'/></channel>"
    assert document_links(rss(item(1)).replace(b"</channel>", late)) == HubLinks(("https://hub.example/",))
    assert document_links(rss(item(1)).decode().encode("utf-16")) == HubLinks()
    assert document_links(b"{}") == HubLinks()


@pytest.mark.parametrize(
    "hubs", [None, "x", {}, [1, "x", {}, {"type": 3, "url": 4}], [{"type": "rssCloud", "url": "x"}]]
)
def test_json_feeds_with_other_hubs_have_none(hubs: object) -> None:
    body = orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [], "hubs": hubs})
    assert parse_json_feed(body, FEED, 10).links == HubLinks()


def test_a_json_feed_names_its_hubs() -> None:
    hubs = [{"type": "websub", "url": "https://hub.example/"}]
    body = orjson.dumps({"version": "https://jsonfeed.org/version/1", "items": [], "hubs": hubs, "feed_url": FEED})
    assert parse_json_feed(body, FEED, 10).links == HubLinks(("https://hub.example/",), FEED)


def test_the_header_wins_and_what_it_lacks_comes_from_the_document_or_the_address() -> None:
    document_s = HubLinks(("https://second.example/",), "https://news.example/second")
    assert advertised(['<https://first.example/>; rel="hub"'], document_s, FEED) == Advertised(
        "https://first.example/", "https://news.example/second"
    )
    assert advertised([], document_s, FEED) == Advertised(*document_s.hubs, document_s.topic or "")
    assert advertised([], HubLinks(("/hub",)), FEED) == Advertised("https://news.example/hub", FEED)
    assert advertised(['</other>; rel="self"'], document_s, FEED) == Advertised(
        "https://second.example/", "https://news.example/other"
    )
    assert advertised([f'<{FEED}>; rel="self"'], None, FEED) is None


@pytest.mark.parametrize(
    "hub", ["http://hub.example/", "ftp://hub.example/", "https://a:b@hub.example/", "javascript:1", "//[x"]
)
def test_hubs_that_cannot_be_asked_or_give_tls_up_are_passed_over(hub: str) -> None:
    assert advertised([], HubLinks((hub,)), FEED) is None
    assert advertised([], HubLinks((hub, "https://good.example/")), FEED) == Advertised("https://good.example/", FEED)


def test_a_feed_without_tls_may_have_a_hub_without() -> None:
    assert advertised([], HubLinks(("http://hub.example/",)), "http://news.example/") is not None


@given(st.binary(max_size=2_000), st.lists(st.text(max_size=300), max_size=3))
def test_nothing_makes_it_fail(body: bytes, headers: list[str]) -> None:
    advertised(headers, document_links(b"<" + body), FEED)


@pytest.mark.parametrize(
    "unit", ["<link ", "<link a=", "<a:link rel='", '<link "', "<", "<link rel=hub href=", "<![CDATA[", "<!--"]
)
def test_hostile_repetition_names_nothing_and_does_not_hang(unit: str) -> None:
    assert document_links((unit * 80_000).encode()).hubs == ()
    assert header_links([unit * 20_000]).hubs == ()
    assert header_links([f"<a>;{unit}" * 4_000]).hubs == ()
