"""`tieup config`: the settings in force, and where each comes from. `tieup key`: a new master key."""

import secrets
from typing import Annotated

import typer
from rich.table import Table

from tieup.cli.options import AsJson
from tieup.cli.session import emit_pretty, session, show
from tieup.cli.terminal import plain
from tieup.config import Effective, Setting


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("config")(config)
    app.command("key")(key)


def config(
    context: typer.Context,
    reasons: Annotated[bool, typer.Option("--reasons", help="Also say what each is for.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the settings in force and where each comes from; secrets are masked."""
    effective = session(context).settings().effective
    if as_json:
        emit_pretty({one.setting.name: _row(one) for one in effective})
    else:
        show(_table(effective, reasons))


def key() -> None:
    """Print a new key for the setting master_key (TIEUP_MASTER_KEY)."""
    typer.echo(secrets.token_urlsafe(32))


def _row(one: Effective) -> dict[str, object]:
    setting = one.setting
    return {
        "value": one.shown,
        "source": one.source,
        "unit": setting.unit,
        "default": setting.default,
        "bounds": _bounds(setting) or None,
        "variable": setting.variable,
        "reason": setting.reason,
    }


def _bounds(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(setting.choices)
    return "" if setting.low is None or setting.high is None else f"{setting.low:g} to {setting.high:g}"


def _table(effective: tuple[Effective, ...], reasons: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Setting", overflow="fold")
    table.add_column("Value", overflow="fold")
    table.add_column("Unit", style="dim", overflow="fold")
    table.add_column("From", overflow="fold")
    for one in effective:
        setting = one.setting
        given = one.source != "default"
        cells = [plain(setting.name), plain(_value(one), style="bold" if given else ""), plain(setting.unit)]
        table.add_row(*cells, plain(one.source, style="cyan" if given else "dim"))
        if reasons:
            bounds = f" ({_bounds(setting)})" if _bounds(setting) else ""
            table.add_row("", plain(setting.reason + bounds, style="dim"))
    return table


def _value(one: Effective) -> str:
    shown = one.shown
    if shown is None or shown == {}:
        return "–"
    if isinstance(shown, bool):
        return str(shown).lower()
    return ", ".join(f"{name}={value}" for name, value in shown.items()) if isinstance(shown, dict) else str(shown)
