"""What the tests that fetch share."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.feed_server import FeedServer, feed_server
from tests.fetching import Fetching
from tests.integration.desk import Desk

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import load_gazetteer


@pytest.fixture
async def served() -> AsyncIterator[FeedServer]:
    """A server on loopback that answers as a test says."""
    async with feed_server() as server:
        yield server


@pytest.fixture(scope="session")
def extractor() -> Extractor:
    """Extraction with the bundled gazetteer."""
    return Extractor(load_gazetteer())


@pytest.fixture
async def desk(tmp_path: Path, extractor: Extractor, served: FeedServer) -> Desk:
    """The first poll is done: the entries of later ones are news."""
    hosts = dict.fromkeys(("news.example", "www.news.example", "pages.example"), served.place)
    service = Fetching(tmp_path / "log.db", extractor=extractor, partitions=4)
    service.settings = replace(service.settings, allow_private=False, hosts=hosts, host_rate=0)
    made = Desk(service, served)
    await made.begin()
    return made
