"""`tieup backtest` and `tieup evaluate`: judge tieup on articles of your own."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tieup.cli.options import AsJson
from tieup.cli.session import bar, emit, emit_pretty, say, session, show
from tieup.cli.terminal import one_line
from tieup.config import Settings
from tieup.errors import BadFile, TieupError

if TYPE_CHECKING:
    from tieup.evaluation.archive import Archive, ArchiveArticle
    from tieup.evaluation.backtest import Backtest
    from tieup.evaluation.differences import FaultyArticle
    from tieup.evaluation.evaluate import Scores
    from tieup.evaluation.lines import BacktestLine

STDIN: Final = "-"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backtest")(backtest)
    app.command("evaluate")(evaluate)


def backtest(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE.jsonl", help="Articles: id, title, text, url, published, lang; - for stdin.")
    ],
    events: Annotated[
        Path | None, typer.Option("--events", metavar="FILE", help="Also write the events, one CloudEvent a line.")
    ] = None,
) -> None:
    """Take articles through the whole of tieup in memory; print what was found, one JSON line per article.

    Articles are taken in the order of their date. The lines come in the order of the file, after everything else.
    """
    if events is not None:
        _writable(events)
    archive = _archive(file)
    _complain(archive.faults)
    result = _run(session(context).settings(), archive.articles)
    _complain(result.faults)
    for line in result.lines:
        emit(line)
    if events is not None:
        _write_events(events, result)
    if archive.faults or result.faults:
        raise typer.Exit(1)


def evaluate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="GOLD.jsonl", help="Labelled articles.")],
    errors: Annotated[int, typer.Option("--errors", min=0, help="Show the first so many articles with faults.")] = 0,
    lines: Annotated[
        Path | None, typer.Option("--lines", metavar="FILE", help="Score these lines of a backtest instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score what tieup finds in labelled articles against their labels."""
    from tieup.companies.gazetteer import load_gazetteer
    from tieup.evaluation.archive import gold_archive
    from tieup.evaluation.differences import first_faults
    from tieup.evaluation.evaluate import judge, load_gold, score

    settings = session(context).settings()
    gold = load_gold(file)
    found, faults = _found(settings, lines) if lines else _scored(settings, gold_archive(gold, file.name))
    gazetteer = load_gazetteer(settings.gazetteer)
    scores = score(gold, found, gazetteer)
    faulty = first_faults(judge(gold, found, gazetteer), errors)
    if as_json:
        from tieup.cli.scores import scores_json

        emit_pretty(scores_json(scores, faulty))
    else:
        _show_scores(scores, faulty)
    _complain(faults)
    if faults:
        raise typer.Exit(1)


def _writable(file: Path) -> None:
    """Find out before the work, not after it. Raises BadFile."""
    try:
        file.open("a").close()
    except OSError as error:
        raise BadFile(f"{file}: cannot be written: {error.strerror}") from error


def _show_scores(scores: "Scores", faulty: "Sequence[FaultyArticle]") -> None:
    from tieup.cli.scores import fault_list, score_table

    show(score_table(scores))
    if scores.unanswered:
        say(f"{scores.unanswered} labelled articles have no line: nothing was found in them")
    if faulty:
        show(fault_list(faulty))


def _archive(file: str) -> "Archive":
    from tieup.evaluation.archive import read_archive

    if file == STDIN:
        return read_archive(sys.stdin.buffer, "stdin")
    try:
        with Path(file).open("rb") as opened:
            return read_archive(opened, Path(file).name)
    except OSError as error:
        raise BadFile(f"{file}: cannot be read: {error.strerror}") from error


def _found(_settings: Settings, lines: Path) -> "tuple[Sequence[BacktestLine], Sequence[TieupError]]":
    from tieup.evaluation.lines import load_lines

    return load_lines(lines), ()


def _scored(
    settings: Settings, articles: "Sequence[ArchiveArticle]"
) -> "tuple[Sequence[BacktestLine], Sequence[TieupError]]":
    result = _run(settings, articles)
    return result.lines, result.faults


def _run(settings: Settings, articles: "Sequence[ArchiveArticle]") -> "Backtest":
    from tieup import __version__
    from tieup.claims.extract import Extractor
    from tieup.companies.gazetteer import load_gazetteer
    from tieup.evaluation.backtest import backtest as run_backtest
    from tieup.events.validate import SchemaValidator
    from tieup.stories.worker import StoryWorker

    gazetteer = load_gazetteer(settings.gazetteer)
    with bar() as progress:
        tasks = {what: progress.add_task(what, total=len(articles)) for what in ("extract", "stories")}
        return run_backtest(
            articles,
            Extractor(gazetteer),
            StoryWorker(gazetteer, code_version=__version__),
            SchemaValidator(),
            lambda what, done: progress.update(tasks[what], completed=done),
        )


def _write_events(path: Path, result: "Backtest") -> None:
    from tieup.evaluation.backtest import event_line

    try:
        path.write_bytes(b"".join(event_line(event, result.ids) + b"\n" for event in result.events))
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror}") from error
    say(f"{len(result.events)} events written to {one_line(str(path))}")


def _complain(faults: Sequence[TieupError]) -> None:
    for fault in faults:
        say(f"tieup: {one_line(str(fault))}")
