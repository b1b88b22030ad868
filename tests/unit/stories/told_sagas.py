"""Real sagas retold: articles in order, each with the changes that it is the first to tell; and what was alerted."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tieup.claims.extract import Extractor
from tieup.companies.gazetteer import Gazetteer
from tieup.ids import derive_id
from tieup.log.base import Record
from tieup.log.topics import EVENTS, RELATIONS
from tieup.model.article import Article
from tieup.model.codec import encode, to_millis
from tieup.stories.worker import StoryWorker

FOLDER = Path(__file__).parents[2] / "data" / "sagas"


@dataclass
class Tally:
    """True changes that were alerted, missed ones, and alerts that were false or repeated."""

    alerted: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def share_alerted(self) -> float:
        return self.alerted / (self.alerted + len(self.missed))

    @property
    def share_wrong(self) -> float:
        return len(self.wrong) / (self.alerted + len(self.wrong))


def articles() -> Iterator[tuple[str, dict[str, Any]]]:
    """All articles of all sagas in the order in which they come: as they were published, but for those with another
    `observed`. With `edits`, the number of an earlier article of the saga, one is a new version of that article.
    """
    rows = [
        (path.stem, at, row | {"observed": row.get("observed", row["published"])})
        for path in sorted(FOLDER.glob("*.toml"))
        for at, row in enumerate(tomllib.loads(path.read_text("utf-8"))["articles"])
    ]
    versions: Counter[str] = Counter()
    for saga, at, row in sorted(rows, key=lambda each: (each[2]["observed"], each[0], each[1])):
        url = f"https://news.example/{saga}/{row.get('edits', at)}"
        versions[url] += 1
        yield saga, row | {"id": f"{saga}/{at}", "url": url, "version": versions[url]}


def tell(gazetteer: Gazetteer) -> Tally:
    """Take all sagas through extraction and stories in one stream, and compare the events with the true changes.

    A change counts as alerted if an event of one of its types tells it of its parties, by the article that it belongs
    to or by a later one of its saga; any other event is wrong.
    """
    extractor, worker, tally = Extractor(gazetteer), StoryWorker(gazetteer), Tally()
    owed: list[tuple[str, str, set[str], set[str]]] = []
    for saga, row in articles():
        owed += [
            (saga, row["id"], {_key(name, gazetteer) for name in change["parties"]}, set(change["types"]))
            for change in row.get("changes", [])
        ]
        for event in _events(worker, extractor.extract(_article(row))):
            found = next((one for one in owed if one[0] == saga and _fits(event, one[2], one[3], gazetteer)), None)
            if found is None:
                tally.wrong.append(f"{row['id']}: {event['type']}: {event['headline']['en']}")
            else:
                owed.remove(found)
                tally.alerted += 1
    tally.missed = [f"{article}: {' or '.join(sorted(types))}" for _, article, _, types in owed]
    return tally


def _events(worker: StoryWorker, found: Any) -> list[dict[str, Any]]:
    if not found.relations and found.version == 1:
        return []
    record = Record(RELATIONS, 0, 0, found.article_id.encode(), encode(found), to_millis(found.observed_at))
    output = worker.process(record)
    for change in output.changes:
        worker.apply(change)
    return [orjson.loads(new.value or b"") for new in output.records if new.topic == EVENTS]


def _fits(event: dict[str, Any], parties: set[str], types: set[str], gazetteer: Gazetteer) -> bool:
    told = {_key(party["name"], gazetteer) for party in event["parties"]}
    return parties <= told and event["type"].removeprefix("story.") in types


def _key(name: str, gazetteer: Gazetteer) -> str:
    company = gazetteer.find_by_name(name)
    return name.casefold() if company is None else company.id


def _article(row: dict[str, Any]) -> Article:
    url: str = row["url"]
    return Article(
        id=derive_id("article", url),
        version=row["version"],
        title=row["title"],
        text=row["text"],
        observed_at=row["observed"],
        url=url,
        canonical_url=url,
        publisher=row["publisher"],
        domain="news.example",
        language=row["language"],
        published=row["published"],
        content_hash=derive_id(row["title"], row["text"]),
    )
