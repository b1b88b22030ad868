import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.urls import (
    canonical_of_any,
    canonical_url,
    clean_url,
    is_web_url,
    load_tracking,
    registrable_domain,
)

PIECES = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "www.",
            "m.",
            "amp.",
            "example.com",
            "co.uk",
            ":80",
            ":443",
            "/amp",
            "/a",
            "..",
            "%7e",
        ),
        *("%", "?", "&", "=", "utm_source=x", "id=3", "#f", "[::1]", "@", ".amp.html", "ü", " "),
        "a-b.cdn.ampproject.org/c/s/",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=15).map("".join))
def test_canonical_is_idempotent_and_never_raises(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_string_has_a_domain_or_none(url: str) -> None:
    assert registrable_domain(url) == registrable_domain(url).lower()
    is_web_url(url)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://www.Example.com:80/a/../b?utm_source=x&b=2&a=1#f", "https://example.com/b?a=1&b=2"),
        ("https://m.example.de/story/amp/", "https://example.de/story"),
        ("https://amp.example.co.uk/story.amp.html", "https://example.co.uk/story.html"),
        ("https://www-example-com.cdn.ampproject.org/c/s/www.example.com/x?usqp=1", "https://example.com/x"),
        ("https://example.com/a?id=123&gclid=4&amp=1", "https://example.com/a?id=123"),
        ("https://example.com/story?amp", "https://example.com/story"),
        ("https://example.com/amp/story", "https://example.com/story"),
        ("https://example.com/story/", "https://example.com/story"),
        ("https://example.com/story/amp/", "https://example.com/story"),
        ("https://example.com//", "https://example.com/"),
        ("https://example.com/story/?id=1", "https://example.com/story?id=1"),
        ("https://example.com/a?id=1&amp;utm_source=x&amp;b=2", "https://example.com/a?amp%3Bb=2&id=1"),
        ("https://example.com/a?ref=rss&id=1&source=Feed&rss", "https://example.com/a?id=1"),
        ("https://example.com/a?ref=ford&source=reuters", "https://example.com/a?ref=ford&source=reuters"),
        ("https://www.example.de/auto/story-a-1-amp", "https://example.de/auto/story-a-1"),
        ("https://example.com/amp-story-1", "https://example.com/amp-story-1"),
        ("https://example.com/lamp", "https://example.com/lamp"),
        ("https://www.google.co.uk/amp/s/www.example.com/story/amp/?x=1", "https://example.com/story?x=1"),
        ("https://touch.example.com/x", "https://example.com/x"),
        ("https://example.com/a;jsessionid=0AF?PHPSESSID=1&id=2", "https://example.com/a?id=2"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com/?q=%E4&utm_source=x", "https://example.com/?q=%E4"),
        ("https://example.com/?q=%E4", "https://example.com/?q=%E4"),
        ("https://example.com/?q=a+b&%75tm_source=x", "https://example.com/?q=a+b"),
        ("https://ｅｘａｍｐｌｅ。com/a", "https://example.com/a"),
        ("http://¯", "http://¯"),
        ("https://example.com/a?amp=volt", "https://example.com/a?amp=volt"),
        ("http://m.de/x", "https://m.de/x"),
        ("https://www.com/", "https://www.com/"),
        ("http://[::1]:8080/a", "https://[::1]:8080/a"),
        ("mailto:desk@example.com", "mailto:desk@example.com"),
        ("http://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
    ],
)
def test_one_page_has_one_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.autonews.co.uk/x", "autonews.co.uk"),
        ("http://NEWS.example.com:80/", "example.com"),
        ("http://127.0.0.1:8080/feed", "127.0.0.1"),
        ("http://[::1]:8080/feed", "::1"),
        ("http://localhost/", "localhost"),
        ("http://rss.news.example/", "news.example"),
        ("http://co.uk/", "co.uk"),
        ("http://news.bücher.de/", "xn--bcher-kva.de"),
        ("http://news.xn--bcher-kva.de/", "xn--bcher-kva.de"),
        ("https://ｅｘａｍｐｌｅ。com/a", "example.com"),
        ("", ""),
    ],
)
def test_registrable_domain(url: str, domain: str) -> None:
    assert registrable_domain(url) == domain


def test_clean_url_drops_what_is_no_url() -> None:
    assert clean_url(" http://a.example/\n\tb\x00 ") == "http://a.example/b"


def test_tracking_names_are_lower_case_so_that_they_can_match() -> None:
    table = load_tracking()
    assert all(name == name.lower() for name in (*table.names, *table.prefixes, *table.values))


LINKS = st.builds(
    lambda scheme, labels, path, query: f"{scheme}://{'.'.join(labels)}{path}{query}",
    st.sampled_from(["http", "https"]),
    st.lists(st.sampled_from(["www", "m", "amp", "news", "a-b", "co", "uk", "com", "example", "1"]), min_size=1),
    st.lists(st.sampled_from(["a", "amp", "x.amp", ".", "..", "~", "", "A_1.html", "%41"])).map(
        lambda parts: "".join(f"/{part}" for part in parts)
    ),
    st.lists(
        st.tuples(st.sampled_from(["b", "a", "utm_source", "AMP", "x.y", "id"]), st.sampled_from(["", "1", "amp", "~"]))
    ).map(lambda pairs: "?" * bool(pairs) + "&".join(f"{name}={value}" for name, value in pairs)),
)


@given(LINKS)
def test_the_short_way_for_simple_links_agrees_with_the_long_one(url: str) -> None:
    assert canonical_url(url) == canonical_of_any(url)
    assert registrable_domain(url) == registrable_domain(f"{url}#")
    assert is_web_url(url) == is_web_url(f"{url}#")
