"""The records of the gazetteer: a company, and the rules by which names are read in running text."""

from dataclasses import dataclass
from typing import Literal

Sector = Literal[
    "maker",
    "brand",
    "supplier",
    "battery",
    "chips",
    "software",
    "charging",
    "mobility",
    "robotaxi",
    "contract_maker",
    "truck",
    "two_wheeler",
    "tech",
    "retail",
    "finance",
    "energy",
    "other",
]


@dataclass(frozen=True, slots=True)
class Company:
    """One company, brand or subsidiary that an article may name.

    `aliases` are further spellings beside `name`, in any script. Of all spellings, those in `exact` match only as
    written (or all in capitals), and those in `ambiguous` also need proof from the text around them: one of the words
    in `context`, or, where that is empty, any sign of the automotive world; a certain spelling of the same company
    anywhere in the text is proof too.
    `automotive` says whether the company itself belongs to the automotive world, as opposed to a neighbour whose
    agreements count only when they are about vehicles. `parent` is the id of the direct parent today, held since the
    year `parent_since` where that matters for older news. `owners` are the ids of a joint venture's founders or owners.
    `people` are persons whose name stands for the company whatever the year (see tieup.companies.people for those with
    years). `years` are the first and last year of a company that is gone. `ticker` is exchange:symbol. Unknown is None.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    country: str
    sectors: tuple[Sector, ...]
    automotive: bool
    parent: str | None = None
    parent_since: int | None = None
    owners: tuple[str, ...] = ()
    ticker: str | None = None
    wikidata: str | None = None
    lei: str | None = None
    people: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    exact: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    context: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The name and the aliases, the name first."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class NameRules:
    """How names stand in running text.

    `endings` may follow a Latin name directly (Fords), `compounds` with or without hyphen (Fordwerke, VW-Chef);
    `outside` words after a hyphen make the whole word mean somebody else (Mercedes-Fahrer). `particles` may follow a
    short hangul name, `followers` a katakana name. `traps` are phrases that hold a company's name and mean something
    else (Toyota City). `automotive_words` are the signs of the automotive world that ambiguous names need nearby.
    `analysts` are words right beside which a bank's name only says who comments.
    """

    endings: tuple[str, ...]
    compounds: tuple[str, ...]
    compound_endings: tuple[str, ...]
    outside: tuple[str, ...]
    particles: tuple[str, ...]
    followers: tuple[str, ...]
    traps: tuple[str, ...]
    automotive_words: tuple[str, ...]
    analysts: tuple[str, ...] = ()
