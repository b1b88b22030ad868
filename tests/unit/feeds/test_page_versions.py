"""The versions of articles whose pages were read: counted by one record, without gaps, over edits and restarts."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.feeds.paging import PAGE, TEXT, TITLE, answer, article, articles, requests

from tieup.articles.normalize import content_hash
from tieup.articles.settings import ArticleSettings, FullText
from tieup.errors import StateVersionError
from tieup.feeds.pages.versions import PageVersions, Remembered
from tieup.log.base import NOTHING, Output
from tieup.log.topics import PAGES
from tieup.model.article import Article
from tieup.model.feed import SeenEntry

ONE = article()


def remembered(one: Article) -> Remembered:
    return Remembered(SeenEntry(one.id, content_hash(one.title, one.text), one.version), one.version)


def take(versions: PageVersions, output: Output) -> Output:
    for change in output.changes:
        assert change.topic == PAGES
        versions.apply(change.key.decode(), change.value)
    return output


@pytest.fixture
def versions() -> PageVersions:
    return PageVersions(ArticleSettings(), 24)


def answered(versions: PageVersions, one: Article, text: str = PAGE) -> list[Article]:
    return articles(take(versions, versions.answered(answer(one, text), one, remembered(one))))


def edited(versions: PageVersions, one: Article) -> tuple[list[Article], list[Article | None]]:
    output = take(versions, versions.published([one]))
    return articles(output), [asked.article for asked in requests(output)]


def test_articles_without_a_page_go_out_as_they_are(versions: PageVersions) -> None:
    assert edited(versions, ONE) == ([ONE], [])


def test_a_page_is_the_next_version_once(versions: PageVersions) -> None:
    (whole,) = answered(versions, ONE)
    assert (whole.version, whole.changed, whole.from_page, whole.title) == (2, ("text",), True, TITLE)
    assert answered(versions, ONE) == [], "the same answer again"
    assert len(versions) == 1


def test_an_edit_goes_out_as_an_excerpt_and_asks_for_its_page(versions: PageVersions) -> None:
    answered(versions, ONE)
    edit = article(version=2, title="Ford denies talks with Xiaomi", changed=("title",))
    (told,), (asked,) = edited(versions, edit)
    assert told == asked == replace(edit, version=3, excerpt=True)
    assert told.text == TEXT
    (whole,) = answered(versions, told)
    assert (whole.version, whole.excerpt, whole.title) == (4, False, edit.title)


def test_a_page_of_an_older_version_comes_to_nothing(versions: PageVersions) -> None:
    newer = Remembered(SeenEntry(ONE.id, ONE.content_hash, 2), 2)
    assert versions.answered(answer(ONE), ONE, newer) == NOTHING, "another feed's edit is out"
    answered(versions, ONE)
    (told,), _ = edited(versions, article(version=2, title="Ford denies"))
    assert answered(versions, replace(told, version=2)) == []
    assert len(answered(versions, told)) == 1


def test_a_page_that_says_nothing_new_is_no_version(versions: PageVersions) -> None:
    assert answered(versions, ONE, TEXT) == []
    assert len(answered(versions, article(text="Ford and Xiaomi are in talks …"))) == 1
    (told,), _ = edited(versions, article(version=2, text="The two carmakers speak about a joint venture […]"))
    assert answered(versions, told) == []


def test_what_its_feed_forgot_gets_no_version(versions: PageVersions) -> None:
    assert versions.answered(answer(ONE), ONE, Remembered(None, 0)) == NOTHING


def test_an_edit_as_long_as_the_page_is_a_whole_text(versions: PageVersions) -> None:
    answered(versions, ONE)
    (told,), asked = edited(versions, article(version=2, text=PAGE * 3))
    assert (told.version, told.excerpt, asked) == (3, False, [])
    (again,), _ = edited(versions, article(version=3, text=PAGE))
    assert again.excerpt, "shorter than the fullest again"


def test_where_pages_are_not_read_an_edit_asks_for_none(versions: PageVersions) -> None:
    never = PageVersions(ArticleSettings(full_text=FullText.NEVER), 24)
    take(never, versions.answered(answer(ONE), ONE, remembered(ONE)))
    (told,), asked = edited(never, article(version=2, title="Ford denies"))
    assert (told.version, told.excerpt, asked) == (3, True, [])


def test_an_article_is_forgotten_when_no_feed_remembers_it(versions: PageVersions) -> None:
    answered(versions, ONE)
    seen = [SeenEntry(ONE.id, ONE.content_hash, 1)]

    def nowhere(_: str) -> Sequence[SeenEntry]:
        return ()

    assert versions.forgotten([], nowhere) == ()
    assert versions.forgotten(["e" * 32], nowhere) == ()
    assert versions.forgotten([ONE.id], lambda _: seen) == (), "another feed of the site has it still"
    take(versions, Output(changes=versions.forgotten([ONE.id], nowhere)))
    assert len(versions) == 0
    assert edited(versions, ONE) == ([ONE], [])


@pytest.mark.parametrize("value", [b"{}", b"nonsense", b'{"state_version": 2}'])
def test_a_record_of_another_version_is_refused(versions: PageVersions, value: bytes) -> None:
    with pytest.raises(StateVersionError, match=PAGES):
        versions.apply("k", value)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=30))
def test_versions_rise_by_one_to_their_bound(steps: list[tuple[bool, int]]) -> None:
    """Whatever comes, edits and pages, fresh or late: each version is one more than the last, none is given twice."""
    versions = PageVersions(ArticleSettings(), 8)
    newest, out, told = ONE, [1], [ONE]
    answered(versions, ONE) and out.append(2)
    for is_edit, number in steps:
        if is_edit:
            found, _ = edited(versions, article(version=newest.version, title=f"Title {number}"))
        else:
            found = answered(versions, told[-min(number, len(told))], PAGE + f" Part {number}.")
        told += [one for one in found if not one.from_page]
        out += [one.version for one in found]
    assert out == list(range(1, len(out) + 1))
    assert len(out) <= 8
