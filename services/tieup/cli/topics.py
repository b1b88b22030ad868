"""`tieup topics`: make the topics, and compare them with what tieup wants."""

import typer

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing
from tieup.cli.session import emit, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.log.topics import CATALOGUE

group = typer.Typer(no_args_is_help=True, help="Create and check the topics.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="topics")


@group.command()
def create(context: typer.Context, as_json: AsJson = False, log: LogUrl = None) -> None:
    """Create the topics that are missing. Existing ones are left as they are."""
    made = wait_for(_create(session(context).settings(log=log)))
    if as_json:
        emit({"created": made})
        return
    for name in made:
        show(plain(f"created {name}"))
    if not made:
        say("nothing to create: all topics are there")


@group.command()
def check(context: typer.Context, as_json: AsJson = False, log: LogUrl = None) -> None:
    """Say which topics are missing or differ from what is wanted; exit code 1 if any."""
    faults = wait_for(_check(session(context).settings(log=log)))
    if as_json:
        emit({"ok": not faults, "faults": faults})
    else:
        for line in faults:
            show(plain(line))
        if not faults:
            show(plain(f"all {len(CATALOGUE)} topics are as wanted", style="green"))
    if faults:
        raise typer.Exit(1)


async def _create(settings: Settings) -> list[str]:
    from tieup.bootstrap import open_log

    async with await open_log(settings, exclusive=False) as log:
        return await log.create(CATALOGUE)


async def _check(settings: Settings) -> list[str]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        return await log.check(CATALOGUE)
