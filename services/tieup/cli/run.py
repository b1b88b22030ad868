"""`tieup run`: the service."""

import logging
from typing import Annotated, Final

import typer

from tieup.cli.options import LogUrl
from tieup.cli.session import session, wait_for
from tieup.errors import UsageError

WORKERS: Final = ("fetch", "extract", "story")
QUIET: Final = ("httpx", "httpcore", "asyncio", "uvicorn")
NOISY: Final = ("aiokafka",)  # 20 kB a second while a broker is away; log/kafka tells the same in one line


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    context: typer.Context,
    workers: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKER]...", help="fetch, extract, story; all of them if none.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is due, then end.")] = False,
    log: LogUrl = None,
    http: Annotated[
        str | None, typer.Option("--http", metavar="HOST:PORT", help="Metrics and health; off for none.")
    ] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", help="debug, info, warning or error.")] = None,
) -> None:
    """Run the workers until SIGTERM or Ctrl-C: feeds to articles, relations, stories and events."""
    from tieup import bootstrap

    settings = session(context).settings(log=log, http=http, log_level=log_level)
    wanted = chosen(workers or [])
    start_logging(settings.log_level)
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
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in NOISY if level.upper() != "DEBUG" else ():
        logging.getLogger(name).setLevel(logging.CRITICAL)
