"""`tieup extract`: what one article states, with the evidence marked in its text."""

import sys
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from tieup.cli.options import AsJson
from tieup.cli.session import emit_pretty, say, session, show
from tieup.errors import BadFile
from tieup.model.article import MAX_TEXT_CHARS, MAX_TITLE_CHARS, Article
from tieup.model.relation import Relation

STDIN: Final = "-"
MAX_BYTES: Final = 4 * MAX_TEXT_CHARS
SEEN_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The article's moment where none is given: fixed, so that the same text always gives the same output."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("extract")(extract)


def extract(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A plain text; - for standard input.")],
    title: Annotated[str, typer.Option(help="The headline, where the text does not hold it.")] = "",
    language: Annotated[str | None, typer.Option(help="ISO 639-1 code, where the text is too short to tell.")] = None,
    publisher: Annotated[str | None, typer.Option(help="Who publishes it.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="How sure each label is, and which words led to it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the relations that an article states, and the words that led to each label."""
    from tieup.claims.extract import Extractor
    from tieup.companies.gazetteer import load_gazetteer

    article = article_of(read_text(file), title, language, publisher)
    found = Extractor(load_gazetteer(session(context).settings().gazetteer)).extract(article)
    if as_json:
        relations = [_told(relation, explain=explain) for relation in found.relations]
        emit_pretty({"language": found.language, "relevant": bool(relations), "relations": relations})
        return
    from tieup.cli.evidence import article_evidence

    show(article_evidence(article, found.relations, explain=explain))
    if article.language is None:
        say("the language could not be told; --language names it")


def _told(relation: Relation, *, explain: bool) -> Mapping[str, object]:
    """The relation as a line of a backtest tells it; with `explain` its confidences beside the evidence."""
    from tieup.evaluation.lines import line_relation

    line = line_relation(relation)
    told = {one.name: getattr(line, one.name) for one in fields(line)}
    return told | {"confidence": relation.confidence, "confidences": relation.confidences} if explain else told


def read_text(file: str) -> str:
    """Return the text of a file or of standard input, at most 400 kB of UTF-8. Raises BadFile."""
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile(f"{file}: cannot be read: {error.strerror}") from error
    name = "standard input" if file == STDIN else file
    if len(data) > MAX_BYTES:
        raise BadFile(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"{name}: not UTF-8 text: byte {error.start} cannot be read") from error


def article_of(text: str, title: str, language: str | None, publisher: str | None) -> Article:
    """Return the text as an article. Raises BadFile if there is nothing in it."""
    from tieup.articles.language import detect_language
    from tieup.ids import derive_id

    if not (text.strip() or title.strip()):
        raise BadFile("the article is empty")
    return Article(
        id=derive_id("extract", title, text),
        version=1,
        title=title[:MAX_TITLE_CHARS],
        text=text[:MAX_TEXT_CHARS],
        observed_at=SEEN_AT,
        publisher=publisher,
        language=detect_language(f"{title}\n{text}", language),
        truncated=len(text) > MAX_TEXT_CHARS,
    )
