"""`tieup run`: the service."""

import logging
from typing import Annotated, Final

import typer

from tieup.cli.options import LogUrl
from tieup.cli.session import session, wait_for
from tieup.errors import UsageError

WORKERS: Final = ("fetch", "extract", "story", "match", "deliver")
# Libraries speak up from these levels on. aiokafka says 20 kB a second while a broker is away, and log/kafka tells the
# same in one line; asyncio warns of a child that was reaped elsewhere, as parsers that had to be killed are.
LIBRARIES: Final = {
    "httpx": logging.WARNING,
    "uvicorn": logging.WARNING,
    "asyncio": logging.ERROR,
    "aiokafka": logging.CRITICAL,
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    context: typer.Context,
    workers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKER]...", help="fetch, extract, story, match, deliver; all if none."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due, then end.")] = False,
    log: LogUrl = None,
    http: Annotated[
        str | None, typer.Option("--http", metavar="HOST:PORT", help="Where metrics and health are; `off` for nowhere.")
    ] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", help="debug, info, warning or error.")] = None,
) -> None:
    """Run the workers until SIGTERM or Ctrl-C: feeds to articles, relations, stories, events and alerts."""
    from tieup import bootstrap
    from tieup.log.runner import settle_process

    settings = session(context).settings(log=log, http=http, log_level=log_level)
    wanted = chosen(workers or [])
    start_logging(settings.log_level)
    settle_process()
    wait_for(bootstrap.run(settings, wanted, once=once))


def chosen(names: list[str]) -> tuple[str, ...]:
    """Return the workers that are meant, in the order of the flow; all if none is named. Raises UsageError."""
    for name in names:
        if name not in WORKERS:
            raise UsageError(f"{name}: no such worker; there are {', '.join(WORKERS)}")
    return tuple(name for name in WORKERS if not names or name in names)


def start_logging(level: str) -> None:
    """Log to standard error, one line each, UTC; libraries only when something is wrong."""
    import time

    formatter = logging.Formatter("%(asctime)sZ %(levelname)-7s %(name)s  %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level.upper() == "DEBUG":
        return
    for name, own in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(own, logging.getLogger().level))
