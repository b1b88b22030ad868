"""Dead letters: an input that could not be used, kept whole beside why, in the transaction that passes it by.

The headers follow Kafka Streams' convention for dead-letter queues (KIP-1034): `__streams.errors.*`.
"""

import base64
import hashlib
import traceback
from datetime import datetime
from pathlib import Path

from tieup.errors import UsageError
from tieup.log.base import OUTCOME_OFFSET, Headers, NewRecord, Record
from tieup.log.topics import BY_NAME, DEAD_LETTERS
from tieup.model.codec import decode, encode, to_millis
from tieup.model.dead_letter import DeadLetter

MAX_INPUT_BYTES = 4 * 1024 * 1024
MAX_TEXT_BYTES = 5_700_000  # as JSON; base64 of the largest input takes 5.6 MB; the topic allows 6.5
MAX_MESSAGE_CHARS = 2_000
MAX_FRAMES = 20
MAX_HEADERS = 64
MAX_HEADER_CHARS = 500
MAX_KEY_CHARS = 1_000
RETRY_HEADER = "tieup-retry-of"
"""On an input that was appended again: the partition and offset of its dead letter."""


def dead_letter(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    error: BaseException,
    worker: str,
    at: datetime,
    headers: Headers = (),
    limit: int = MAX_INPUT_BYTES,
) -> NewRecord:
    """Return the dead letter of one input: at most `limit` bytes of its value, the error, and where it happened."""
    text, encoding = _readable((value or b"")[:limit])
    letter = DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        key=None if key is None else _short(key, MAX_KEY_CHARS),
        value=None if value is None else text,
        encoding=encoding,
        value_hash=None if value is None else hashlib.sha256(value).hexdigest(),
        truncated=value is not None and len(value) > limit,
        headers=tuple(
            (name[:MAX_HEADER_CHARS], _short(content, MAX_HEADER_CHARS)) for name, content in headers[:MAX_HEADERS]
        ),
        error=type(error).__name__,
        message=_message(error),
        stack=_frames(error),
        worker=worker,
        at=at,
    )
    return NewRecord(
        DEAD_LETTERS, (key or topic.encode())[:MAX_KEY_CHARS], encode(letter), to_millis(at), _headers(letter)
    )


def retried(record: Record) -> NewRecord:
    """Return the input that a dead letter keeps, as it stood: topic, partition, key, value, headers, time.

    Its key is the same, so whoever has taken the input in meanwhile sees a repeat. One header tells where it came
    from. Raises BadRecord if the record is no dead letter; UsageError if it cannot be appended again: it was cut, it
    was the outcome of an act, or it does not match its hash.
    """
    letter = decode(DeadLetter, record.value, record.place)
    if letter.offset == OUTCOME_OFFSET or letter.topic not in BY_NAME:
        raise UsageError(f"{record.place}: an outcome of {letter.topic}, not a record of a topic; it is asked for anew")
    if letter.truncated:
        raise UsageError(f"{record.place}: the input was cut at {MAX_INPUT_BYTES} bytes, the rest of it is gone")
    if letter.key is None or record.key is None:
        raise UsageError(f"{record.place}: the input had no key")
    value = None if letter.value is None else _bytes(letter.value, letter.encoding)
    if value is not None and hashlib.sha256(value).hexdigest() != letter.value_hash:
        raise UsageError(f"{record.place}: the input kept does not match its hash")
    headers = tuple((name, text.encode()) for name, text in letter.headers if name != RETRY_HEADER)
    place = f"{record.partition}:{record.offset}".encode()
    return NewRecord(
        letter.topic,
        record.key,
        value,
        to_millis(letter.at),
        (*headers, (RETRY_HEADER, place)),
        partition=letter.partition,
    )


def _bytes(text: str, encoding: str) -> bytes:
    return base64.b64decode(text) if encoding == "base64" else text.encode()


def _short(data: bytes | None, limit: int) -> str:
    return (data or b"").decode("utf-8", "backslashreplace")[:limit]


def _message(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text.encode("utf-8", "backslashreplace").decode()[:MAX_MESSAGE_CHARS]


def _readable(value: bytes) -> tuple[str, str]:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii"), "base64"
    if len(encode(text)) > MAX_TEXT_BYTES:  # JSON escapes control characters with up to six times their size
        return base64.b64encode(value).decode("ascii"), "base64"
    return text, "utf-8"


def _frames(error: BaseException) -> tuple[str, ...]:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return tuple(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)


def _headers(letter: DeadLetter) -> Headers:
    prefix = "__streams.errors."
    return (
        (prefix + "exception", letter.error.encode()),
        (prefix + "message", letter.message.encode()),
        (prefix + "stacktrace", "\n".join(letter.stack).encode()),
        (prefix + "topic", letter.topic.encode()),
        (prefix + "partition", str(letter.partition).encode()),
        (prefix + "offset", str(letter.offset).encode()),
    )
