"""`tieup dead-letters`: the inputs that could not be used, why, and the way back for those that now can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import orjson
import typer
from rich.table import Table

from tieup.cli.options import AsJson, LogUrl
from tieup.cli.reading import existing, named, read_from
from tieup.cli.session import emit, emit_pretty, say, session, show, wait_for
from tieup.cli.terminal import plain
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.log.base import NewRecord, Record
from tieup.log.dead_letters import retried
from tieup.log.topics import DEAD_LETTERS
from tieup.model.codec import decode, encode
from tieup.model.dead_letter import DeadLetter

MESSAGE_CHARS: Final = 90
CHUNK: Final = 500
"""How many are appended at once."""

group = typer.Typer(no_args_is_help=True, help="Inputs that could not be used: list, show, retry.")

Worker = Annotated[str | None, typer.Option("--worker", help="Only those of this worker.")]
Error = Annotated[str | None, typer.Option("--error", help="Only those of this error, such as BadRecord.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="dead-letters")


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter and where it stands, as `partition:offset`."""

    record: Record
    letter: DeadLetter

    @property
    def place(self) -> str:
        """How it is named on the command line."""
        return f"{self.record.partition}:{self.record.offset}"


@group.command("list")
def list_letters(
    context: typer.Context, worker: Worker = None, error: Error = None, as_json: AsJson = False, log: LogUrl = None
) -> None:
    """List the dead letters, oldest first within a partition."""
    found = wait_for(_read(session(context).settings(log=log), worker, error))
    if as_json:
        for one in found:
            emit(_row(one))
        return
    if not found:
        say("no dead letters")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("place", "worker", "input", "error", "message"):
        table.add_column(title, no_wrap=title != "message", overflow="fold")
    for one in found:
        letter = one.letter
        place = f"{letter.topic}[{letter.partition}]@{letter.offset}"
        message = plain(letter.message[:MESSAGE_CHARS])
        table.add_row(one.place, plain(letter.worker), plain(place), plain(letter.error), message)
    show(table)


@group.command("show")
def show_letter(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As `list` names it.")],
    log: LogUrl = None,
) -> None:
    """Show one dead letter whole, as JSON."""
    (found,) = wait_for(_chosen(session(context).settings(log=log), (place,)))
    emit_pretty({"place": found.place, **orjson.loads(encode(found.letter))})


@group.command("retry")
def retry(
    context: typer.Context,
    places: Annotated[
        list[str] | None, typer.Argument(metavar="[PARTITION:OFFSET]...", help="As `list` names them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, or those of --worker and --error.")] = False,
    worker: Worker = None,
    error: Error = None,
    as_json: AsJson = False,
    log: LogUrl = None,
) -> None:
    """Append inputs again to the topic and partition that they come from, under the same key."""
    settings = session(context).settings(log=log)
    if settings.suffix:
        raise UsageError("a replay's dead letters are retried by replaying again")
    if bool(places) == everything:
        raise UsageError("name the letters to retry, or say --all")
    if not everything and (worker or error):
        raise UsageError("--worker and --error choose among --all")
    done, refused = wait_for(_retry(settings, places or (), worker, error))
    for line in refused:
        say(line)
    if as_json:
        emit({"retried": done, "refused": refused})
    else:
        show(plain(f"{len(done)} appended again"))
    if refused:
        raise typer.Exit(1)


def _row(found: Found) -> dict[str, object]:
    letter = found.letter
    names = ("topic", "partition", "offset", "key", "worker", "error", "message", "at", "truncated")
    return {"place": found.place, **{name: getattr(letter, name) for name in names}}


async def _read(settings: Settings, worker: str | None, error: str | None) -> list[Found]:
    from tieup.bootstrap import open_log

    async with await open_log(existing(settings), exclusive=False) as log:
        topic = named(settings, DEAD_LETTERS)
        records = [record async for record in read_from(log, topic, "begin", follow=False)]
    found = [Found(record, decode(DeadLetter, record.value, record.place)) for record in records]
    wanted = [one for one in found if worker in {None, one.letter.worker} and error in {None, one.letter.error}]
    return sorted(wanted, key=lambda one: (one.record.partition, one.record.offset))


async def _chosen(settings: Settings, places: Sequence[str]) -> list[Found]:
    found = {one.place: one for one in await _read(settings, None, None)}
    for place in places:
        if place not in found:
            raise UsageError(f"{place}: no such dead letter; `tieup dead-letters list` names them")
    return [found[place] for place in dict.fromkeys(places)]


async def _retry(
    settings: Settings, places: Sequence[str], worker: str | None, error: str | None
) -> tuple[list[str], list[str]]:
    from tieup.bootstrap import open_log

    found = await _chosen(settings, places) if places else await _read(settings, worker, error)
    again: list[NewRecord] = []
    done, refused = [], []
    for one in found:
        try:
            again.append(retried(one.record))
            done.append(one.place)
        except UsageError as why:
            refused.append(str(why))
    async with await open_log(existing(settings), exclusive=False) as log:
        for at in range(0, len(again), CHUNK):
            await log.append(again[at : at + CHUNK])
    return done, refused
