"""Folding: one spelling for all that look alike, character by character, so that offsets never drift.

Only one-to-one changes are made: NFKC where it gives one character (full-width ＢＹＤ, no-break spaces), one sort of
hyphen and apostrophe, lone surrogates replaced, then lower case. `str.casefold` is not used because it lengthens text
(ß becomes ss); `str.lower` lengthens only the dotted capital İ, which is replaced before.
"""

import re
import unicodedata
from functools import cache

_HYPHENS = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4\u0060\uff07"
_SURROGATES = range(0xD800, 0xE000)
_SCANNED = (range(0x80, 0x10000), range(0x1D400, 0x1D800), range(0x2F800, 0x2FA20))
"""Where NFKC knows one-to-one forms: the basic plane, styled letters, compatibility ideographs."""


def unify(text: str) -> str:
    """Return the text with look-alike characters unified and case kept; same length."""
    table, special = _unification()
    return text.translate(table) if special.search(text) else text


def fold(text: str) -> str:
    """Return the text unified and in lower case; same length."""
    return unify(text).lower()


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
def _unification() -> tuple[dict[int, str], re.Pattern[str]]:
    table = {code: single for span in _SCANNED for code in span if (single := _compatible(code))}
    table |= dict.fromkeys(_SURROGATES, "\ufffd")
    table |= dict.fromkeys(map(ord, _HYPHENS), "-")
    table |= dict.fromkeys(map(ord, _APOSTROPHES), "'")
    table[ord("\u0130")] = "I"
    return table, re.compile("[" + "".join(map(_class_item, _spans(sorted(table)))) + "]")


def _compatible(code: int) -> str | None:
    character = chr(code)
    normal = unicodedata.normalize("NFKC", character)
    return normal if len(normal) == 1 and normal != character else None


def _spans(codes: list[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for code in codes:
        if spans and spans[-1][1] == code - 1:
            spans[-1] = (spans[-1][0], code)
        else:
            spans.append((code, code))
    return spans


def _class_item(span: tuple[int, int]) -> str:
    return f"\\U{span[0]:08x}-\\U{span[1]:08x}"
