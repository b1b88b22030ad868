"""`tieup feeds`: which feeds are wanted, how they fare, and where there are more."""

import typer

from tieup.cli.feeds import control, exchange, health, look, starter, wanted

group = typer.Typer(no_args_is_help=True, help="Find, add and check feeds; see how they fare; pause and poll them.")
for module in (wanted, health, control, look, starter, exchange):
    module.register(group)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="feeds")
