"""Which WebSub hub an answer names, if any, for whoever looks at a feed."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Final

MAX_HEADER_CHARS: Final = 16_384
MAX_HEAD_BYTES: Final = 65_536

_HEADER_LINK: Final = re.compile(r"<([^<>]{1,4096})>([^,<]{0,1000})")
_HUB: Final = re.compile(r"rel\s*=\s*\"?(?:[^\",;]*\s)?hub[\s\";]|rel\s*=\s*\"?hub$", re.IGNORECASE)
_HUB_LINK: Final = re.compile(
    rb"<(?:[\w.-]{1,40}:)?link\s(?:"
    rb"[^<>]{0,1000}?rel=[\"']hub[\"'][^<>]{0,1000}?href=[\"']([^\"'<>]+)|"
    rb"[^<>]{0,1000}?href=[\"']([^\"'<>]+)[\"'][^<>]{0,1000}?rel=[\"']hub[\"'])",
    re.IGNORECASE,
)
_HUB_OF_JSON: Final = re.compile(rb'"hubs"\s*:\s*\[[^\]]{0,2000}?"url"\s*:\s*"([^"]{1,4096})"')


def named_hub(headers: Sequence[str], body: bytes) -> str | None:
    """Return the WebSub hub that the header names, else the document (W3C Recommendation, §4), as it is written."""
    for target, parameters in _HEADER_LINK.findall(", ".join(headers)[:MAX_HEADER_CHARS]):
        if _HUB.search(parameters):
            return str(target)
    found = _HUB_LINK.search(body[:MAX_HEAD_BYTES]) or _HUB_OF_JSON.search(body[:MAX_HEAD_BYTES])
    return unescape(next(filter(None, found.groups())).decode("utf-8", "replace")) if found else None
