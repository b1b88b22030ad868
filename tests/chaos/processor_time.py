"""Whose the processors were during a run: a stall on a machine that others load says little about the service."""

import os
import resource
from pathlib import Path

STAT = Path("/proc/stat")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
IDLE = (3, 4)  # idle and iowait


class Share:
    """Counts from when it is made. Our own is this process and the children that have ended, so look after those."""

    def __init__(self) -> None:
        self._own, self._busy, self._all = _own_s(), *_machine_s()

    def of_others(self) -> float:
        """The share of all processor time that others took, 0 to 1; 0 where the system does not tell."""
        own, (busy, whole) = _own_s(), _machine_s()
        passed = whole - self._all
        return max(0.0, (busy - self._busy - own + self._own) / passed) if passed > 0 else 0.0


def _own_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _machine_s() -> tuple[float, float]:
    if not STAT.exists():
        return 0.0, 0.0
    ticks = [int(count) for count in STAT.read_text().split("\n", 1)[0].split()[1:9]]
    whole = sum(ticks)
    return (whole - sum(ticks[n] for n in IDLE)) * TICK_S, whole * TICK_S
