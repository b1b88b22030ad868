"""`tieup tail`: the records of a topic, as they come."""

from datetime import UTC, datetime
from typing import Annotated, Final

import orjson
import typer
from rich.text import Text

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, known_topic, read_from
from tieup.cli.session import emit_bytes, session, show, wait_for
from tieup.cli.terminal import one_line
from tieup.config import Settings
from tieup.log.base import Record

VALUE_CHARS: Final = 400
SHORT_KEY: Final = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tail")(tail)


def tail(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="A topic, such as events or tieup.events.v1.")],
    start: Annotated[str, typer.Option("--from", metavar="begin|now|OFFSET", help="Where to begin.")] = "now",
    once: Annotated[bool, typer.Option("--once", help="Stop at the end instead of waiting for more.")] = False,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Show a topic's records and wait for more, until Ctrl-C."""
    wait_for(_tail(session(context).settings(log=log), known_topic(topic), start, once, as_json))


async def _tail(settings: Settings, topic: str, start: str, once: bool, as_json: bool) -> None:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        async for record in read_from(log, topic, start, follow=not once):
            if as_json:
                emit_bytes(record_json(record))
            else:
                show(record_text(record))


def record_json(record: Record) -> bytes:
    """Return a record as one line of JSON; a value that is no JSON comes as text."""
    return orjson.dumps(
        {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": _moment(record),
            "key": _words(record.key),
            "headers": {name: _words(value) for name, value in record.headers},
            "value": _value(record.value),
        }
    )


def record_text(record: Record) -> Text:
    """Return a record for people: where it stands, its headline if it has one, else the beginning of its value."""
    head = Text(f"{record.partition}:{record.offset}", style="cyan")
    head.append(f"  {_moment(record)}  ", style="dim")
    head.append(one_line(_words(record.key) or "-")[:SHORT_KEY], style="dim")
    sort = next((_words(value) for name, value in record.headers if name == "ce_type"), None)
    if sort:
        head.append(f"  {one_line(sort)}", style="bold")
    return Text.assemble(head, "\n    ", one_line(_summary(record.value))[:VALUE_CHARS])


def _summary(value: bytes | None) -> str:
    if value is None:
        return "(removed)"
    loaded = _value(value)
    if isinstance(loaded, dict):
        headline = loaded.get("headline")
        if isinstance(headline, dict) and isinstance(headline.get("en"), str):
            return str(headline["en"])
        for name in ("headline_en", "title", "url"):
            if isinstance(loaded.get(name), str) and loaded[name]:
                return str(loaded[name])
    return value.decode("utf-8", "replace")


def _value(value: bytes | None) -> object:
    if value is None:
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.decode("utf-8", "replace")


def _words(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")


def _moment(record: Record) -> str:
    seconds = record.timestamp / 1000
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
