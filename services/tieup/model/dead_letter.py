"""What is kept of an input that could not be used."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A poison input, whole (topic dead-letters, key = the input's key).

    `value` is text if `encoding` is utf-8, else base64; cut to the bound if `truncated`, with `value_hash` (SHA-256
    in hex) over the whole of it.
    `error` is the error's class, `stack` its frames, innermost last; `at` is the input's own time, so that a replay
    writes the same bytes.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    value: str | None
    encoding: str
    value_hash: str | None
    truncated: bool
    headers: tuple[tuple[str, str], ...]
    error: str
    message: str
    stack: tuple[str, ...]
    worker: str
    at: datetime
