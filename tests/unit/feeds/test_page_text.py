"""A page's main text, and whether the page gives it."""

import pytest

from tieup.feeds.pages import text as page_text
from tieup.feeds.pages.text import MainText, main_text, withheld
from tieup.model.article import MAX_TEXT_CHARS
from tieup.model.codec import decode

SENTENCE = "Ford und Xiaomi verhandeln über ein Gemeinschaftsunternehmen in Köln, sagten zwei Personen am Montag."


@pytest.fixture(autouse=True)
def _unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is the worker processes'; it would hold for all later tests of this one."""
    monkeypatch.setattr(page_text, "bound_memory", lambda: None)


def page(*paragraphs: str, head: str = "") -> str:
    text = "".join(f"<p>{one}</p>" for one in paragraphs)
    return (
        f"<!doctype html><html><head>{head}<title>News</title></head><body><nav><a href='/'>Startseite</a></nav>"
        f"<article><h1>Ford und Xiaomi</h1>{text}</article><footer>Impressum</footer></body></html>"
    )


def read(body: bytes, content_type: str = "text/html", tag: str | None = None) -> MainText:
    return decode(MainText, main_text(body, content_type, tag), "test")


def test_the_text_without_what_stands_around_it() -> None:
    found = read(page(SENTENCE, SENTENCE.replace("Montag", "Dienstag")).encode())
    assert found.text.split("\n") == ["Ford und Xiaomi", SENTENCE, SENTENCE.replace("Montag", "Dienstag")]


@pytest.mark.parametrize(
    ("encoding", "content_type", "head"),
    [
        ("iso-8859-1", "text/html; charset=ISO-8859-1", ""),
        ("windows-1252", "text/html", "<meta charset=windows-1252>"),
        ("utf-8", "text/html", ""),
        ("utf-8-sig", "text/html; charset=iso-8859-1", ""),
    ],
)
def test_the_charset_is_the_headers_or_the_pages(encoding: str, content_type: str, head: str) -> None:
    assert "über ein" in read(page(SENTENCE, SENTENCE, head=head).encode(encoding), content_type).text


@pytest.mark.parametrize(
    "body", [b"", b"<", b"\0" * 1_000, b"<div>" * 50_000, b"<!--" * 9_000, "\ud800".encode("utf-8", "surrogatepass")]
)
def test_nonsense_has_no_text(body: bytes) -> None:
    assert read(body) == MainText("")


def test_a_long_text_is_cut() -> None:
    found = read(page(*(f"{SENTENCE} Teil {number}." for number in range(1_200))).encode())
    assert (len(found.text), found.truncated) == (MAX_TEXT_CHARS, True)


@pytest.mark.parametrize(
    ("head", "tag", "gone"),
    [
        ("", None, False),
        ('<meta name="robots" content="index, follow, max-image-preview:large">', None, False),
        ('<meta name="robots" content="noarchive">', None, True),
        ("<META CONTENT='NoSnippet,follow' NAME=Robots>", None, True),
        ('<meta name="googlebot" content="noarchive">', None, False),
        ('<meta name="tieup" content="noarchive">', None, True),
        ("", "noindex, noarchive", True),
        ("", "googlebot: noarchive", False),
        ("", "tieup: nosnippet", True),
    ],
)
def test_a_page_may_withhold_itself(head: str, tag: str | None, gone: bool) -> None:
    assert withheld(page(SENTENCE, head=head), tag) is gone
    assert read(page(SENTENCE, SENTENCE, head=head).encode(), tag=tag).withheld is gone
