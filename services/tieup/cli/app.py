"""The command put together: the global options, the commands, and one line for every error."""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from tieup import __version__
from tieup.cli import (
    alerts,
    backup,
    companies,
    config,
    dead_letters,
    demo,
    evaluation,
    extract,
    feeds,
    replay,
    stories,
    tail,
    topics,
)
from tieup.cli import run as running
from tieup.cli.session import Session, parse_flags, say
from tieup.cli.terminal import one_line
from tieup.errors import SettingsError, TieupError, UsageError

OK: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

EPILOG: Final = (
    "Settings: tieup.toml, TIEUP_* variables and flags, rising in weight; [bold]tieup config[/bold] shows them."
)

app = typer.Typer(
    name="tieup",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    epilog=EPILOG,
)
for module in (
    running,
    feeds,
    alerts,
    topics,
    tail,
    dead_letters,
    backup,
    stories,
    replay,
    companies,
    extract,
    evaluation,
    demo,
    config,
):
    module.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tieup {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings file instead of ./tieup.toml.")
    ] = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Give one setting; may be repeated.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Automotive tie-ups from the world's feeds: who with whom, what sort, how far, how sure, and who says so."""
    _ = debug, version  # read by `run` and by the callback
    context.obj = Session(os.environ, file, parse_flags(pairs or []))


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; every error is one line on standard error."""
    try:
        code = app(args=list(arguments), standalone_mode=False, prog_name="tieup")
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # typer and rich turn a broken pipe into SystemExit
        return _reader_gone()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the outermost place: whatever it is, it ends in one line
        return _fail(error, "--debug" in arguments)
    return code if isinstance(code, int) else OK


def _fail(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, typer.TyperException):
        message = error.format_message()
        if message:
            say(f"tieup: {one_line(message)}")
        return WRONG_USE if error.exit_code == WRONG_USE else FAILED
    if isinstance(error, TieupError):
        say(f"tieup: {one_line(str(error))}")
        return WRONG_USE if isinstance(error, UsageError | SettingsError) else FAILED
    if isinstance(error, typer.Abort):
        return FAILED
    say(f"tieup: a fault of tieup itself: {one_line(f'{type(error).__name__}: {error}')} (--debug shows where)")
    return FAILED


def _reader_gone() -> int:
    """Whoever read the output has had enough; keep the interpreter from complaining at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK
