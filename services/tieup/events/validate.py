"""Every record is checked against its topic's JSON Schema and bound before it is published (promise 6)."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson

import tieup
from tieup.errors import DataError, InvalidOutput
from tieup.log.topics import BY_NAME, Topic

Schema = dict[str, Any]

_MASK: Final = "the value"  # an error may be logged; what a publisher wrote or a secret must not be
_MAX_REASON_CHARS: Final = 300


def schema_folder() -> Traversable:
    """Return the folder of the schemas: inside the installed package, or the repository's in an editable install.

    The wheel carries the repository's `schemas/` as `tieup/schemas/`, which an editable install does not show. Raises
    DataError if neither is there.
    """
    packaged = files("tieup") / "schemas"
    if packaged.is_dir():
        return packaged
    repository = Path(tieup.__file__).resolve().parents[2] / "schemas"
    if repository.is_dir():
        return repository
    raise DataError("schemas: not in the installed package, and there is no repository around it")


def load_schema(topic: str, folder: Traversable | None = None) -> Schema:
    """Return the JSON Schema of a topic. Raises DataError, naming the file, if it is missing or not JSON."""
    file = (schema_folder() if folder is None else folder) / f"{topic}.json"
    try:
        schema = orjson.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"schemas/{file.name}: cannot be read: {error.strerror or error}") from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"schemas/{file.name}: not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise DataError(f"schemas/{file.name}: not an object")
    return schema


class SchemaValidator:
    """Checks values against the schemas of all topics: the `Validator` of the log's contract.

    Formats are asserted, and the size bound of `log/topics.py` holds beside the schema. Built once, then without I/O.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        """Load and compile the schema of every topic. Raises DataError, naming the file, if one is wrong."""
        where = schema_folder() if folder is None else folder
        self._compiled = {name: _compile(name, load_schema(name, where)) for name in BY_NAME}

    def check(self, topic: str, value: bytes | None) -> None:
        """Return if the value may stand on the topic; a tombstone (None) only where the topic is compacted.

        Raises InvalidOutput, naming the topic and the field, never the value.
        """
        wanted = BY_NAME.get(topic)
        if wanted is None:
            raise InvalidOutput(f"{topic}: there is no such topic")
        if value is None:
            _check_tombstone(wanted)
            return
        if len(value) > wanted.max_bytes:
            raise InvalidOutput(f"{topic}: {len(value):,} bytes, more than the bound of {wanted.max_bytes:,}")
        error = next(self._compiled[topic].iter_errors(_parse(topic, value)), None)
        if error is not None:
            raise InvalidOutput(f"{topic}: {_field(error)}: {error.message[:_MAX_REASON_CHARS]}")


def _compile(topic: str, schema: Schema) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, ignore_unknown_formats=False, mask=_MASK, offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        reason = " ".join(str(error).split())[:_MAX_REASON_CHARS]
        raise DataError(f"schemas/{topic}.json: not a JSON Schema: {reason}") from error


def _check_tombstone(topic: Topic) -> None:
    if not topic.compact:
        raise InvalidOutput(f"{topic.name}: a tombstone on a topic that is not compacted")


def _parse(topic: str, value: bytes) -> object:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidOutput(f"{topic}: not JSON: {error}") from error


def _field(error: jsonschema_rs.ValidationError) -> str:
    """Name the field as a reader would write it: `claims[3].quote`."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    return path.removeprefix(".") or "the record"
