"""How long a reader that goes on where it was may leave a table unread."""

from typing import Final

from tieup.errors import LogUnavailable
from tieup.log.base import Clock
from tieup.log.topics import TOMBSTONE_MS

AWAY_S: Final = TOMBSTONE_MS / 1000 / 2
"""Half of how long tombstones live: the other half is for what was not yet read when the pause began."""


class LastRead:
    """When tables (compacted topics) were last read by who remembers what stands on them.

    Keys may be removed during a long pause, and their tombstones too, so what is remembered cannot be trusted then. The
    clock is the wall's: others may stand still while a machine sleeps.
    """

    def __init__(self, clock: Clock, away_s: float = AWAY_S) -> None:
        self._clock = clock
        self._away_s = away_s
        self._at = clock()

    def note(self, who: str) -> None:
        """Note that they were read just now. Raises LogUnavailable after too long without: `who` is to begin anew."""
        now = self._clock()
        away_s = (now - self._at).total_seconds()
        self._at = now
        if away_s > self._away_s:
            raise LogUnavailable(f"{who}: tables were left unread for {away_s / 3600:.1f} h")
