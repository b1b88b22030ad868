"""The backtest over a scripted extractor and a scripted story worker: order, lines, merges, faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson

from tieup.errors import InvalidOutput
from tieup.evaluation.archive import ArchiveArticle, article_id
from tieup.evaluation.backtest import backtest, event_line, primary
from tieup.log.base import Change, NewRecord, Output, Record
from tieup.log.topics import ASSIGNMENTS, EVENTS, STORIES
from tieup.model.article import Article
from tieup.model.codec import decode, encode
from tieup.model.labels import (
    Basis,
    Factuality,
    Focus,
    Kind,
    SpeakerType,
    Stage,
    Stance,
    Target,
)
from tieup.model.relation import ArticleRelations, Claim, Evidence, Part, Party, Relation, Signature, Span
from tieup.model.story import Assignment

RELATION = Relation(
    parties=(Party("Ford", "ford"), Party("Xiaomi", "xiaomi")),
    kind=Kind.JOINT_VENTURE,
    stage=Stage.TALKS,
    factuality=Factuality.DENIED,
    basis=Basis.PARTY,
    focus=Focus.NEWS,
    claims=(Claim("Ford", SpeakerType.PARTY, Stance.DENIES, Target.TALKS, Span(Part.TEXT, 0, 4, "Ford"), "ford"),),
    origin="Financial Times",
    evidence=(Evidence("kind", Part.TEXT, 0, 4, "Ford"),),
)


@dataclass
class ScriptedExtractor:
    relations: Mapping[str, tuple[Relation, ...]]

    def extract(self, article: Article) -> ArticleRelations:
        found = {article_id(name): relations for name, relations in self.relations.items()}.get(article.id, ())
        return ArticleRelations(
            article.id,
            1,
            article.title,
            article.observed_at,
            article.event_time,
            found,
            Signature("1", (), ()),
            language="en",
        )


@dataclass
class ScriptedStories:
    """Every article opens a story named by its title; the title `merge` merges all earlier ones into its own."""

    stories: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def process(self, record: Record) -> Output:
        found = decode(ArticleRelations, record.value, record.place)
        if found.title == "poison":
            raise ValueError("scripted")
        merged = self.stories if found.title == "merge" else []
        at = found.event_time
        assignment = Assignment(
            found.article_id, 1, at, at, tuple(found.title for _ in found.relations), duplicate_of=self.first()
        )
        changes = [Change(STORIES, one.encode(), orjson.dumps({"merged_into": found.title})) for one in merged]
        changes += [Change(STORIES, one.encode(), None) for one in merged]
        changes += [Change(STORIES, found.title.encode(), orjson.dumps({"merged_into": None}))]
        changes += [Change(ASSIGNMENTS, found.article_id.encode(), encode(assignment))]
        value = orjson.dumps({"cause": {"article_id": found.article_id, "version": 1}})
        event = NewRecord(EVENTS, found.title.encode(), value, record.timestamp, (("ce_id", b"1"), ("ce_type", b"t")))
        return Output(records=(event,), changes=tuple(changes))

    def first(self) -> str | None:
        return article_id("a") if self.titles else None

    def apply(self, change: Change) -> None:
        if change.topic == STORIES and change.value and b'"merged_into":null' in change.value:
            self.stories.append(change.key.decode())
            self.titles.append(change.key.decode())

    def wake(self, now: datetime) -> Output:
        raise AssertionError("a backtest has no clock")


class Accepting:
    def check(self, topic: str, value: bytes | None) -> None:
        """Everything is valid."""


class Refusing(Accepting):
    def check(self, topic: str, value: bytes | None) -> None:
        if topic == EVENTS:
            raise InvalidOutput("events: scripted")


def articles(**titles: str) -> list[ArchiveArticle]:
    return [
        ArchiveArticle(name, title, "x", published=f"20{20 - at}") for at, (name, title) in enumerate(titles.items())
    ]


def run(archive, relations, validator=None):
    return backtest(archive, ScriptedExtractor(relations), ScriptedStories(), validator or Accepting())


def test_lines_come_in_the_order_of_the_archive_events_in_that_of_time() -> None:
    archive = articles(a="one", b="two", c="three")
    result = run(archive, {"a": (RELATION,), "b": (RELATION,), "c": (RELATION,)})
    assert [line.id for line in result.lines] == ["a", "b", "c"]
    assert [event.key for event in result.events] == [b"three", b"two", b"one"]


def test_the_line_of_an_irrelevant_article_is_empty_and_reaches_no_story() -> None:
    result = run(articles(a="one"), {})
    assert orjson.loads(encode(result.lines[0])) == {
        "id": "a",
        "relevant": False,
        "language": "en",
        "duplicate_of": None,
        "story_id": None,
        "relations": [],
    }
    assert result.events == ()


def test_the_line_has_exactly_these_fields() -> None:
    (line,) = run(articles(a="one"), {"a": (RELATION,)}).lines
    (relation,) = orjson.loads(encode(line))["relations"]
    assert relation == {
        "parties": [{"id": "ford", "name": "Ford"}, {"id": "xiaomi", "name": "Xiaomi"}],
        "kind": "joint_venture",
        "stage": "talks",
        "factuality": "denied",
        "basis": "party",
        "focus": "news",
        "binding": None,
        "milestones": [],
        "claims": [
            {
                "speaker": "Ford",
                "speaker_type": "party",
                "stance": "denies",
                "target": "talks",
                "evidence": {"part": "text", "start": 0, "end": 4, "text": "Ford"},
            }
        ],
        "origin": "Financial Times",
        "evidence": [{"label": "kind", "part": "text", "start": 0, "end": 4, "text": "Ford"}],
        "story_id": "one",
    }


def test_merges_are_followed_after_everything() -> None:
    result = run(articles(a="merge", b="two", c="three"), dict.fromkeys("abc", (RELATION,)))
    assert [line.story_id for line in result.lines] == ["merge", "merge", "merge"]
    assert [line.relations[0].story_id for line in result.lines] == ["merge", "merge", "merge"]


def test_copies_are_named_by_the_archive_s_own_ids() -> None:
    result = run(articles(b="two", a="one"), {"a": (RELATION,), "b": (RELATION,)})
    assert [(line.id, line.duplicate_of) for line in result.lines] == [("b", "a"), ("a", None)]


def test_an_article_that_the_worker_cannot_use_is_a_fault_and_the_rest_goes_on() -> None:
    result = run(articles(a="poison", b="two"), {"a": (RELATION,), "b": (RELATION,)})
    assert [str(fault) for fault in result.faults] == ["article a: ValueError: scripted"]
    assert [line.story_id for line in result.lines] == [None, "two"]


def test_outputs_are_checked_as_in_a_run() -> None:
    result = run(articles(a="one"), {"a": (RELATION,)}, Refusing())
    assert "events: scripted" in str(result.faults[0])
    assert result.events == ()


def test_the_primary_relation() -> None:
    more = replace(RELATION, evidence=RELATION.evidence * 2)
    later = replace(RELATION, evidence=(Evidence("kind", Part.TEXT, 9, 12, "x"),))
    titled = replace(RELATION, evidence=(), in_title=True)
    assert primary([RELATION, more, titled], ["a", "b", "c"]) == "c"
    assert primary([RELATION, more], ["a", "b"]) == "b"
    assert primary([later, RELATION], ["a", "b"]) == "b"
    assert primary([RELATION, RELATION], ["z", "a"]) == "z"
    assert primary([titled, RELATION], [None, "b"]) == "b"
    assert primary([RELATION], [None]) is None
    assert primary([], []) is None


def test_an_event_line_is_a_cloud_event_with_the_archive_s_id() -> None:
    result = run(articles(a="one"), {"a": (RELATION,)})
    line = orjson.loads(event_line(result.events[0], result.ids))
    assert (line["id"], line["type"], line["archiveid"]) == ("1", "t", "a")
    assert line["data"]["cause"]["version"] == 1


def test_times_come_from_the_archive() -> None:
    (event,) = run(articles(a="one"), {"a": (RELATION,)}).events
    assert datetime.fromtimestamp(event.timestamp / 1000, UTC).year == 2020
