import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.errors import FetchError
from tieup.outside.transport import _PLAIN_URL, new_request

PIECES = [
    *(
        "a",
        "Z",
        "9",
        ".",
        "..",
        "-",
        "_",
        "~",
        "/",
        "/../",
        "?",
        "&",
        "=",
        "%C3%BC",
        "%2f",
        "%",
        "'",
        '"',
        "(",
        "é",
        "+",
    ),
    *("$", "#", "[", "\\"),
]
HOSTS = ["a.example", "A.example", "127.0.0.1", "[::1]", "xn--a.example", "a.xn--p1ai", "a..b", "xn--", "a_b", "-"]


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(HOSTS),
    st.sampled_from(["", ":8080", ":80", ":443", ":080", ":0"]),
    st.lists(st.sampled_from(PIECES), max_size=12),
)
def test_a_plain_url_is_one_that_httpx_sends_as_it_stands(scheme: str, host: str, port: str, pieces: list[str]) -> None:
    url = f"{scheme}://{host}{port}/{''.join(pieces)}"
    if _PLAIN_URL.fullmatch(url):
        assert str(httpx.Request("GET", url).url) == url


@pytest.mark.parametrize(
    "url", ["http://a.example/a/../b", "http://a.example/..", "http://a.example/./?x", "https://a.example:443/"]
)
def test_what_httpx_would_mend_is_not_plain(url: str) -> None:
    assert not _PLAIN_URL.fullmatch(url)


@pytest.mark.parametrize("url", ["http://xn--a.example/", "http://a\n.example/", "http://a.example:x/"])
def test_what_httpx_cannot_take_fails_as_a_request_does(url: str) -> None:
    with pytest.raises(FetchError, match="not a URL that can be asked"):
        new_request("GET", url, (), {})


def test_most_urls_of_feeds_are_plain() -> None:
    for url in ("https://www.news.example/rss/feed.xml?format=xml&id=1", "http://127.0.0.1:81/f", "https://a.example/"):
        assert _PLAIN_URL.fullmatch(url)
