"""`tieup config`: the settings in force, and where each comes from. `tieup key`: a new master key."""

import secrets
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

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
        show(_reasons(effective) if reasons else _table(effective))


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


def _table(effective: tuple[Effective, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Setting", no_wrap=True)  # whole, so that it can be searched for
    table.add_column("Value", overflow="fold")
    table.add_column("Unit", style="dim", overflow="fold")
    table.add_column("From", overflow="fold")
    for one in effective:
        table.add_row(one.setting.name, _shown(one), one.setting.unit, _source(one))
    return table


def _reasons(effective: tuple[Effective, ...]) -> Group:
    """Each setting with what it is for below it, over the whole width."""
    parts: list[RenderableType] = []
    for one in effective:
        setting = one.setting
        default = f"; default {_words(setting.default)}" if _is_given(one) and setting.default is not None else ""
        bounds = f"; {_bounds(setting)}" if _bounds(setting) else ""
        unit = plain(f"{setting.unit}{bounds}{default}", style="dim")
        parts.append(Text("  ").join((Text(setting.name, style="bold"), _shown(one), unit, _source(one))))
        parts.append(Padding(plain(setting.reason), (0, 0, 1, 4)))
    return Group(*parts)


def _is_given(one: Effective) -> bool:
    return one.source != "default"


def _shown(one: Effective) -> Text:
    return plain(_words(one.shown), style="bold" if _is_given(one) else "")


def _source(one: Effective) -> Text:
    return plain(one.source, style="cyan" if _is_given(one) else "dim")


def _words(shown: object) -> str:
    if shown is None or shown == {}:
        return "–"
    if isinstance(shown, bool):
        return str(shown).lower()
    return ", ".join(f"{name}={value}" for name, value in shown.items()) if isinstance(shown, dict) else str(shown)
