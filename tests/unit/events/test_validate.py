"""The validator: schema, format, bound and tombstone; the same verdicts as an independent implementation."""

import copy
from pathlib import Path

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.errors import DataError, InvalidOutput
from tieup.events.validate import SchemaValidator, load_schema, schema_folder
from tieup.log import topics

SCHEMAS = Path(__file__).parents[3] / "schemas"
VALIDATOR = SchemaValidator()
EXAMPLES = [
    (path.parent.name, orjson.loads(path.read_bytes())) for path in sorted((SCHEMAS / "examples").glob("*/*.json"))
]
INDEPENDENT = {
    name: jsonschema.Draft202012Validator(
        load_schema(name), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    for name in topics.BY_NAME
}
EVENT = next(record for topic, record in EXAMPLES if topic == topics.EVENTS)


def refuses(topic: str, value: bytes | None) -> str:
    with pytest.raises(InvalidOutput) as caught:
        VALIDATOR.check(topic, value)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_an_unknown_topic_is_refused() -> None:
    assert refuses("tieup.eventz.v1", b"{}") == "tieup.eventz.v1: there is no such topic"


@pytest.mark.parametrize("topic", topics.CATALOGUE, ids=lambda topic: topic.name)
def test_a_tombstone_may_stand_on_compacted_topics_only(topic: topics.Topic) -> None:
    if topic.compact:
        VALIDATOR.check(topic.name, None)
    else:
        assert "tombstone" in refuses(topic.name, None)


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"{'a': 1}", b"NaN"])
def test_what_is_not_json_is_refused(value: bytes) -> None:
    assert refuses(topics.EVENTS, value).startswith("tieup.events.v1: not JSON")


@pytest.mark.parametrize("value", [b"null", b"[]", b'"text"', b"1"])
def test_what_is_no_object_is_refused(value: bytes) -> None:
    assert refuses(topics.EVENTS, value).startswith("tieup.events.v1: the record")


def test_the_bound_in_bytes_holds_beside_the_schema() -> None:
    bound = topics.BY_NAME[topics.EVENTS].max_bytes
    padded = EVENT | {"padding": ""}
    spare = bound - len(orjson.dumps(padded))
    VALIDATOR.check(topics.EVENTS, orjson.dumps(EVENT | {"padding": "x" * spare}))
    assert "more than the bound of 200,000" in refuses(
        topics.EVENTS, orjson.dumps(EVENT | {"padding": "x" * (spare + 1)})
    )


def test_the_message_names_the_field_and_never_the_value() -> None:
    record = copy.deepcopy(EVENT)
    record["claims"][0]["stance"] = "a secret\nof two lines"
    message = refuses(topics.EVENTS, orjson.dumps(record))
    assert message.startswith("tieup.events.v1: claims[0].stance: ")
    assert "secret" not in message


@pytest.mark.parametrize("time", ["2026-02-30T00:00:00Z", "2026-02-01", "2026-02-01T12:00:00+01:00", "yesterday", ""])
def test_formats_are_asserted(time: str) -> None:
    refuses(topics.EVENTS, orjson.dumps(EVENT | {"observed_at": time}))


def test_text_is_bounded_in_code_points() -> None:
    article = next(record for topic, record in EXAMPLES if topic == topics.ARTICLES)
    VALIDATOR.check(topics.ARTICLES, orjson.dumps(article | {"text": "𝕏" * 100_000}))
    assert "text" in refuses(topics.ARTICLES, orjson.dumps(article | {"text": "𝕏" * 100_001}))


def test_a_number_that_is_none_is_refused() -> None:
    assert "confidence" in refuses(topics.EVENTS, orjson.dumps(EVENT | {"confidence": float("nan")}))


def paths(value: object, at: tuple = ()) -> list[tuple]:
    """Every place in a record."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, child in inner for place in paths(child, (*at, key)))]


REPLACEMENTS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=4),
    st.sampled_from(["talks", "story.denied", "de", "Q1", "0" * 32, "A" * 32, "x" * 301, "2026-02-01T11:30:00Z"]),
    st.sampled_from(["2026-02-30T11:30:00Z", "2026-02-01T11:30:00.5Z", "2026-02-01 11:30:00Z", "2026-13-01T00:00:00Z"]),
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=2), max_size=3),
)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, object]:
    """An example with one to three of its places replaced, dropped or doubled."""
    topic, original = draw(st.sampled_from(EXAMPLES))
    record = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(paths(record)[1:] or [("from_the_future",)]))
        holder = record
        for step in parents:
            holder = holder[step]
        how = draw(st.sampled_from(["replace", "replace", "drop", "double"]))
        if how == "drop":
            del holder[last]
        elif how == "double" and isinstance(holder, list):
            holder.append(holder[last])
        else:
            holder[last] = draw(REPLACEMENTS)
    return topic, record


@settings(max_examples=400, deadline=None)
@given(mutations())
def test_the_verdict_is_that_of_an_independent_implementation(mutated: tuple[str, object]) -> None:
    topic, record = mutated
    value = orjson.dumps(record)
    expected = INDEPENDENT[topic].is_valid(orjson.loads(value))
    try:
        VALIDATOR.check(topic, value)
    except InvalidOutput:
        assert not expected
    else:
        assert expected


def test_in_the_repository_the_schemas_are_the_repositorys() -> None:
    assert Path(str(schema_folder())) == SCHEMAS


def test_a_missing_schema_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^schemas/tieup\.feeds\.v1\.json: cannot be read"):
        SchemaValidator(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "strin"}', '{"$ref": "https://elsewhere.example/a.json"}'])
def test_a_broken_schema_is_named(tmp_path: Path, text: str) -> None:
    for name in topics.BY_NAME:
        (tmp_path / f"{name}.json").write_text("{}")
    (tmp_path / "tieup.stories.v1.json").write_text(text)
    with pytest.raises(DataError, match=r"^schemas/tieup\.stories\.v1\.json: ") as caught:
        SchemaValidator(tmp_path)
    assert "\n" not in str(caught.value)
