"""The extract worker: articles in, relations out, and the pages wanted of short ones. It holds no state."""

from collections.abc import Callable

from tieup.articles.pages import page_request
from tieup.articles.settings import ArticleSettings, FullText
from tieup.claims.extract import Extractor, is_published
from tieup.claims.wanted import page_wanted
from tieup.log.base import NOTHING, Change, NewRecord, Output, Record, Worker, WorkerSpec
from tieup.log.topics import ARTICLES, FETCH_REQUESTS, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import decode, encode

NAME = "extract"

NO_PAGES = ArticleSettings(full_text=FullText.NEVER)


class ExtractWorker:
    """Turns each article into the record of what it states.

    Articles without relations are dropped, unless they are edits: version 2 and later go out even when empty, so that
    what the former version stated can be taken back.
    """

    def __init__(self, extractor: Extractor, settings: ArticleSettings = NO_PAGES) -> None:
        self._extractor = extractor
        self._settings = settings

    def process(self, record: Record) -> Output:
        """Return the article's relations, keyed by its id, and perhaps the request for its page. Raises BadRecord."""
        article = decode(Article, record.value, record.place)
        found = self._extractor.extract(article)
        records = []
        if is_published(found.version, found.relations):
            key = article.id.encode("utf-8", "surrogatepass")
            records.append(NewRecord(RELATIONS, key, encode(found), record.timestamp))
        # What states a relation speaks of a tie: it need not be read for that once more.
        if page_wanted(article, lambda one: bool(found.relations) or self._extractor.may_tie(one), self._settings):
            records.append(page_request(article))
        return Output(records=tuple(records)) if records else NOTHING

    def apply(self, change: Change) -> None:
        """Take in nothing: there is no state."""

    def wake(self, now: object) -> Output:  # noqa: ARG002
        """Return NOTHING: there is no due work."""
        return NOTHING


def extract_spec(extractor: Callable[[], Extractor], settings: ArticleSettings = NO_PAGES) -> WorkerSpec:
    """Return the spec of the worker; `extractor` gives the shared one when the first task is built."""
    out = (RELATIONS,) if settings.full_text is FullText.NEVER else (RELATIONS, FETCH_REQUESTS)

    def build(partition: int) -> Worker:  # noqa: ARG001
        return ExtractWorker(extractor(), settings)

    return WorkerSpec(name=NAME, build=build, streams=(ARTICLES,), out=out)
