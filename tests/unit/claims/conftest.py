"""One gazetteer and one extractor for all tests of extraction; both are immutable."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import Gazetteer, load_gazetteer
from tieup.model.article import Article
from tieup.model.relation import Relation

AT = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def gazetteer() -> Gazetteer:
    return load_gazetteer()


@pytest.fixture(scope="session")
def extractor(gazetteer: Gazetteer) -> Extractor:
    return Extractor(gazetteer)


@pytest.fixture(scope="session")
def read(extractor: Extractor) -> Callable[..., list[Relation]]:
    """Extract from a title and a text; the relations in order."""

    def _read(title: str, text: str, language: str = "en", publisher: str | None = None) -> list[Relation]:
        article = Article("a", 1, title, text, observed_at=AT, published=AT, language=language, publisher=publisher)
        return list(extractor.extract(article).relations)

    return _read
