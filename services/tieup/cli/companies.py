"""`tieup companies`: the companies that tieup knows by name."""

from typing import Annotated

import typer
from rich.table import Table

from tieup.cli.options import AsJson
from tieup.cli.session import emit, say, session, show
from tieup.cli.terminal import plain
from tieup.companies.company import Company
from tieup.companies.folding import fold


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("companies")(companies)


def companies(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="Part of an id, a name or another spelling.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the companies of the gazetteer."""
    from tieup.companies.gazetteer import load_gazetteer

    gazetteer = load_gazetteer(session(context).settings().gazetteer)
    found = [company for company in gazetteer if matches(company, query)]
    if as_json:
        for company in found:
            emit(company)
    elif found:
        show(_table(found))
        say(f"{len(found)} of {len(gazetteer)} companies, data version {gazetteer.version}")
    else:
        say(f"no company with {query!r}")


def matches(company: Company, query: str) -> bool:
    """Whether the words stand in the company's id or in one of its spellings."""
    wanted = fold(query)
    return any(wanted in fold(text) for text in (company.id, *company.spellings))


def _table(found: list[Company]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Id", style="dim", overflow="fold")
    table.add_column("Name", overflow="fold")
    table.add_column("Country", no_wrap=True)
    table.add_column("Sectors", overflow="fold")
    table.add_column("Parent", overflow="fold")
    for company in found:
        table.add_row(
            plain(company.id),
            plain(company.name),
            company.country,
            plain(", ".join(company.sectors)),
            plain(company.parent),
        )
    return table
