"""Whose page is read: an entry that may state a tie but says too little to tell.

Many feeds give a headline and a sentence; who denies, and what of it, stands on the page. Asking for every page would
cost sites a request for each entry, most of them about something else.
"""

from collections.abc import Callable
from typing import Final

from tieup.articles.settings import ArticleSettings, FullText
from tieup.articles.urls import is_web_url
from tieup.claims.lexicon.load import Topic
from tieup.claims.reading import Sentence
from tieup.model.article import Article
from tieup.model.labels import Stage

_STAGES: Final = frozenset({Stage.TALKS, Stage.AGREED, Stage.ENDED})  # "active" has words of every factory


def page_wanted(article: Article, may_tie: Callable[[Article], bool], settings: ArticleSettings) -> bool:
    """Whether the article's page is to be read; `may_tie` is asked only where all else speaks for it.

    Not for the entries of a feed's first poll: a new feed would cost its site a burst of requests, for old news. Not
    for an excerpt: its fuller text is known, and its page asked for anew, by the owner of its feed.
    """
    if settings.full_text is FullText.NEVER or article.backfill or article.excerpt:
        return False
    if article.from_page or article.truncated:
        return False
    if article.feed_id is None or article.feed_domain is None or not is_web_url(article.url or ""):
        return False
    if len(article.text) >= settings.short_chars:
        return False
    return settings.full_text is FullText.ALWAYS or may_tie(article)


def speaks_of_tie(sentences: list[Sentence]) -> bool:
    """Whether a company is named, and a word for a sort of tie, or for talks, an agreement or an end, stands there."""
    named = any(sentence.mentions for sentence in sentences)
    return named and any(
        cue.topic is Topic.KIND or (cue.topic is Topic.STAGE and cue.label in _STAGES)
        for sentence in sentences
        for cue in sentence.cues
    )
