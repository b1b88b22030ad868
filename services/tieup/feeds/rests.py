"""Which hosts have just asked to be left alone: for requests that wait for their turn, and for hops of redirects.

What lasts over restarts stands in the feeds' states; this is for what is under way when a host says so.
"""

import time
from collections.abc import Callable
from typing import Final

from tieup.articles.urls import registrable_domain
from tieup.errors import HostBusy

MAX_KEPT: Final = 10_000


class Rests:
    """The domains that are left alone, and until when by a steady clock."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._until: dict[str, float] = {}

    def note(self, url: str, rest_s: float) -> None:
        """Let the URL's domain be left alone for so long; a longer rest stands."""
        now = self._seconds()
        if len(self._until) >= MAX_KEPT:
            self._until = {domain: until for domain, until in self._until.items() if until > now}
        domain = registrable_domain(url)
        self._until[domain] = max(self._until.get(domain, 0.0), now + rest_s)

    def check(self, url: str) -> None:
        """Raise HostBusy if the URL's domain is to be left alone."""
        until = self._until.get(registrable_domain(url)) if self._until else None
        if until is not None and until > self._seconds():
            raise HostBusy(f"{url}: its host has asked to be left alone")
