"""Nothing that a feed writes reaches the terminal as a command."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tieup.cli.terminal import one_line, plain, safe


@pytest.mark.parametrize(
    "evil",
    ["\x1b[2J", "\x9b31m", "\x07", "\r", "\x00", "\u202e", "\u2066", "\x7f", "\u2028", "\ud800", "\x1b]8;;x\x07"],
)
def test_control_and_direction_characters_are_replaced(evil: str) -> None:
    shown = safe(f"Ford {evil} BYD")
    assert len(shown) == len(f"Ford {evil} BYD")
    assert evil not in shown
    assert shown.startswith("Ford ")


def test_ordinary_text_stays() -> None:
    text = "Škoda – 上汽集团, 현대차: „völlig falsch“ 👩‍🔧 Auto\u00admobil\n\tFord"
    assert safe(text) == text


def test_markup_is_text() -> None:
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=True, color_system="standard").print(plain("[red]Ford[/red] [link=x]"))
    assert "[red]Ford[/red] [link=x]" in out.getvalue()


@given(st.text())
def test_one_line_is_one_line_of_harmless_characters(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode("utf-8")
