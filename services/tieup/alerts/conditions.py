"""Whether an event is what a filter asks for: the facts of an event, and the conditions on them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tieup.companies.gazetteer import Gazetteer
from tieup.model.labels import Role
from tieup.model.story import StoryEvent
from tieup.model.subscription import Condition, Filter

MAX_ANCESTORS: Final = 8

# Scripts without spaces between words: each character counts as a word, so that a phrase is found anywhere.
_TOKENS: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def tokens(text: str) -> list[str]:
    """Return the words of a text, case folded."""
    return _TOKENS.findall(text.casefold())


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """A party: its id, itself and all companies above it, its role and its country."""

    id: str | None
    group: tuple[str, ...]
    role: Role | None
    country: str | None


@dataclass(frozen=True)
class EventFacts:
    """What filters look at. The words are read only if a filter asks for them."""

    event: StoryEvent
    parties: tuple[PartyFacts, ...]

    @cached_property
    def text(self) -> str:
        """All words, each between spaces, so that a phrase is found as ` solid state `."""
        event = self.event
        said = (event.headline.en, event.headline.de, event.cause.title, *(claim.quote for claim in event.claims))
        return " " + " | ".join(" ".join(tokens(part)) for part in said) + " "

    @cached_property
    def words(self) -> frozenset[str]:
        """The different words."""
        return frozenset(self.text.split())


def facts_of(event: StoryEvent, gazetteer: Gazetteer) -> EventFacts:
    """Return the facts of an event; the gazetteer tells who stands above its parties."""
    return EventFacts(
        event,
        tuple(
            PartyFacts(party.id, ancestors(party.id, party.ultimate_parent, gazetteer), party.role, party.country)
            for party in event.parties
        ),
    )


def ancestors(company: str | None, ultimate: str | None, gazetteer: Gazetteer) -> tuple[str, ...]:
    """Return a company and all above it, nearest first; the event's own word on its ultimate parent counts too."""
    found: list[str] = []
    while company is not None and company not in found and len(found) < MAX_ANCESTORS:
        found.append(company)
        company = gazetteer.get(company).parent if company in gazetteer else None
    return tuple(dict.fromkeys((*found, ultimate))) if ultimate else tuple(found)


def passes(wanted: Filter, facts: EventFacts) -> bool:
    """Whether the event is what the filter asks for."""
    return (
        all(holds(condition, facts) for condition in wanted.all_of)
        and (not wanted.any_of or any(holds(condition, facts) for condition in wanted.any_of))
        and not any(holds(condition, facts) for condition in wanted.none_of)
    )


def holds(condition: Condition, facts: EventFacts) -> bool:
    """Whether all that the condition asks holds of the event."""
    event = facts.event
    return (
        _among(event.kind, condition.kinds)
        and _among(event.stage, condition.stages)
        and _among(event.factuality, condition.factualities)
        and _among(event.type, condition.event_types)
        and (condition.min_confidence is None or event.confidence >= condition.min_confidence)
        and (condition.min_origins is None or event.origin_count >= condition.min_origins)
        and (not condition.languages or any(one in condition.languages for one in event.languages))
        and _party(condition, facts)
        and all(any(_is(one, party, condition) for party in facts.parties) for one in condition.together)
        and (not condition.words or any(_said(word, facts) for word in condition.words))
    )


def phrase(word: str) -> str:
    """Return a word or phrase as it stands in `EventFacts.text`."""
    return f" {' '.join(tokens(word))} "


def _among(value: object, wanted: tuple[object, ...]) -> bool:
    return not wanted or value in wanted


def _party(condition: Condition, facts: EventFacts) -> bool:
    if not (condition.companies or condition.roles or condition.countries):
        return True
    return any(
        _among(party.role, condition.roles)
        and _among(party.country, condition.countries)
        and (not condition.companies or _any_is(condition.companies, party, condition))
        for party in facts.parties
    )


def _any_is(companies: Iterable[str], party: PartyFacts, condition: Condition) -> bool:
    return any(_is(company, party, condition) for company in companies)


def _is(company: str, party: PartyFacts, condition: Condition) -> bool:
    return company in party.group if condition.daughters else company == party.id


def _said(word: str, facts: EventFacts) -> bool:
    return phrase(word) in facts.text
