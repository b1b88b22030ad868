"""Splits a part of an article into sentences and sentences into clauses, by offsets."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from tieup.companies.folding import is_hangul, is_unspaced

MAX_SENTENCE = 1_200
"""Code points after which a text without full stops is cut, so that hostile text costs no more than other text."""

_STOP = re.compile(r"[.!?…]+[\"”»'’)\]“]{0,3}|[。！？]+[」』”]{0,2}|\s*\n\s*")
_LAST_WORD = re.compile(r"(\w[\w.]{0,12})$")
_GLUED = re.compile(r"[a-zäöüßéèà0-9)\"”“%]{2}\.[A-ZÄÖÜÉ][A-Za-zäöüß]")
_OPENING = "\"„“»«'‘(["


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a part, [start, end) in code points."""

    start: int
    end: int


def split_sentences(text: str, abbreviations: frozenset[str]) -> list[Stretch]:
    """Return the sentences of a text in order, without the blanks around them.

    A full stop ends none after an abbreviation (given in lower case, without its last stop), after an initial, after a
    day's number in German dates ("am 4. März"), or inside a number or an address; it does end one where the blank
    after it is missing ("können.Unter").
    """
    cuts = [stop.end() for stop in _STOP.finditer(text) if _ends_sentence(text, stop, abbreviations)]
    sentences: list[Stretch] = []
    start = 0
    for end in [*cuts, len(text)]:
        sentences.extend(_bounded(text, start, end))
        start = end
    return sentences


def split_clauses(masked: str, sentence: Stretch, breaks: re.Pattern[str]) -> list[Stretch]:
    """Return the clauses of a sentence of the masked text; `breaks` matches what stands between two of them."""
    starts = [sentence.start, *(match.start() for match in breaks.finditer(masked, sentence.start + 1, sentence.end))]
    ends = [*starts[1:], sentence.end]
    return [Stretch(start, end) for start, end in zip(starts, ends, strict=True)]


def stretch_at(stretches: list[Stretch], position: int) -> int:
    """Return the index of the stretch that holds a position, or of the last one before it (0 if there is none)."""
    return max(0, bisect_right(stretches, position, key=lambda stretch: stretch.start) - 1)


def _ends_sentence(text: str, stop: re.Match[str], abbreviations: frozenset[str]) -> bool:
    mark, end = stop.group(), stop.end()
    if "\n" in mark or mark[0] in "。！？" or end == len(text):
        return True
    following = text[end]
    if following.isspace():
        return _starts_sentence(text, end) and not (mark == "." and _is_shortened(text, stop.start(), abbreviations))
    if is_unspaced(following) or is_hangul(following):
        return not text[max(0, stop.start() - 1)].isdigit()
    return mark == "." and _GLUED.match(text, max(0, stop.start() - 2)) is not None


def _starts_sentence(text: str, at: int) -> bool:
    ahead = text[at : at + 4].lstrip()
    first = ahead.lstrip(_OPENING)[:1] if ahead else ""
    return not first or not first.islower()


def _is_shortened(text: str, stop: int, abbreviations: frozenset[str]) -> bool:
    found = _LAST_WORD.search(text, max(0, stop - 13), stop)
    if found is None:
        return False
    word = found.group(1)
    if word.isdigit():
        return len(word) <= 2 and text[stop + 1 : stop + 2] == " "
    return (
        word.lower() in abbreviations or (len(word) == 1 and word.isupper()) or bool(re.fullmatch(r"(\w\.)+\w", word))
    )


def _bounded(text: str, start: int, end: int) -> list[Stretch]:
    pieces: list[Stretch] = []
    while end - start > MAX_SENTENCE:
        blank = text.rfind(" ", start + MAX_SENTENCE // 2, start + MAX_SENTENCE)
        cut = blank if blank > 0 else start + MAX_SENTENCE
        pieces += _trimmed(text, start, cut)
        start = cut
    return pieces + _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> list[Stretch]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return [Stretch(start, end)] if start < end else []
