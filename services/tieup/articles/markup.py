"""Simple markup to text without a parser: what most entries of feeds are, paragraphs of words with a few links.

A parser gives the same text. What it would have to mend (tags that do not match, tables, forms), what it would drop
(scripts) and what it alone can decode is not read here at all.
"""

import re
from html.entities import html5
from typing import Final

MAX_OPEN: Final = 100

# White space as HTML has it, which knows no vertical tab; line breaks and tabs are blanks already.
_ATTRIBUTE: Final = r"""[ \f]+[a-zA-Z_:][\w:.-]*(?:[ \f]*=[ \f]*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`/]+))?"""
_TAG: Final = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:(?>{_ATTRIBUTE}))*+[ \f]*/?>", re.ASCII)
_REFERENCE: Final = re.compile(r"&(?:([a-zA-Z]{2,8}|[a-zA-Z]{3}[1-4]{1,2})|#([0-9]{2,6})|#[xX]([0-9a-fA-F]{2,5}));")
_INLINE: Final = frozenset(
    {
        *("a", "abbr", "b", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins", "kbd", "mark", "q"),
        *("s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var"),
    }
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS: Final = frozenset({"ol", "ul"})
# Elements that a parser opens and closes exactly where their tags stand, as long as these match.
_NESTED: Final = _HEADINGS | _LISTS | {"li", "blockquote", "div", "figure", "figcaption", "section", "article"}
_BREAKS: Final = frozenset({"p", "br"})  # a new line at either tag, whether they match or not
_GAPS: Final = _NESTED | _BREAKS


def quick_text(html: str) -> str | None:
    """Return the text of simple markup, blocks on lines of their own, or None where a parser must be asked.

    `html` has no line breaks that mean anything.
    """
    pieces = _TAG.split(html)
    texts, closing, names = pieces[::3], pieces[1::3], [name.lower() for name in pieces[2::3]]
    if "<" in "".join(texts) or not _matching(closing, names):
        return None
    if "&" in html:
        decoded = [_decoded(text) if "&" in text else text for text in texts]
        if None in decoded:
            return None
        texts = [text or "" for text in decoded]
    parts = [texts[0]]
    for name, text in zip(names, texts[1:], strict=True):
        parts += ("\n", text) if name in _GAPS else (text,)
    return "".join(parts)


def _matching(closing: list[str], names: list[str]) -> bool:
    """Whether a parser would find nothing to mend: only known elements, blocks one inside another as written."""
    open_blocks: list[str] = []
    for slash, name in zip(closing, names, strict=True):
        if name in _INLINE or name == "p":
            continue
        if name == "br":
            if slash:
                return False
        elif name not in _NESTED:
            return False
        elif slash:
            if not open_blocks or open_blocks.pop() != name:
                return False
        elif not _may_open(name, open_blocks[-1] if open_blocks else None) or len(open_blocks) >= MAX_OPEN:
            return False
        else:
            open_blocks.append(name)
    return not open_blocks


def _may_open(name: str, inside: str | None) -> bool:
    """Whether this element closes none of those that are open: a list's item another, a heading another."""
    if name == "li":
        return inside in _LISTS
    return not (name in _HEADINGS and inside in _HEADINGS)


def _decoded(text: str) -> str | None:
    """Return the text with its references decoded, None where one is not plain (&notit; or &#128;)."""
    pieces = _REFERENCE.split(text)
    if "&" in "".join(pieces[::4]):
        return None
    parts = [pieces[0]]
    for name, number, hexadecimal, after in zip(pieces[1::4], pieces[2::4], pieces[3::4], pieces[4::4], strict=True):
        char = html5.get(f"{name};") if name else _char(int(number) if number else int(hexadecimal, 16))
        if char is None:
            return None
        parts += (char, after)
    return "".join(parts)


def _char(code: int) -> str | None:
    """Return the character of a code that means itself: no control character, no surrogate, no noncharacter."""
    plain = 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFDD0 or 0xFDF0 <= code < 0xFFFE
    return chr(code) if plain or 0x1_0000 <= code < 0x1_FFFE else None
