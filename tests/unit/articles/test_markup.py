"""What the short way says of simple markup is what the parser says of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.articles.html import parsed_text, tidy
from tieup.articles.markup import quick_text

NAMES = st.sampled_from(["p", "br", "div", "ul", "li", "a", "b", "span", "h2", "h3", "blockquote", "section", "img"])
TEXTS = st.sampled_from(
    ["x", "word ", " ", "Ä", "&amp;", "&nbsp;", "&#8364;", "&#x41;", "& ", "&amp", "&notit;", "&x;"]
)
LOOSE = st.lists(
    st.one_of(
        TEXTS,
        NAMES.map(lambda name: f"<{name}>"),
        NAMES.map(lambda name: f"</{name}>"),
        st.sampled_from(["<br/>", "<div/>", '<a href="u?a=1&amp;b">', "<a href='x>y'>", "<table>", "<td>", "<hr>"]),
        st.sampled_from(
            ["<!--x-->", "<", "</", "<p", "<script>", "<a b'=\"c'>d\">", "<P CLASS=x>", "<select>", "&#0;"]
        ),
        st.sampled_from(["<br\x0bid>", "<p\x0c class=x >", "<p class\x0b='x'>", "<b\xa0c>", "<i x=\x0by>", "<p/x>"]),
    ),
    max_size=12,
).map("".join)
NESTED = st.recursive(
    TEXTS,
    lambda inner: st.builds(
        lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", NAMES.filter(lambda n: n != "br"), st.lists(inner)
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(st.one_of(LOOSE, NESTED))
def test_it_says_what_the_parser_says_or_nothing(html: str) -> None:
    found = quick_text(html)
    assert found is None or tidy(found) == tidy(parsed_text(html))


@pytest.mark.parametrize(
    "html",
    [
        "<p>Ford &amp; BYD</p><p>two<br>three</p>",
        '<div class="a"><a href="https://a.example/?a=1&amp;b=2" rel=nofollow>link</a> <img src=\'x\' /> tail</div>',
        "<ul><li>a</li><li><b>b</b></li></ul>",
        "<p>one<p>two",
    ],
)
def test_it_reads_what_feeds_are_made_of(html: str) -> None:
    assert quick_text(html) is not None


@pytest.mark.parametrize(
    "html",
    [
        "x</div>y",
        "<li>a<li>b",
        "<table><tr><td>1</td></tr></table>",
        "<script>x</script>",
        "a < b",
        "&notit;",
        "&#128;",
        "<h1>a<h2>b</h2></h1>",
        "<ul><li><div><li>x</li></div></li></ul>",
        "<!-- x -->",
        "<div>",
        "<br></br>",
        "a<br\x0bid='x'>b",
    ],
)
def test_it_leaves_the_rest_to_the_parser(html: str) -> None:
    assert quick_text(html) is None


def test_hostile_markup_costs_no_more_than_its_length() -> None:
    for html in ("<a x" + " " * 1_000_000, "<a " + "x " * 500_000, "<" * 1_000_000, "<a x=" * 200_000, "&" * 1_000_000):
        assert quick_text(html) is None
