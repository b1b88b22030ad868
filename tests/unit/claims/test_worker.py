"""The extract worker: which articles become records, where and when."""

from dataclasses import replace

import pytest
from tests.unit.claims.conftest import AT

from tieup.claims.extract import Extractor
from tieup.claims.worker import ExtractWorker, extract_spec
from tieup.errors import BadRecord
from tieup.log.base import NOTHING, Record
from tieup.log.topics import ARTICLES, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import decode, encode
from tieup.model.relation import ArticleRelations

TOLD = Article("a1", 1, "Ford and Geely form a joint venture", "", observed_at=AT, language="en")
OTHER = replace(TOLD, id="a2", title="Ford presents a new van")


def record(article: Article) -> Record:
    return Record(ARTICLES, 2, 7, article.id.encode(), encode(article), timestamp=1_000)


@pytest.fixture(scope="module")
def worker(extractor: Extractor) -> ExtractWorker:
    return ExtractWorker(extractor)


def test_article_with_a_relation_becomes_a_record(worker: ExtractWorker) -> None:
    (out,) = worker.process(record(TOLD)).records
    assert (out.topic, out.key, out.timestamp, out.partition) == (RELATIONS, b"a1", 1_000, None)
    found = decode(ArticleRelations, out.value, "test")
    assert [party.id for party in found.relations[0].parties] == ["ford", "geely"]


def test_other_news_is_dropped(worker: ExtractWorker) -> None:
    assert worker.process(record(OTHER)) == NOTHING


def test_edit_goes_out_even_when_it_states_nothing(worker: ExtractWorker) -> None:
    (out,) = worker.process(record(replace(OTHER, version=2))).records
    assert decode(ArticleRelations, out.value, "test").relations == ()


def test_same_record_gives_the_same_bytes(worker: ExtractWorker) -> None:
    assert worker.process(record(TOLD)) == worker.process(record(TOLD))


def test_poison_is_refused(worker: ExtractWorker) -> None:
    with pytest.raises(BadRecord, match=r"tieup.articles.v1\[0\]@3"):
        worker.process(Record(ARTICLES, 0, 3, b"a", b"{}", timestamp=0))


def test_spec_reads_articles_and_shares_the_extractor(extractor: Extractor) -> None:
    spec = extract_spec(lambda: extractor)
    assert (spec.name, spec.streams, spec.state, spec.wakes) == ("extract", (ARTICLES,), (), False)
    assert spec.build(0).wake(AT) == NOTHING
