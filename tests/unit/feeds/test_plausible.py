"""Whether a page is the article's."""

import pytest
from tests.unit.feeds.paging import PAGE, TEXT, TITLE, article

from tieup.feeds.pages.plausible import is_about, words

WALL = "Log in or subscribe to go on reading on all devices, from three euros a month. " * 5


def test_the_article_itself_is() -> None:
    assert is_about(article(), PAGE)
    assert is_about(article(text=""), PAGE)


@pytest.mark.parametrize("text", ["", TEXT, WALL, f"{TITLE}\n{WALL}", f"News\n{TITLE} …\n{WALL}"])
def test_a_wall_is_not_even_under_the_headline(text: str) -> None:
    assert not is_about(article(), text)


def test_other_endings_are_the_same_words() -> None:
    one = article(title="Ford verhandelt mit chinesischen Partnern", text="Der Autobauer sucht Verbündete.")
    page = "Der amerikanische Autobauer Ford verhandelt seit Wochen mit einem chinesischen Partner. " * 2
    assert is_about(one, page)


def test_languages_without_blanks_are_read_by_pairs() -> None:
    one = article(title="本田と日産が提携を協議", text="両社は電気自動車の共同開発を検討している。")
    assert is_about(
        one,
        "本田技研工業と日産自動車は、電気自動車の共同開発に向けて提携を協議している。両社は来月にも発表する見通しだ。",
    )
    assert not is_about(
        one, "この記事は会員限定です。ログインまたは会員登録をすると続きをお読みいただけます。無料でお試しください。"
    )


def test_words_that_say_nothing_do_not_count() -> None:
    assert words("It is a BMW i4 - 4 of 10!") == {"bmw"}
