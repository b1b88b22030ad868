"""`tieup companies`: the companies that tieup knows by name, and what public registers would add."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tieup.cli.options import AsJson
from tieup.cli.session import emit, say, session, show, wait_for
from tieup.cli.stories import ListByDefault
from tieup.cli.terminal import plain
from tieup.companies.company import Company
from tieup.companies.folding import fold
from tieup.companies.people import Person
from tieup.errors import UsageError

if TYPE_CHECKING:
    from tieup.companies.gazetteer import Gazetteer

FEW = 5
"""So many companies are shown with all that is known of them."""

Query = Annotated[str, typer.Argument(help="Part of an id, a name, another spelling, or a person's name.")]

group = typer.Typer(cls=ListByDefault, help="List the companies of the gazetteer; ask public registers about them.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list")(companies)
    group.command("refresh")(refresh)
    app.add_typer(group, name="companies")


def companies(context: typer.Context, query: Query = "", as_json: AsJson = False) -> None:
    """List the companies of the gazetteer; a few are shown with all their spellings."""
    from tieup.companies.gazetteer import load_gazetteer

    gazetteer = load_gazetteer(session(context).settings().gazetteer)
    found = select(gazetteer, query)
    if as_json:
        for company in found:
            emit(company)
    elif found:
        show(_details(gazetteer, found) if len(found) <= FEW else _table(found))
        say(f"{len(found)} of {len(gazetteer)} companies, data version {gazetteer.version}")
    else:
        say(f"no company with {query!r}")


def refresh(
    context: typer.Context,
    query: Query = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; it must not exist.")] = Path(
        "companies-proposed.toml"
    ),
    search: Annotated[bool, typer.Option("--search", help="Search for items of companies without one, too.")] = False,
    wikidata: Annotated[str, typer.Option(help="Where the Wikidata query service answers.")] = "",
    wikidata_search: Annotated[str, typer.Option(help="Where Wikidata's own interface answers.")] = "",
    gleif: Annotated[str, typer.Option(help="Where GLEIF's interface answers.")] = "",
) -> None:
    """Ask Wikidata and GLEIF about the companies, and write what they say into a file for you to check.

    The gazetteer itself is left as it is. One request at a time, about one a second; --search makes one per company.
    """
    from tieup.bootstrap import refresh_companies
    from tieup.companies.gazetteer import load_gazetteer
    from tieup.companies.registers import Addresses

    if output.exists():
        raise UsageError(f"{output}: is there already")
    settings = session(context).settings()
    found = select(load_gazetteer(settings.gazetteer), query)
    given = {"wikidata": wikidata, "search": wikidata_search, "gleif": gleif}
    addresses = Addresses(**{name: url for name, url in given.items() if url})
    proposed = wait_for(refresh_companies(settings, found, addresses, search=search))
    output.write_text(proposed, "utf-8")
    say(f"{output}: check it line by line; then name it in the setting gazetteer")


def select(gazetteer: "Gazetteer", query: str) -> list[Company]:
    """Return the companies that the words name, or a person who stands for them."""
    people = [one for one in gazetteer.people if query and any(fold(query) in fold(name) for name in one.spellings)]
    meant = {post.company for one in people for post in one.posts}
    return [company for company in gazetteer if company.id in meant or matches(company, query)]


def matches(company: Company, query: str) -> bool:
    """Whether the words stand in the company's id or in one of its spellings."""
    wanted = fold(query)
    return any(wanted in fold(text) for text in (company.id, *company.spellings, *company.people))


def _table(found: Sequence[Company]) -> Table:
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


def _details(gazetteer: "Gazetteer", found: Sequence[Company]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for company in found:
        table.add_row(plain(company.id), f"[bold]{plain(company.name)}[/bold]")
        for name, value in _facts(gazetteer, company):
            if value:
                table.add_row(f"  {name}", plain(value))
    return table


def _facts(gazetteer: "Gazetteer", company: Company) -> list[tuple[str, str]]:
    top = gazetteer.ultimate_parent(company.id)
    since = f" since {company.parent_since}" if company.parent_since else ""
    daughters = [one.id for one in gazetteer if one.parent == company.id]
    people = (_post(one, company.id) for one in gazetteer.people)
    return [
        ("also", ", ".join(company.aliases)),
        ("country", company.country),
        ("sectors", ", ".join(company.sectors) + ("" if company.automotive else "; a neighbour")),
        ("years", f"{company.years[0]} to {company.years[1]}" if company.years else ""),
        ("parent", f"{company.parent}{since}" if company.parent else ""),
        ("owners", ", ".join(company.owners)),
        ("group", top if top not in {company.id, company.parent} else ""),
        ("daughters", ", ".join(daughters)),
        ("ticker", company.ticker or ""),
        ("Wikidata", company.wikidata or ""),
        ("LEI", company.lei or ""),
        ("people", ", ".join([*company.people, *(one for one in people if one)])),
        ("by context", ", ".join(company.ambiguous)),
    ]  # fmt: skip


def _post(person: Person, company: str) -> str:
    years = [f"{one.since}–{one.until or ''}" for one in person.posts if one.company == company]
    return f"{person.name} ({', '.join(years)})" if years else ""
