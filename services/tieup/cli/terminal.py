"""Text from outside made safe for a terminal: what feeds write must move no cursor and turn no direction.

Every replacement is one character for one, so that evidence offsets stay true. Nothing here is read as rich markup:
texts are shown as `rich.text.Text`.
"""

import unicodedata
from typing import Final

from rich.text import Text

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_KEPT: Final = frozenset("\n\t")
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def safe(text: str) -> str:
    """Return the text with control, direction and surrogate characters replaced; line feeds and tabs are kept."""
    return "".join(character if _harmless(character) else REPLACEMENT for character in text)


def one_line(text: str) -> str:
    """Return the text safe and on one line."""
    return safe(" ".join(text.split()))


def plain(text: str | None, style: str = "") -> Text:
    """Return a text from outside as something to show: on one line, safe, never markup."""
    return Text(one_line(text or ""), style=style)


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """Return so many of something: `1 feed`, `2 feeds`; `nouns` is the plural where an s does not make it."""
    return f"{count} {noun if count == 1 else nouns or f'{noun}s'}"


def _harmless(character: str) -> bool:
    if character in _KEPT:
        return True
    return character not in _DIRECTIONS and unicodedata.category(character) not in _REFUSED
