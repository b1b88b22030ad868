"""`tieup backup` and `tieup restore`: a copy of the embedded log, taken while it runs, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing
from tieup.cli.session import emit, session, show
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; a file that is there is not overwritten.")],
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Copy the embedded log to FILE while it runs: one consistent moment, checked."""
    from tieup.log.sqlite_backup import back_up

    settings = session(context).settings(log=log)
    source = _embedded(existing(settings))
    size = back_up(source, target)
    _tell(as_json, {"backup": str(target), "bytes": size}, f"{target}: {size} bytes, checked")


def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `tieup backup` made.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a log that is there; it is kept beside.")] = False,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Put a copy in the place of the embedded log. No tieup may run on it."""
    from tieup.log.sqlite_backup import put_back

    target = _embedded(session(context).settings(log=log))
    kept = put_back(source, target, replace=force)
    words = f"{target}: restored from {source}" + (f"; the former log is {kept}" if kept else "")
    _tell(as_json, {"log": str(target), "kept": str(kept) if kept else None}, words)


def _embedded(settings: Settings) -> Path:
    if settings.sqlite_path is None:
        raise UsageError(f"{settings.log}: only the embedded log is copied by tieup; Kafka has its own means")
    return settings.sqlite_path


def _tell(as_json: bool, facts: dict[str, object], words: str) -> None:
    if as_json:
        emit(facts)
    else:
        show(plain(words))
