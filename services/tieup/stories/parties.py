"""Parties: one key for each company however it is written, and how far two lists of parties are the same."""

import unicodedata
from collections.abc import Sequence
from typing import Final, Protocol

from tieup.companies.company import Company
from tieup.model.relation import Party
from tieup.model.story import StoryParty

MAX_NAME_CHARS: Final = 200


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


def story_party(party: Party, companies: Companies, year: int | None = None) -> StoryParty:
    """Return the party with its key and group, by its gazetteer name whatever the language of the article.

    The group is that of the year, if one is given, else today's. A party without id, or with one that the gazetteer
    has lost, is looked up by name.
    """
    known = (
        companies.get(party.id)
        if party.id is not None and party.id in companies
        else companies.find_by_name(party.name)
    )
    if known is None:
        key = fold_name(party.name)[:MAX_NAME_CHARS]
        return StoryParty(key, party.name[:MAX_NAME_CHARS], None, party.role, key)
    return StoryParty(known.id, known.name, known.id, party.role, companies.ultimate_parent(known.id, year))


def story_parties(parties: Sequence[Party], companies: Companies, year: int | None = None) -> tuple[StoryParty, ...]:
    """Return the parties with their keys, each key once, in order."""
    found: dict[str, StoryParty] = {}
    for party in parties:
        one = story_party(party, companies, year)
        found.setdefault(one.key, one)
    return tuple(found.values())
