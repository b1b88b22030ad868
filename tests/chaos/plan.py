"""What is broken when: drawn from a seed, nothing else."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from tieup.log.kafka import KafkaBounds

SESSION_S = KafkaBounds().session_s
"""The consumer group's session: a process stopped for longer is a zombie when it wakes."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing done to the system. `target` numbers a process or a broker; `lasts_s` how long it stays so."""

    at_s: float
    kind: str
    target: int
    lasts_s: float


KINDS = {"kill process": 5, "hang process": 3, "kill broker": 2, "cut": 2, "delay": 2, "hold": 1, "refuse": 1}
LASTS_S = {
    "kill process": (0.0, 2.0),
    "hang process": (SESSION_S + 2, SESSION_S + 10),
    "kill broker": (0.5, 6.0),
    "cut": (0.0, 0.0),
    "delay": (2.0, 5.0),
    "hold": (0.2, 2.0),
    "hold until asked": (0.0, 0.0),
    "refuse": (0.0, 0.0),
    "roll process": (0.0, 0.0),
}


def plan(
    seed: int,
    seconds: float,
    processes: int,
    brokers: int,
    every_s: tuple[float, float] = (3.0, 7.0),
    kinds: Mapping[str, int] = KINDS,
) -> list[Blow]:
    """The blows of one seed, in order of time; `kinds` are weighted."""
    rng = random.Random(seed)
    blows, at = [], rng.uniform(3.0, 5.0)
    while at < seconds:
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        target = rng.randrange(processes if "process" in kind else brokers)
        blows.append(Blow(round(at, 3), kind, target, round(rng.uniform(*LASTS_S[kind]), 3)))
        at += rng.uniform(*every_s)
    return blows
