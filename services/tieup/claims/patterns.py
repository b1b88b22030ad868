"""The little language of the lexicons, compiled to regular expressions that cannot run away.

A pattern is written as words:

    joint venture*          `*` stands for the rest of a word
    (sign|ink)* .. deal     `(a|b)` for one of several, `..` for up to eleven words between
    [neue] Fabrik           `[a]` for a word that may be missing
    成立_公司               `_` for up to twelve signs between, in scripts without blanks
    <co>, <person>, <medium>, <n>   a company, a person who stands for one, a medium, a number
    <cos>                           two companies side by side ("Ford and SK On", "Ford, SK On", "Ford-SK On")

Every repetition is bounded and gaps are lazy, so the time is linear in the text. Patterns are matched against a
masked text (`mask`), in which names have become placeholders of the same length: offsets stay true and a company's
name never looks like a cue.
"""

import re
from dataclasses import dataclass

from tieup.companies.folding import fold, is_hangul, is_unspaced
from tieup.errors import DataError

COMPANY = "\ue000"
PERSON = "\ue001"
MEDIUM = "\ue002"
_TAIL = "\ue003"

_PLACEHOLDERS = {"<co>": COMPANY, "<person>": PERSON, "<medium>": MEDIUM}
_SIDE = "<cos>"
_BETWEEN = r"[\s\-:„“”\"»«'‘’()]{1,4}"
_BETWEEN_OR_NOTHING = r"[\s\-:„“”\"»«'‘’()]{0,4}"
_GAP = r"(?:[^\s,;\-]{1,40}[\s\-]{1,3}){0,11}?"
_NAME_ENDING = r"(?:'s|s|'|-)?"
_SIDE_BY_SIDE = (
    r"(?:\s?[,/&+×–-]\s?|\s(?:and|und|et|e|y|ed|sowie|as well as)\s(?:[^\s,;]{1,20}\s){0,2}"
    r"|[与和及携、·]|・|と|[와과]\s?)"
)
"""What stands between two names that are named together."""
_SIGNS = r"[^\s,;，。；！？、]{0,12}?"
_TOKEN = re.compile(r"<\w+>|\.\.|[*()|\[\]_]|\s+|[^\s*()|\[\]<_]+")
_NESTED = re.compile(r"\([^()]*\([^()]*\)[^()]*(?:\([^()]*\)[^()]*)*\)")
_LITERAL = 3


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. Of `needles`, one must occur in the text where the pattern matches (empty: no such test)."""

    source: str
    regex: re.Pattern[str]
    needles: tuple[str, ...]

    def may_occur(self, masked: str) -> bool:
        """Say whether the masked text holds a needle: a cheap test before the search."""
        return not self.needles or any(needle in masked for needle in self.needles)


def compile_pattern(source: str) -> Pattern:
    """Return the pattern of a lexicon entry. Raises DataError, naming it, if it is not of the language."""
    folded = fold(source.strip())
    tokens = _TOKEN.findall(folded)
    if not re.search(r"\w", folded) or "".join(tokens) != folded:
        raise DataError(f"lexicon pattern {source!r}: not readable")
    body = "".join(_translate(tokens, source))
    letters = re.sub(r"[()\[\]|\s]", "", folded)
    left = "" if _is_unspaced_word(letters[0]) else r"(?<!\w)"
    right = "" if _is_unspaced_word(letters[-1]) or folded.endswith((">", "*")) else r"(?!\w)"
    try:
        regex = re.compile(f"{left}(?:{body}){right}")
    except re.error as error:
        raise DataError(f"lexicon pattern {source!r}: {error}") from error
    if regex.match(""):
        raise DataError(f"lexicon pattern {source!r}: matches the empty text")
    return Pattern(source, regex, _needles(folded))


def mask(text: str, names: list[tuple[int, int, str]]) -> str:
    """Return the folded text with each name (start, end, placeholder) blotted out, length and offsets unchanged."""
    folded = fold(text)
    pieces: list[str] = []
    at = 0
    for start, end, placeholder in names:
        pieces += (folded[at:start], placeholder, _TAIL * (end - start - 1))
        at = end
    pieces.append(folded[at:])
    return "".join(pieces)


def _translate(tokens: list[str], source: str) -> list[str]:
    pieces: list[str] = []
    for at, piece in enumerate(tokens):
        if piece.isspace():
            pieces.append("" if _joins_gap(tokens, at) else _blank(tokens, at))
        elif piece == "..":
            pieces.append(_BETWEEN + _GAP)
        else:
            pieces.append(_piece(piece, source))
    return pieces


def _piece(token: str, source: str) -> str:
    fixed = {
        "*": r"\w{0,30}",
        "_": _SIGNS,
        "(": "(?:",
        ")": ")",
        "|": "|",
        "[": "(?:",
        "]": f"{_BETWEEN})?",
        "<n>": r"\d[\d.,]{0,12}",
    }
    if token in fixed:
        return fixed[token]
    if token in _PLACEHOLDERS:
        return _name(_PLACEHOLDERS[token])
    if token == _SIDE:
        return _name(COMPANY) + _SIDE_BY_SIDE + _name(COMPANY)
    if token.startswith("<"):
        raise DataError(f"lexicon pattern {source!r}: unknown placeholder {token}")
    return re.escape(token)


def _name(placeholder: str) -> str:
    return f"{placeholder}{_TAIL}{{0,60}}{_NAME_ENDING}"


def _blank(tokens: list[str], at: int) -> str:
    """What may stand between two words; after a number, nothing as well: "10 %", "10%"."""
    return _BETWEEN_OR_NOTHING if tokens[at - 1] == "<n>" and tokens[at + 1] != "<n>" else _BETWEEN


def _joins_gap(tokens: list[str], at: int) -> bool:
    """A blank next to a gap, or after an optional word, is part of it."""
    around = (tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else "")
    return ".." in around or around[0] == "]"


def _needles(folded: str) -> tuple[str, ...]:
    """Return literals of which one must occur: the longest plain word, or else the words of one flat alternation."""
    flat, count = _NESTED.subn("\0", folded)
    outside = re.sub(r"\([^()]*\)|\[[^\[\]]*\]|<\w+>", "\0", flat)
    plain = [
        word for word in re.split(r"[\s\0*_]+|\.\.", outside) if len(word) >= _LITERAL or any(map(is_unspaced, word))
    ]
    if plain:
        return (max(plain, key=len),)
    for choice in re.findall(r"\(([^()]*)\)", "" if count else folded):
        words = [max(re.split(r"[\s*_]+|\.\.|<\w+>|\[[^\]]*\]", option), key=len) for option in choice.split("|")]
        if all(words):
            return tuple(words)
    return ()


def _is_unspaced_word(character: str) -> bool:
    return is_unspaced(character) or is_hangul(character)
