"""JSON Lines as users write them: bounded, and every fault names its file and line."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from tieup.errors import BadFile

MAX_LINE_BYTES: Final = 4_000_000
_BOM: Final = b"\xef\xbb\xbf"


def read_rows(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, dict[str, Any] | BadFile]]:
    """Yield each line's number and its object, or the BadFile that names what is wrong with it; empty lines are
    passed over.

    Faults are handed over rather than raised, so that the caller decides whether the rest goes on.
    """
    for number, line in enumerate(lines, start=1):
        data = line.removeprefix(_BOM).strip()
        if data:
            yield number, _row(data, f"{name}:{number}")


def _row(data: bytes, place: str) -> dict[str, Any] | BadFile:
    if len(data) > MAX_LINE_BYTES:
        return BadFile(f"{place}: longer than {MAX_LINE_BYTES} bytes")
    try:
        row = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return BadFile(f"{place}: not JSON: {error}")
    if not isinstance(row, dict):
        return BadFile(f"{place}: not a JSON object")
    return row
