"""The backtest: an archive through extraction and stories in memory, as the service would have taken it.

archive ─▶ dated articles ─▶ extractor ─▶ relations ─▶ step (the runner's own) over the story worker
                                                        ├─▶ assignments, stories ─▶ one line per article
                                                        └─▶ events
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Protocol

import orjson

from tieup.errors import BadInput
from tieup.evaluation.archive import ArchiveArticle, article_id, dated
from tieup.evaluation.lines import BacktestLine, LineRelation, line_relation
from tieup.log.base import NewRecord, Record, Validator, Worker
from tieup.log.step import Step, Stepper
from tieup.log.topics import ASSIGNMENTS, DEAD_LETTERS, EVENTS, RELATIONS, STORIES
from tieup.model.article import Article
from tieup.model.codec import decode, encode, to_millis
from tieup.model.dead_letter import DeadLetter
from tieup.model.relation import ArticleRelations, Part, Relation
from tieup.model.story import Assignment, Cause

EVENT_HEADER_PREFIX: Final = "ce_"

OnProgress = Callable[[str, int], None]
"""Told what is being done (extract, stories) and how many articles are done."""


class Extracts(Protocol):
    """What turns an article into its relations."""

    def extract(self, article: Article) -> ArticleRelations:
        """Return all that the article states."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of an archive: a line per article in the archive's order, the events in theirs, and what the worker
    could not use. `ids` leads from the ids inside records to the archive's own.
    """

    lines: tuple[BacktestLine, ...]
    events: tuple[NewRecord, ...]
    faults: tuple[BadInput, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Merge:
    """What is read of a story here."""

    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class _Caused:
    """What is read of an event here."""

    cause: Cause


@dataclass(slots=True)
class _Memory:
    """What the story worker wrote, newest per key."""

    ids: Mapping[str, str]
    assignments: dict[str, Assignment] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    events: list[NewRecord] = field(default_factory=list)
    faults: list[BadInput] = field(default_factory=list)

    def take(self, step: Step) -> None:
        for record in step.records:
            self._take(record)

    def _take(self, record: NewRecord) -> None:
        key = record.key.decode()
        if record.topic == EVENTS:
            self.events.append(record)
        elif record.topic == DEAD_LETTERS:
            letter = decode(DeadLetter, record.value, record.topic)
            self.faults.append(BadInput(f"article {self.ids.get(key, key)}: {letter.error}: {letter.message}"))
        elif record.topic == ASSIGNMENTS and record.value is not None:
            self.assignments[key] = decode(Assignment, record.value, record.topic)
        elif record.topic == STORIES and record.value is not None:
            into = decode(_Merge, record.value, record.topic).merged_into
            if into is not None:
                self.merged[key] = into

    def final_story(self, story_id: str | None) -> str | None:
        """The story that this one was merged into in the end."""
        seen: set[str] = set()
        while story_id in self.merged and story_id not in seen:
            seen.add(story_id)
            story_id = self.merged[story_id]
        return story_id


def backtest(
    archive: Sequence[ArchiveArticle],
    extractor: Extracts,
    stories: Worker,
    validator: Validator,
    on_progress: OnProgress = lambda _what, _done: None,
) -> Backtest:
    """Take an archive through extraction and an empty story worker, in order of publication (see `dated`).

    Deterministic: no clock, nothing outside. The worker is driven by the runner's own step, so that outputs are checked
    against their schemas and an article that it cannot use is a fault while the rest goes on.
    """
    found: dict[str, ArticleRelations] = {}
    memory = _Memory({article_id(one.id): one.id for one in archive})
    stepper = Stepper("story", 0, stories, validator, frozenset())
    articles = dated(archive)
    for done, article in enumerate(articles, start=1):
        found[article.id] = extractor.extract(article)
        on_progress("extract", done)
    for done, article in enumerate(articles, start=1):
        relations = found[article.id]
        if relations.relations:
            memory.take(stepper.run([_record(done, relations)], None, lambda: False))
        on_progress("stories", done)
    return Backtest(
        lines=tuple(_line(one.id, found[article_id(one.id)], memory) for one in archive),
        events=tuple(memory.events),
        faults=tuple(memory.faults),
        ids=memory.ids,
    )


def event_line(event: NewRecord, ids: Mapping[str, str]) -> bytes:
    """Return an event as one line in the JSON format of CloudEvents 1.0: its attributes, and the event as `data`.

    The extension attribute `archiveid` is the archive's own id of the article that caused it.
    """
    attributes = {
        name.removeprefix(EVENT_HEADER_PREFIX): value.decode()
        for name, value in event.headers
        if name.startswith(EVENT_HEADER_PREFIX)
    }
    others = {name: value.decode() for name, value in event.headers if name == "traceparent"}
    cause = decode(_Caused, event.value, event.topic).cause.article_id
    others["archiveid"] = ids.get(cause, cause)
    return orjson.dumps(attributes | others | {"data": orjson.Fragment(event.value or b"null")})


def primary(relations: Sequence[Relation], story_ids: Sequence[str | None]) -> str | None:
    """Return the story of the article's primary relation: one in the title first, then the one with most evidence,
    then the one that comes first. Background is in no story and so never primary.
    """
    in_stories = [(_rank(relation), story) for relation, story in zip(relations, story_ids, strict=True) if story]
    return min(in_stories, key=itemgetter(0))[1] if in_stories else None


def _rank(relation: Relation) -> tuple[bool, int, tuple[bool, int]]:
    places = [(evidence.part != Part.TITLE, evidence.start) for evidence in relation.evidence]
    return (not relation.in_title, -len(relation.evidence), min(places, default=(True, 0)))


def _record(offset: int, relations: ArticleRelations) -> Record:
    key = relations.article_id.encode()
    return Record(RELATIONS, 0, offset, key, encode(relations), to_millis(relations.observed_at))


def _line(archive_id: str, found: ArticleRelations, memory: _Memory) -> BacktestLine:
    assignment = memory.assignments.get(found.article_id)
    stories = _stories(found, assignment, memory)
    copied = None if assignment is None else assignment.duplicate_of
    return BacktestLine(
        id=archive_id,
        relevant=bool(found.relations),
        language=found.language,
        duplicate_of=None if copied is None else memory.ids.get(copied, copied),
        story_id=primary(found.relations, stories),
        relations=_line_relations(found, stories),
    )


def _stories(found: ArticleRelations, assignment: Assignment | None, memory: _Memory) -> list[str | None]:
    ids = () if assignment is None else assignment.story_ids
    padded = [*ids, *(None for _ in found.relations)]
    return [memory.final_story(story_id) for story_id in padded[: len(found.relations)]]


def _line_relations(found: ArticleRelations, stories: Sequence[str | None]) -> tuple[LineRelation, ...]:
    return tuple(line_relation(relation, story) for relation, story in zip(found.relations, stories, strict=True))
