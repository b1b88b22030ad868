"""Parties: one key for each company however it is written, and how far two lists of parties are the same."""

import unicodedata
from collections.abc import Sequence
from typing import Protocol

from tieup.companies.company import Company
from tieup.model.relation import Party
from tieup.model.story import StoryParty


class Companies(Protocol):
    """What a story needs of the gazetteer."""

    @property
    def version(self) -> str:
        """A hash over its content."""

    def __contains__(self, company_id: object) -> bool: ...

    def get(self, company_id: str) -> Company:
        """The company of this id."""

    def find_by_name(self, name: str) -> Company | None:
        """The company with this name or alias, or None."""

    def ultimate_parent(self, company_id: str, year: int | None = None) -> str:
        """The id at the top of its chain of parents."""


def fold_name(name: str) -> str:
    """Return a name as a key: compatible forms and case folded, spaces and hyphens alike."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("-", " ").split())


def story_party(party: Party, companies: Companies) -> StoryParty:
    """Return the party with its key and group; an id that the gazetteer has lost counts as a name."""
    company_id = party.id if party.id in companies else None
    if company_id is None and (company := companies.find_by_name(party.name)) is not None:
        company_id = company.id
    key = company_id or fold_name(party.name)
    group = companies.ultimate_parent(company_id) if company_id else key
    return StoryParty(key, party.name, company_id, party.role, group)


def story_parties(parties: Sequence[Party], companies: Companies) -> tuple[StoryParty, ...]:
    """Return the parties with their keys, each key once, in order."""
    found: dict[str, StoryParty] = {}
    for party in parties:
        one = story_party(party, companies)
        found.setdefault(one.key, one)
    return tuple(found.values())


def overlap(left: Sequence[StoryParty], right: Sequence[StoryParty]) -> tuple[int, int]:
    """Return how many parties are the same company, and how many more are of the same group (parent, brand, sister)."""
    keys = {party.key for party in right}
    exact = [party for party in left if party.key in keys]
    taken = {party.key for party in exact}
    open_groups = {party.group for party in right if party.key not in taken}
    return len(exact), len({party.group for party in left if party.key not in taken and party.group in open_groups})
