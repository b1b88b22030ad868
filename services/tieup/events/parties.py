"""The parties of an event, with what the gazetteer knows of them. What it does not know is None, never guessed."""

from collections.abc import Iterable
from typing import Protocol

from tieup.companies.company import Company
from tieup.model.story import EventParty, StoryParty


class Companies(Protocol):
    """What an event needs of the gazetteer."""

    def __contains__(self, company_id: object) -> bool: ...

    def get(self, company_id: str) -> Company:
        """The company of this id."""

    def ultimate_parent(self, company_id: str, year: int | None = None) -> str:
        """The id at the top of its chain of parents."""


def event_parties(parties: Iterable[StoryParty], companies: Companies) -> tuple[EventParty, ...]:
    """Return the parties in the same order; `ultimate_parent` is None for a company that stands alone."""
    return tuple(_event_party(party, companies) for party in parties)


def _event_party(party: StoryParty, companies: Companies) -> EventParty:
    if party.id is None or party.id not in companies:
        return EventParty(party.name, None, party.role)
    company = companies.get(party.id)
    parent = companies.ultimate_parent(company.id)
    return EventParty(
        name=company.name,
        id=company.id,
        role=party.role,
        ultimate_parent=None if parent == company.id else parent,
        country=company.country,
        wikidata=company.wikidata,
        ticker=company.ticker,
        lei=company.lei,
    )
