"""What every command needs: the settings in force, where to print, and how an error ends it."""

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tieup.cli.terminal import one_line
from tieup.config import Settings, load_settings
from tieup.errors import UsageError
from tieup.model.codec import encode

T = TypeVar("T")


@dataclass(slots=True)
class Session:
    """One call of the command: the options given before the command's name. Settings are read when first asked for."""

    environ: Mapping[str, str]
    file: Path | None = None
    flags: dict[str, str] = field(default_factory=dict)

    def settings(self, **flags: str | None) -> Settings:
        """Return the settings in force; the command's own flags weigh most. Raises SettingsError."""
        given = {name: value for name, value in flags.items() if value is not None}
        return load_settings(self.environ, self.flags | given, self.file)


def session(context: typer.Context) -> Session:
    """Return the session of this call."""
    found = context.find_object(Session)
    if found is None:
        raise UsageError("called outside the tieup command")
    return found


def parse_flags(pairs: list[str]) -> dict[str, str]:
    """Return the settings given as `--set NAME=VALUE`. Raises UsageError."""
    flags: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (equals and name.strip()):
            raise UsageError(f"--set {pair!r}: not NAME=VALUE")
        flags[name.strip()] = value
    return flags


def now() -> datetime:
    """The clock of the command: where a user's act enters the log."""
    return datetime.now(UTC)


def show(*parts: RenderableType) -> None:
    """Print for people, on standard output."""
    console = Console(highlight=False, soft_wrap=False)
    for part in parts:
        console.print(part)


def tell(text: str) -> None:
    """Print one line on standard output, safe and however long: what other programs may read line by line."""
    sys.stdout.write(f"{one_line(text)}\n")


def say(text: str) -> None:
    """Print one line on standard error, safe, beside the output."""
    sys.stderr.write(f"{one_line(text)}\n")


def emit(record: object) -> None:
    """Print one line of JSON on standard output."""
    emit_bytes(encode(record))


def emit_pretty(record: object) -> None:
    """Print one JSON document on standard output, indented."""
    emit_bytes(orjson.dumps(record, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2))


def emit_bytes(line: bytes) -> None:
    """Print one line of bytes on standard output."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def bar() -> Progress:
    """A progress bar on standard error; nothing is shown unless that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end."""
    return asyncio.run(work)
