"""The extract worker: articles in, relations out. It holds no state."""

from collections.abc import Callable

from tieup.claims.extract import Extractor, is_published
from tieup.log.base import NOTHING, Change, NewRecord, Output, Record, Worker, WorkerSpec
from tieup.log.topics import ARTICLES, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import decode, encode

NAME = "extract"


class ExtractWorker:
    """Turns each article into the record of what it states.

    Articles without relations are dropped, unless they are edits: version 2 and later go out even when empty, so that
    what the former version stated can be taken back.
    """

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def process(self, record: Record) -> Output:
        """Return the article's relations, keyed by its id, at the input's time. Raises BadRecord."""
        article = decode(Article, record.value, record.place)
        found = self._extractor.extract(article)
        if not is_published(found.version, found.relations):
            return NOTHING
        key = article.id.encode("utf-8", "surrogatepass")
        return Output(records=(NewRecord(RELATIONS, key, encode(found), record.timestamp),))

    def apply(self, change: Change) -> None:
        """Take in nothing: there is no state."""

    def wake(self, now: object) -> Output:  # noqa: ARG002
        """Return NOTHING: there is no due work."""
        return NOTHING


def extract_spec(extractor: Callable[[], Extractor]) -> WorkerSpec:
    """Return the spec of the worker; `extractor` gives the shared one when the first task is built."""

    def build(partition: int) -> Worker:  # noqa: ARG001
        return ExtractWorker(extractor())

    return WorkerSpec(name=NAME, build=build, streams=(ARTICLES,), out=(RELATIONS,))
