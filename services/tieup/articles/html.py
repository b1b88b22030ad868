"""HTML to plain text: what a reader sees, blocks on lines of their own, scripts and styles dropped."""

import re
from html import unescape
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tieup.articles.markup import quick_text

MAX_HTML_CHARS: Final = 2_000_000
MAX_TAGS: Final = 10_000  # for a parser, whose time goes with the square of the depth: 0.1 s for so many open <div>s
MAX_NODES: Final = 1_000_000  # 0.4 GB: each tag may open anew every <font> that was never closed (HTML §13.2.4.3)

_DROPPED: Final = frozenset(
    {"script", "style", "noscript", "template", "iframe", "object", "svg", "math", "head", "title", "select", "button"}
)
_BLOCKS: Final = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"),
        *("li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    }
)
_CELLS: Final = frozenset({"td", "th"})

# The elements that are opened anew, where their attributes tell them apart.
_FORMATTING: Final = re.compile(
    r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/]", re.IGNORECASE | re.ASCII
)
_ANY_TAG: Final = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|noscript|template|iframe|title)\b[^>]*(?:>.*?(?:</\1\b[^>]*(?:>|\Z)|\Z)|\Z)"
    r"|</?([a-z][a-z0-9]*)[^>]*(?:>|\Z)|<[!?/][^>]*(?:>|\Z)",
    re.DOTALL | re.ASCII | re.IGNORECASE,
)
_REFERENCE: Final = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{1,31});?", re.ASCII)

_INVISIBLE: Final = re.compile(r"[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u200b\u2060\ufeff\ud800-\udfff]")


def plain_text(html: str) -> str:
    """Return the text of an HTML fragment or page: one line per block, runs of white space as one blank.

    Never raises. Only the first 2,000,000 characters are read. Soft hyphens, zero-width marks, control characters and
    lone surrogates are dropped: they split words for every matcher and no reader sees them.
    """
    html = html[:MAX_HTML_CHARS]
    if "<" not in html and "&" not in html:
        return tidy(html)
    # A source's own line breaks mean nothing in HTML; only blocks break lines.
    html = html.replace("\n", " ").replace("\r", " ").replace("\t", " ")
    if not html.isprintable():
        html = _INVISIBLE.sub("", html)
    text = quick_text(html)
    if text is None:
        text = stripped_text(html) if is_too_dear(html) else parsed_text(html)
    return tidy(text)


def tidy(text: str) -> str:
    """Return plain text with single blanks, no empty lines, and nothing invisible."""
    return "\n".join(filter(None, map(_tidy_line, text.replace("\r", "\n").split("\n"))))


def _tidy_line(line: str) -> str:
    if line.isprintable():  # then its only white space are blanks, and all is visible
        return " ".join(line.split()) if "  " in line else line.strip(" ")
    return " ".join(_INVISIBLE.sub("", line).split())


def parsed_text(html: str) -> str:
    """Return what a parser finds in markup whose line breaks are blanks already, not yet tidy."""
    root = LexborHTMLParser(html).root
    return "" if root is None else "".join(_pieces(root))


def is_too_dear(html: str) -> bool:
    """Whether a parser might take seconds or gigabytes for this markup: by counts that no nesting can hide."""
    tags = html.count("<")
    if tags > MAX_TAGS:
        return True
    return tags * tags > MAX_NODES and tags * len(_FORMATTING.findall(html)) > MAX_NODES


def stripped_text(html: str) -> str:
    """Return markup's text without a parser, not yet tidy: its tags taken out, what scripts and the like hold too.

    One pass. For markup that is too dear: nothing that stands open is closed, no table is mended.
    """
    text = _ANY_TAG.sub(lambda tag: _gap((tag[2] or "").lower()), html)
    return _REFERENCE.sub(lambda reference: unescape(reference[0]), text)


def _pieces(root: LexborNode) -> list[str]:
    """Walk without recursion: hostile pages nest thousands deep."""
    pieces: list[str] = []
    stack: list[tuple[LexborNode | None, str]] = [(root, "")]
    while stack:
        node, after = stack.pop()
        if node is None:
            pieces.append(after)
            continue
        if node.next is not None and node is not root:
            stack.append((node.next, ""))
        if node.is_text_node:
            pieces.append(node.text_content or "")
        elif node.is_element_node and node.tag not in _DROPPED:
            gap = _gap(node.tag)
            pieces.append(gap)
            stack.append((None, gap))
            if node.child is not None:
                stack.append((node.child, ""))
    return pieces


def _gap(tag: str | None) -> str:
    if tag in _BLOCKS:
        return "\n"
    return " " if tag in _CELLS else ""
