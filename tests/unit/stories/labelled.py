"""Labelled articles as relation records: stories can be judged without extraction."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tieup.articles.signature import sign
from tieup.companies.gazetteer import Gazetteer
from tieup.companies.matcher import Matcher
from tieup.ids import derive_id
from tieup.log.base import Record
from tieup.log.topics import RELATIONS
from tieup.model.codec import encode, to_millis
from tieup.model.labels import Basis, EndedAs, Factuality, Focus, Kind, Milestone, SpeakerType, Stage, Stance, Target
from tieup.model.relation import ArticleRelations, Claim, Evidence, Part, Party, Relation, Span

DEV = Path(__file__).parents[2] / "data" / "gold" / "dev.jsonl"
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


def rows() -> list[dict[str, Any]]:
    """The relevant articles in order of publication; one without date keeps its place after the one before it."""
    found = [row for row in map(orjson.loads, DEV.read_bytes().splitlines()) if row["relations"]]
    seen, dated = UNDATED, []
    for row in found:
        seen = published(row["published"]) or seen
        dated.append((seen, row | {"seen": seen}))
    return [row for _, row in sorted(dated, key=lambda pair: pair[0])]


def published(text: str | None) -> datetime | None:
    if text is None:
        return None
    padded = text + "-01" * (2 - text.count("-")) if text.count("-") < 2 else text
    return datetime.fromisoformat(padded).replace(tzinfo=UTC)


def article_relations(row: dict[str, Any], gazetteer: Gazetteer, matcher: Matcher) -> ArticleRelations:
    titled = {mention.company_id for mention in matcher.find(row["title"])}
    return ArticleRelations(
        article_id=derive_id(row["id"]),
        version=1,
        title=row["title"],
        observed_at=row["seen"],
        event_time=published(row["published"]) or row["seen"],
        published=published(row["published"]),
        relations=tuple(
            relation(one, gazetteer, titled) for one in sorted(row["relations"], key=lambda one: place(row, one))
        ),
        signature=sign(row["text"], row["title"]),
        language=row["lang"],
        url=row["url"],
    )


def place(row: dict[str, Any], one: dict[str, Any]) -> int:
    """Where the relation's evidence stands, title first; relations are then in the order of the text."""
    at = f"{row['title']}\n{row['text']}".find(one["evidence"])
    return at if at >= 0 else len(row["text"])


def relation(one: dict[str, Any], gazetteer: Gazetteer, titled: set[str]) -> Relation:
    parties = tuple(
        Party(name, company.id if (company := gazetteer.find_by_name(name)) else None) for name in one["parties"]
    )
    return Relation(
        parties=parties,
        kind=Kind(one["kind"]),
        stage=Stage(one["stage"]),
        factuality=Factuality(one["factuality"]),
        basis=Basis(one["basis"]),
        focus=Focus(one["focus"]),
        binding=one["binding"],
        milestones=tuple(map(Milestone, one["milestones"])),
        ended_as=one["ended_as"] and EndedAs(one["ended_as"]),
        claims=tuple(claim(one, spoken, gazetteer) for spoken in one["claims"]),
        origin=one["origin"],
        evidence=(Evidence("relation", Part.TEXT, 0, 1, one["evidence"]),),
        in_title=len({party.id for party in parties} & titled) > 1,
    )


def claim(one: dict[str, Any], spoken: dict[str, str], gazetteer: Gazetteer) -> Claim:
    company = gazetteer.find_by_name(spoken["speaker"])
    return Claim(
        speaker=spoken["speaker"],
        speaker_type=SpeakerType(spoken["speaker_type"]),
        stance=Stance(spoken["stance"]),
        target=Target(spoken["target"]),
        span=Span(Part.TEXT, 0, len(one["evidence"]), one["evidence"]),
        company_id=company.id if company else None,
    )


def record(found: ArticleRelations, offset: int) -> Record:
    at = to_millis(found.observed_at)
    return Record(RELATIONS, 0, offset, found.article_id.encode(), encode(found), at)


def records(gazetteer: Gazetteer) -> Iterator[tuple[dict[str, Any], Record]]:
    matcher = Matcher(gazetteer)
    for offset, row in enumerate(rows()):
        yield row, record(article_relations(row, gazetteer, matcher), offset)
