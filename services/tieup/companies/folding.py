"""Folding: one spelling for all that look alike, character by character, so that offsets never drift.

Only one-to-one changes are made: NFKC where it gives one character (full-width ＢＹＤ, no-break spaces), one sort of
hyphen and apostrophe, traditional Chinese characters as simplified ones, lone surrogates replaced, then lower case.
`str.casefold` is not used because it lengthens text (ß becomes ss); `str.lower` lengthens only the dotted capital İ,
which is replaced before.
"""

import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

from tieup.errors import DataError

_HYPHENS = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4\uff07"
_FEW = 16
"""Up to so many different characters are replaced one by one, which is faster than a table over the whole text."""
_SURROGATES = range(0xD800, 0xE000)
_SCANNED = (range(0x80, 0x10000), range(0x1D400, 0x1D800), range(0x2F800, 0x2FA20))
"""Where NFKC knows one-to-one forms: the basic plane, styled letters, compatibility ideographs."""


def unify(text: str) -> str:
    """Return the text with look-alike characters unified and case kept; same length."""
    if text.isascii():
        return text
    table = _unification()
    special = table.keys() & set(text)
    if len(special) > _FEW:
        return text.translate({ord(character): table[character] for character in special})
    for character in sorted(special):
        text = text.replace(character, table[character])
    return text


def fold(text: str) -> str:
    """Return the text unified and in lower case; same length."""
    return unify(text).lower()


def name_key(name: str) -> str:
    """Return what all spellings of a name share: folded, hyphens as spaces, single spaces."""
    return " ".join(fold(name).replace("-", " ").split())


def is_hangul(character: str) -> bool:
    """Say whether the character is a Korean letter or syllable."""
    return "\uac00" <= character <= "\ud7a3" or "\u1100" <= character <= "\u11ff"


def is_katakana(character: str) -> bool:
    """Say whether the character is a katakana letter or its sound mark; the middle dot is none."""
    return "\u30a1" <= character <= "\u30fa" or character in "\u30fc\u3099\u309a"


def is_unspaced(character: str) -> bool:
    """Say whether the character belongs to a script written without spaces (Han, kana, Thai)."""
    return (
        "\u3400" <= character <= "\u9fff"
        or "\u3041" <= character <= "\u30ff"
        or "\u0e00" <= character <= "\u0e7f"
        or "\U00020000" <= character <= "\U0003ffff"
    )


@cache
def _unification() -> dict[str, str]:
    table = {chr(code): single for span in _SCANNED for code in span if (single := _compatible(chr(code)))}
    table |= dict.fromkeys(map(chr, _SURROGATES), "\ufffd")
    table |= dict.fromkeys(_HYPHENS, "-")
    table |= dict.fromkeys(_APOSTROPHES, "'")
    table["\u0130"] = "I"
    return table | _simplified()


def _simplified() -> dict[str, str]:
    """The simplified character of each traditional one; Japanese characters change alike in names and in texts."""
    pairs = tomllib.loads(files("tieup.companies").joinpath("data", "han.toml").read_text("utf-8"))
    if len(pairs["traditional"]) != len(pairs["simplified"]):
        raise DataError("han.toml: a character lacks its partner")
    return dict(zip(pairs["traditional"], pairs["simplified"], strict=True))


def _compatible(character: str) -> str | None:
    normal = unicodedata.normalize("NFKC", character)
    return normal if len(normal) == 1 and normal != character else None
