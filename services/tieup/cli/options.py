"""Options that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
LogUrl = Annotated[
    str | None, typer.Option("--log", metavar="URL", help="The log: sqlite:///FILE or kafka://HOST:PORT,...")
]
