"""The text of an article with its page: never less than its entry says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.normalize import content_hash
from tieup.articles.pages import MAX_SOUGHT, article_with_page, joined
from tieup.model.article import MAX_TEXT_CHARS, Article
from tieup.model.feed import PageText

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
PAGE = "Ford and Xiaomi are in talks.\nThey speak about cars."
ENTRY = Article("a" * 32, 3, "Ford and Xiaomi", "They speak about cars.", NOW, language="en", excerpt=True)
LINES = st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs", "Cc", "Z")), min_size=1))


def test_what_the_page_holds_is_said_once() -> None:
    for entry in (
        "",
        "They speak about cars.",
        "Ford and  Xiaomi are in talks.",
        "Ford and Xiaomi are in […]",
        "Ford …",
    ):
        assert joined(entry, PAGE) == PAGE


def test_what_only_the_entry_says_stands_first() -> None:
    assert joined("Ford denies it.\nThey speak about cars.", PAGE) == f"Ford denies it.\n{PAGE}"


@given(LINES, LINES)
def test_nothing_of_either_is_lost(entry: list[str], page: list[str]) -> None:
    text = joined("\n".join(entry), "\n".join(page))
    assert text.endswith("\n".join(page))
    held = " ".join(text.split())
    assert all(" ".join(line.split()).rstrip(" .…[]()>»") in held for line in entry)


def test_the_version_with_the_page_keeps_the_entrys_title_and_tells_when_it_was_read() -> None:
    later = NOW + timedelta(seconds=4)
    whole = article_with_page(ENTRY, PageText(PAGE, later))
    assert (whole.title, whole.text, whole.observed_at) == (ENTRY.title, PAGE, later)
    assert (whole.from_page, whole.excerpt, whole.truncated) == (True, False, False)
    assert whole.content_hash == content_hash(ENTRY.title, PAGE)


def test_the_language_is_decided_by_the_longer_text() -> None:
    german = "Ford und Xiaomi verhandeln über ein Gemeinschaftsunternehmen, sagten zwei Personen am Montag in Köln."
    assert article_with_page(ENTRY, PageText(german, NOW)).language == "de"


def test_the_text_keeps_its_bound() -> None:
    whole = article_with_page(ENTRY, PageText("x" * MAX_TEXT_CHARS, NOW))
    assert (len(whole.text), whole.truncated) == (MAX_TEXT_CHARS, True)
    assert whole.text.startswith(ENTRY.text)


def test_of_an_entry_of_countless_lines_none_is_lost_to_its_page() -> None:
    page = "First.\nIn the middle of a line.\nLast."
    entry = ["First.", "In the middle", *(f"Own {number}." for number in range(MAX_SOUGHT)), "Last.", "Ford denies it."]
    assert joined("\n".join(entry), page).split("\n") == [
        *(f"Own {number}." for number in range(MAX_SOUGHT)),
        "Ford denies it.",
        *page.split("\n"),
    ]
