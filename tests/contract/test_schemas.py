"""The schemas and what they describe cannot drift: topics, records, labels, examples, documentation."""

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import jsonschema
import orjson
import pytest

from tieup.errors import InvalidOutput
from tieup.events.validate import SchemaValidator
from tieup.log import topics
from tieup.model.article import MAX_TEXT_CHARS, MAX_TITLE_CHARS, Article
from tieup.model.dead_letter import DeadLetter
from tieup.model.delivery import MAX_ATTEMPTS_KEPT, MAX_BODY_BYTES, MAX_EXCERPT_CHARS, Delivery, DeliveryState
from tieup.model.feed import Feed, FeedState, FetchRequest, SeenEntries
from tieup.model.mark import MAX_NOTE_CHARS, Mark
from tieup.model.page import PageRead, PageWant
from tieup.model.relation import ArticleRelations
from tieup.model.story import (
    MAX_EVENT_ARTICLES,
    MAX_EVENT_CLAIMS,
    MAX_QUOTE_CHARS,
    Assignment,
    Correction,
    Story,
    StoryEvent,
)
from tieup.model.subscription import Subscription

SCHEMAS = Path(__file__).parents[2] / "schemas"
RECORDS = {
    topics.FEEDS: Feed,
    topics.FEED_STATES: FeedState,
    topics.SEEN_ENTRIES: SeenEntries,
    topics.FETCH_REQUESTS: FetchRequest,
    topics.PAGE_WANTS: PageWant,
    topics.PAGES: PageRead,
    topics.ARTICLES: Article,
    topics.RELATIONS: ArticleRelations,
    topics.ASSIGNMENTS: Assignment,
    topics.STORIES: Story,
    topics.EVENTS: StoryEvent,
    topics.CORRECTIONS: Correction,
    topics.SUBSCRIPTIONS: Subscription,
    topics.MARKS: Mark,
    topics.DELIVERIES: Delivery,
    topics.DELIVERY_STATES: DeliveryState,
    topics.DEAD_LETTERS: DeadLetter,
}
DRAFTS: set[str] = set()  # topics that nothing writes yet
GOOD = sorted((SCHEMAS / "examples").glob("*/*.json"))
BAD = sorted((SCHEMAS / "examples").glob("*/bad/*.json"))
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", datetime: "string"}


def schema_of(topic: str) -> dict:
    return orjson.loads((SCHEMAS / f"{topic}.json").read_bytes())


def name_of(path: Path) -> str:
    return path.relative_to(SCHEMAS / "examples").as_posix()


def topic_of(path: Path) -> str:
    return path.relative_to(SCHEMAS / "examples").parts[0]


def nodes(schema: object) -> Iterator[dict]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


def objects(schema: dict) -> Iterator[dict]:
    return (node for node in nodes(schema) if isinstance(node.get("properties"), dict))


def test_every_topic_has_a_schema_and_every_schema_a_topic() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(topics.BY_NAME)
    assert RECORDS.keys() | DRAFTS == topics.BY_NAME.keys()


@pytest.mark.parametrize("topic", sorted(topics.BY_NAME))
class TestEverySchema:
    def test_is_a_schema_that_stands_alone(self, topic: str) -> None:
        schema = schema_of(topic)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"https://tieup.example/schemas/{topic}.json"
        refs = {node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)}
        assert refs == {f"#/$defs/{name}" for name in schema.get("$defs", {})}

    def test_is_open_for_what_it_does_not_know(self, topic: str) -> None:
        closing = {"additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"}
        assert not [node for node in nodes(schema_of(topic)) if closing & node.keys()]

    def test_says_what_each_property_is(self, topic: str) -> None:
        schema = schema_of(topic)
        for described in (schema, *schema.get("$defs", {}).values()):
            assert described["description"].endswith((".", ".)")), described["description"]
        for node in objects(schema):
            assert not [name for name, value in node["properties"].items() if not value.get("description")]

    def test_says_whether_it_is_a_draft(self, topic: str) -> None:
        assert schema_of(topic)["description"].startswith("Draft:") == (topic in DRAFTS)
        table = (SCHEMAS / "README.md").read_text(encoding="utf-8")
        row = re.search(rf"^\| `{re.escape(topic)}` \|.*\| (\w[\w ]*) \|$", table, re.MULTILINE)
        assert row, f"schemas/README.md does not list {topic}"
        assert row[1] == ("draft" if topic in DRAFTS else "in use")

    def test_has_examples_good_and_bad(self, topic: str) -> None:
        assert [path for path in GOOD if topic_of(path) == topic]
        assert [path for path in BAD if topic_of(path) == topic]


def check_object(kind: type, node: dict, schema: dict, seen: set[type]) -> None:
    """The properties are the record's fields, of the same types, and all that must be there is required."""
    if kind in seen:
        return
    seen.add(kind)
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    assert list(node["properties"]) == [field.name for field in fields], kind.__name__
    needed = {field.name for field in fields if field.default is dataclasses.MISSING}
    assert needed <= set(node["required"]) <= set(node["properties"]), kind.__name__
    for field in fields:
        check_value(hints[field.name], node["properties"][field.name], schema, f"{kind.__name__}.{field.name}", seen)


def check_value(hint: object, node: dict, schema: dict, place: str, seen: set[type]) -> None:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (hint,) = [inner for inner in typing.get_args(hint) if inner is not types.NoneType]
        node = without_null(node, place)
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    if typing.get_origin(hint) is tuple:
        assert node["type"] == "array", place
        check_value(typing.get_args(hint)[0], node["items"], schema, f"{place}[]", seen)
    elif dataclasses.is_dataclass(hint):
        check_object(hint, node, schema, seen)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        assert node["enum"] == [member.value for member in hint], place
    else:
        assert node["type"] == TYPES[hint], place
        assert (node.get("format") == "date-time") == (hint is datetime), place


def without_null(node: dict, place: str) -> dict:
    if "anyOf" in node:
        inner, null = node["anyOf"]
        assert null == {"type": "null"}, place
        return inner
    assert isinstance(node["type"], list), f"{place} may be null"
    kind, null = node["type"]
    assert null == "null", place
    return {**node, "type": kind}


@pytest.mark.parametrize("topic", sorted(RECORDS))
def test_the_schema_is_the_record(topic: str) -> None:
    schema = schema_of(topic)
    seen: set[type] = set()
    check_object(RECORDS[topic], schema, schema, seen)
    described = {name for name, node in schema.get("$defs", {}).items() if "properties" in node}
    assert described == {kind.__name__ for kind in seen} - {RECORDS[topic].__name__}


def test_the_bounds_of_the_code_are_the_bounds_of_the_schemas() -> None:
    article, event = schema_of(topics.ARTICLES)["properties"], schema_of(topics.EVENTS)
    assert article["text"]["maxLength"] == MAX_TEXT_CHARS
    assert article["title"]["maxLength"] == MAX_TITLE_CHARS
    assert event["properties"]["claims"]["maxItems"] == MAX_EVENT_CLAIMS
    assert event["properties"]["articles"]["maxItems"] == MAX_EVENT_ARTICLES
    assert event["$defs"]["StoryClaim"]["properties"]["quote"]["maxLength"] == MAX_QUOTE_CHARS
    assert event["$defs"]["PartyPosition"]["properties"]["quote"]["maxLength"] == MAX_QUOTE_CHARS
    assert schema_of(topics.DELIVERIES)["properties"]["body"]["maxLength"] == MAX_BODY_BYTES
    assert schema_of(topics.MARKS)["properties"]["note"]["maxLength"] == MAX_NOTE_CHARS
    states = schema_of(topics.DELIVERY_STATES)["$defs"]
    assert states["DeliveryProgress"]["properties"]["attempts"]["maxItems"] == MAX_ATTEMPTS_KEPT
    assert states["Attempt"]["properties"]["excerpt"]["maxLength"] == MAX_EXCERPT_CHARS


@pytest.fixture(scope="module")
def validator() -> SchemaValidator:
    return SchemaValidator(SCHEMAS)


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_an_example_is_valid(validator: SchemaValidator, path: Path) -> None:
    validator.check(topic_of(path), path.read_bytes())


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_an_example_holds_only_what_is_declared(path: Path) -> None:
    schema = schema_of(topic_of(path))
    for node in list(objects(schema)):
        node["additionalProperties"] = False
    jsonschema.Draft202012Validator(schema).validate(orjson.loads(path.read_bytes()))


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_an_example_with_a_property_from_the_future_is_valid(validator: SchemaValidator, path: Path) -> None:
    record = orjson.loads(path.read_bytes()) | {"from_the_future": {"a": [1]}}
    validator.check(topic_of(path), orjson.dumps(record))


@pytest.mark.parametrize("path", BAD, ids=name_of)
def test_a_bad_example_is_refused(validator: SchemaValidator, path: Path) -> None:
    with pytest.raises(InvalidOutput, match=re.escape(topic_of(path))):
        validator.check(topic_of(path), path.read_bytes())


def test_a_bad_example_has_one_fault(validator: SchemaValidator) -> None:
    """Else it might be refused for another reason than its name says."""
    for path in BAD:
        schema = jsonschema.Draft202012Validator(
            schema_of(topic_of(path)), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
        faults = {tuple(error.absolute_path) for error in schema.iter_errors(orjson.loads(path.read_bytes()))}
        assert len(faults) == 1, name_of(path)
