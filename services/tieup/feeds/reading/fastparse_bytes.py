"""A feed document's bytes as UTF-8: in which encoding they are, as feedparser would see it."""

import codecs
import re
from email.message import Message
from typing import Final

from tieup.feeds.reading.fastparse_text import Unsure

_DECLARED: Final = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*['\"]([\w.:-]+)['\"]")


def as_utf8(body: bytes, sent_type: str | None) -> bytes:
    """Return the body in UTF-8. Unsure where the header, the declaration and the bytes tell different stories."""
    declared = _DECLARED.match(body.removeprefix(codecs.BOM_UTF8))
    names = {_codec(declared[1].decode()) if declared else None, _codec(_charset(sent_type)), None, "ascii"}
    names -= {None, "ascii"}
    if b"\x00" in body[:4] or len(names) > 1 or (body.startswith(codecs.BOM_UTF8) and not names <= {"utf-8"}):
        raise Unsure
    name = names.pop() if names else "utf-8"
    text = body.decode(name or "utf-8")
    return body if name == "utf-8" else text.encode()


def _charset(sent_type: str | None) -> str | None:
    """Return the header's charset where feedparser heeds it: for XML and text."""
    if not sent_type or "charset" not in sent_type.lower():
        return None
    message = Message()
    message["content-type"] = sent_type
    kind = message.get_content_type()
    heeded = kind.startswith(("text/", "application/xml")) or kind.endswith("+xml")
    return message.get_content_charset() if heeded else None


def _codec(name: str | None) -> str | None:
    if not name:
        return None
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise Unsure from None
    if found.startswith(("utf-16", "utf-32", "utf-7", "utf-8-sig")):
        raise Unsure
    return "gb18030" if found == "gb2312" else found
