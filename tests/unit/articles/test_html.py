import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.html import MAX_TAGS, is_too_dear, parsed_text, plain_text, stripped_text, tidy

TAGS = st.sampled_from(
    ["<p>", "</p>", "<b>", "</div>", "<div>", "<script>", "<!--", "<td>", "<br/>", "&amp;", "&#xD800;"]
)


@given(st.lists(st.one_of(TAGS, st.text()), max_size=30).map("".join))
def test_any_text_gives_clean_lines(html: str) -> None:
    text = plain_text(html)
    text.encode()
    assert text == tidy(text)
    assert "\x00" not in text


def test_blocks_break_lines_and_inline_tags_do_not() -> None:
    html = "<p>Ford<b>-X</b>iaomi &amp; BYD</p><div>two</div>tail<ul><li>a<li>b</ul>c<br>d"
    assert plain_text(html) == "Ford-Xiaomi & BYD\ntwo\ntail\na\nb\nc\nd"


def test_cells_are_kept_apart() -> None:
    assert plain_text("<table><tr><td>1</td><td>2</td></tr><tr><th>3</th></tr></table>") == "1 2\n3"


def test_what_no_reader_sees_is_dropped() -> None:
    scripts = "<script>alert(1)</script><style>p{}</style><noscript>n</noscript>"
    html = f"<head><title>t</title></head>{scripts}se\u00aden<!-- x -->"
    assert plain_text(html) == "seen"


def test_source_line_breaks_are_blanks() -> None:
    assert plain_text("<p>one\n  two\r\nthree</p>") == "one two three"


def test_entities_are_read_once() -> None:
    assert plain_text("a &amp;lt; b &nbsp; &euro;5") == "a &lt; b €5"


def test_thousands_of_nested_blocks_need_no_stack() -> None:
    assert plain_text("<div>" * 50_000 + "deep") == "deep"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * (MAX_TAGS + 1),
        "<ul><li>" * MAX_TAGS + "</p>" * MAX_TAGS,
        "<p>" + "".join(f"<font color={number}>" for number in range(1_000)) + "<p>x" * 1_000,
        "<p>" + "".join(f"<A\nhref={number}>" for number in range(1_000)) + "<!--</a>--><p>x" * 1_000,
    ],
)
def test_what_might_cost_a_parser_seconds_or_gigabytes_is_stripped_without_one(html: str) -> None:
    assert is_too_dear(html)
    assert plain_text(html) == tidy(stripped_text(html))


@pytest.mark.parametrize("html", ["<p>x</p>" * 4_000, "<p><a href=x>y</a></p>" * 240, "<b>x" * 5_000, "<" * 999])
def test_what_is_merely_long_is_parsed(html: str) -> None:
    assert not is_too_dear(html)


def test_what_is_stripped_reads_as_what_is_parsed() -> None:
    html = (
        "<head><title>t</title></head><p class='a'>Ford<b>-X</b>iaomi &amp; BYD&#8364;&nbsp;1</p><!-- <p>no --><script>"
        "if (a<b) x</script><style>p{}</style>two<br/>three<table><tr><td>1</td><td>2</td></tr></table><noscript>n"
        "</noscript>&notanentity; &#xD800;<ul><li>a</li><li>b</li></ul>"
    )
    assert tidy(stripped_text(html)) == tidy(parsed_text(html))


@given(st.lists(st.one_of(TAGS, st.text()), max_size=30).map("".join))
def test_stripping_takes_anything(html: str) -> None:
    tidy(stripped_text(html)).encode()


def test_stripping_costs_no_more_than_the_length() -> None:
    for piece in ("<", "<!--", "<a ", "<script>", "&#", "</", "<!", "&#x1", "<a '"):
        stripped_text(piece * (1_000_000 // len(piece)))
