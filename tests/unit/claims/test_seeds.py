"""The five seed articles, where they lie beside the repository: every labelled relation, and none invented."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import Gazetteer
from tieup.model.article import Article

SEEDS = Path(__file__).parents[4] / "shared" / "seeds"
GOLD = [json.loads(line) for line in (SEEDS / "gold.jsonl").read_text("utf-8").splitlines()] if SEEDS.is_dir() else []
AT = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.skipif(not GOLD, reason="the seeds are not there")
@pytest.mark.parametrize("row", GOLD, ids=[row["id"] for row in GOLD])
def test_seed_gives_its_relations_and_no_other(extractor: Extractor, gazetteer: Gazetteer, row: dict) -> None:
    text = (SEEDS / f"{row['id']}.txt").read_text("utf-8")
    found = extractor.extract(Article(row["id"], 1, row["title"], text, observed_at=AT, language=row["lang"])).relations
    by_parties = {frozenset(party.id for party in one.parties): one for one in found}
    allowed = set()
    for gold in row["relations"]:
        parties = frozenset(gazetteer.find_by_name(name).id for name in gold["parties"])
        allowed.add(parties)
        if gold["optional"]:
            continue
        for label in ("kind", "stage", "factuality", "focus"):
            accepted = [gold[label], *gold["accept"].get(label, [])]
            assert getattr(by_parties[parties], label) in accepted, (gold["parties"], label)
    assert set(by_parties) <= allowed
