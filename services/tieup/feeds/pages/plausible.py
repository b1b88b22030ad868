"""Whether a page's text is the article's: consent walls, login walls, error pages and teasers are no articles. Pure."""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from tieup.companies.folding import fold, is_unspaced
from tieup.model.article import Article

MIN_SHARE: Final = 0.4
"""Of the entry's words that its page must hold. Entries are cut from their articles (then nearly all are there) or
written by the same desk of the same matter: names, numbers and nouns come again. A wall holds hardly any of them,
but for the headline, which is left out."""

_STEM: Final = 5  # letters that tell words apart, whatever their ending
_MIN_LETTERS: Final = 3
_WORD: Final = re.compile(r"\w+")


def is_about(article: Article, text: str) -> bool:
    """Whether a page's text tells of the article's matter and says more of it than its entry."""
    if len(text) <= len(article.text):
        return False
    told = words(f"{article.title}\n{article.text}")
    body = "\n".join(line for line in text.split("\n") if not _is_headline(line, article.title))
    return len(told & words(body)) >= MIN_SHARE * len(told)


def _is_headline(line: str, title: str) -> bool:
    """Whether a line is the title again: a wall bears it as an article does."""
    return len(line) <= 2 * len(title) and words(line) <= words(title)


def words(text: str) -> AbstractSet[str]:
    """Return the words of a text as far as they tell anything: folded, without endings; of Chinese and Japanese, which
    write no blanks, pairs of characters."""
    found: set[str] = set()
    for word in _WORD.findall(fold(text)):
        if any(map(is_unspaced, word)):
            found.update(word[at : at + 2] for at in range(len(word) - 1))
        elif len(word) >= _MIN_LETTERS:
            found.add(word[:_STEM])
    return found
