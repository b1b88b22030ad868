"""What a site's robots.txt says about a page (RFC 9309). Protego reads it, in the parsing processes: it is as hostile
as any other input, and its rules are patterns."""

from dataclasses import dataclass
from typing import Final

from protego import Protego

from tieup.feeds.reading.parsing import bound_memory
from tieup.model.codec import encode

PRODUCT: Final = "tieup"
"""Our product token, which rules for us name; the first word of the User-Agent."""

MAX_BYTES: Final = 512_000
"""RFC 9309 section 2.5: at least 500 KiB must be read; what follows is not."""

MAX_REDIRECTS: Final = 5
"""RFC 9309 section 2.3.1.2: at least five must be followed; beyond, the file counts as absent."""

KEPT_S: Final = 86_400.0
"""RFC 9309 section 2.4: a copy should not be used for longer than a day."""

MAX_DELAY_S: Final = 10.0
"""A Crawl-delay (no standard, but widely written) is heeded up to this: a site that means hours has no feed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a page may be asked for, and how many seconds after the one before."""

    allowed: bool
    delay_s: float = 0.0


def judge(body: bytes, url: str) -> bytes:
    """Return the encoded Verdict of a robots.txt on a URL; what cannot be read forbids nothing. Runs in a worker."""
    bound_memory()
    rules = Protego.parse(body.decode("utf-8-sig", "replace"))
    delay_s = rules.crawl_delay(PRODUCT) or 0.0
    return encode(Verdict(rules.can_fetch(url, PRODUCT), min(max(delay_s, 0.0), MAX_DELAY_S)))
