"""The controls of `make chaos`: on these seeds the judge finds what comes of a guard that is switched off.

A guard that nobody would miss is none. Each is tried under the blows that it is there for, on one broker. What comes
about by chance too seldom (a position read a moment too early) is brought about: the proxy holds the former owner's
commit back for just so long.
"""

from dataclasses import dataclass

from tests.chaos.kafka_run import Trial

FIGHT = {"records": 2_000, "brokers": 1, "processes": 2, "rate": 100.0}


@dataclass(frozen=True, slots=True)
class Control:
    """A guard, the seed, and the kinds of blows; `whole`: from feeds to webhooks."""

    guard: str
    seed: int
    kinds: tuple[str, ...]
    every_s: tuple[float, float] = (1.5, 3.0)
    whole: bool = False

    def trial(self, *, guarded: bool = False) -> Trial:
        """The trial without the guard, or the same with it."""
        kinds = dict.fromkeys(self.kinds, 1)
        without = None if guarded else self.guard
        way = {"whole": self.whole, "at_once": self.whole}
        return Trial(self.seed, kinds=kinds, every_s=self.every_s, without=without, **way, **FIGHT)


CONTROLS = (
    Control("fencing", 1, ("hang process",)),
    Control("atomic", 1, ("kill process",)),
    Control("atomic", 1, ("kill process",), whole=True),
    Control("sends", 1, ("refuse",)),
    Control("end-once", 1, ("hold",)),
    Control("position", 1, ("hold until asked",)),
    Control("order", 1, ("kill process",)),
    Control("isolation", 1, ("hold",)),
)
