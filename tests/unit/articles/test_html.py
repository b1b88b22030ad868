from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.html import plain_text, tidy

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
