import httpx
from hypothesis import given
from hypothesis import strategies as st

from tieup.outside.transport import _PLAIN_URL

PIECES = [
    "a",
    "Z",
    "9",
    ".",
    "-",
    "_",
    "~",
    "/",
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
    "$",
    "#",
    "[",
    "\\",
]


@given(
    st.sampled_from(["a.example", "A.example", "127.0.0.1", "[::1]"]), st.lists(st.sampled_from(PIECES), max_size=12)
)
def test_a_plain_url_is_one_that_httpx_sends_as_it_stands(host: str, pieces: list[str]) -> None:
    url = f"http://{host}:8080/{''.join(pieces)}"
    if _PLAIN_URL.fullmatch(url):
        assert str(httpx.URL(url)) == url


def test_most_urls_of_feeds_are_plain() -> None:
    for url in ("https://www.news.example/rss/feed.xml?format=xml&id=1", "http://127.0.0.1:81/f", "https://a.example/"):
        assert _PLAIN_URL.fullmatch(url)
