"""Articles and relations in few words, and a small gazetteer."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tieup.articles.signature import sign
from tieup.companies.company import Company, NameRules
from tieup.companies.gazetteer import Gazetteer
from tieup.ids import derive_id
from tieup.log.base import NewRecord, Output, Record
from tieup.log.topics import ASSIGNMENTS, CORRECTIONS, EVENTS, RELATIONS, STORIES
from tieup.model.codec import encode, to_millis
from tieup.model.labels import Basis, Factuality, Focus, Kind, SpeakerType, Stage, Stance, Target
from tieup.model.relation import ArticleRelations, Claim, Evidence, Part, Party, Relation, Span
from tieup.model.story import Action, Correction
from tieup.stories.worker import StoryWorker

START = datetime(2026, 2, 1, tzinfo=UTC)
NAMES = {
    "ford": ("Ford", None),
    "xiaomi": ("Xiaomi", None),
    "byd": ("BYD", None),
    "catl": ("CATL", None),
    "baic": ("BAIC", None),
    "bluepark": ("BluePark", "baic"),
    "faw": ("FAW", None),
    "volkswagen": ("Volkswagen", None),
    "audi": ("Audi", "volkswagen"),
    "skoda": ("Skoda", "volkswagen"),
    "bosch": ("Bosch", None),
    "renault": ("Renault", None),
    "nissan": ("Nissan", None),
}
GAZETTEER = Gazetteer(
    {key: Company(key, name, (), "DE", ("maker",), True, parent) for key, (name, parent) in NAMES.items()},
    NameRules((), (), (), (), (), (), (), ()),
)


def claim(
    speaker: str, stance: str = "asserts", target: str = "talks", speaker_type: str | None = None, quote: str = "words"
) -> Claim:
    company = GAZETTEER.find_by_name(speaker)
    kind = speaker_type or ("party" if company else "anonymous" if speaker == "anonymous" else "medium")
    span = Span(Part.TEXT, 0, len(quote), quote)
    return Claim(speaker, SpeakerType(kind), Stance(stance), Target(target), span, company.id if company else None)


def denies(speaker: str, target: str = "talks") -> Claim:
    return claim(speaker, "denies", target)


def relation(*parties: str, **given: Any) -> Relation:
    """A relation of companies given by name; by default a reported joint venture in talks."""
    labels: dict[str, Any] = {
        "kind": Kind.JOINT_VENTURE,
        "stage": Stage.TALKS,
        "factuality": Factuality.REPORTED,
        "basis": Basis.ANONYMOUS,
        "focus": Focus.NEWS,
        "evidence": (Evidence("relation", Part.TEXT, 0, 5, "words"),),
    } | given
    known = [GAZETTEER.find_by_name(name) for name in parties]
    named = tuple(Party(name, one.id if one else None) for name, one in zip(parties, known, strict=True))
    return Relation(parties=named, **labels)


def article(name: str, *relations: Relation, day: float = 0, **given: Any) -> ArticleRelations:
    """An article, `day` days after the start; its text is its own, so that it copies nothing unless told to."""
    at = START + timedelta(days=day)
    text = given.pop("text", " ".join(derive_id(name, str(at)) for at in range(40)))
    values: dict[str, Any] = {
        "article_id": derive_id(name),
        "version": 1,
        "title": name,
        "observed_at": at,
        "event_time": at,
        "published": at,
        "relations": relations,
        "signature": sign(text, name),
        "language": "en",
        "url": f"https://news.example/{name}",
        "publisher": "News",
    } | given
    return ArticleRelations(**values)


def record(found: ArticleRelations, offset: int = 0) -> Record:
    at = to_millis(found.observed_at)
    return Record(RELATIONS, 0, offset, found.article_id.encode(), encode(found), at)


def correction(story_id: str, action: Action, *articles: ArticleRelations, into: str | None = None) -> Correction:
    ids = tuple(one.article_id for one in articles)
    own = derive_id("correction", story_id, action, *ids, into or "")
    return Correction(own, story_id, action, into, ids, "a mistake", "anna", START + timedelta(days=10))


def corrected(one: StoryWorker, given: Correction) -> Output:
    return take(one, Record(CORRECTIONS, 0, 0, given.story_id.encode(), encode(given), to_millis(given.at)))


def worker() -> StoryWorker:
    return StoryWorker(GAZETTEER, code_version="1", data_version="1")


def feed(one: StoryWorker, *articles: ArticleRelations) -> list[dict[str, Any]]:
    """Take the articles in and return the events."""
    return [event for found in articles for event in events(take(one, record(found)))]


def take(one: StoryWorker, given: Record) -> Output:
    output = one.process(given)
    for change in output.changes:
        one.apply(change)
    return output


def events(output: Output) -> list[dict[str, Any]]:
    return [orjson.loads(new.value or b"") for new in output.records if new.topic == EVENTS]


def types(found: Iterable[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("story.") for event in found]


def fields(event: dict[str, Any]) -> set[str]:
    return {change["field"] for change in event["changes"]}


def written(outputs: Sequence[Output]) -> list[tuple[str, bytes, bytes | None]]:
    """All that a worker wrote, byte for byte."""
    return [
        *((new.topic, new.key, new.value) for output in outputs for new in output.records),
        *((change.topic, change.key, change.value) for output in outputs for change in output.changes),
    ]


def compacted(outputs: Sequence[Output]) -> dict[tuple[str, bytes], bytes | None]:
    """The newest value of each key of the state, as a compacted topic keeps it."""
    found: dict[tuple[str, bytes], bytes | None] = {}
    for output in outputs:
        for change in output.changes:
            assert change.topic in {STORIES, ASSIGNMENTS}
            found.pop((change.topic, change.key), None)
            found[change.topic, change.key] = change.value
    return found


def headers(new: NewRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in new.headers}
