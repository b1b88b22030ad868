"""Who stands where: each party's stance, and whether the story is contested."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from tieup.model.labels import PartyStance, SpeakerType, Stance, Target
from tieup.model.story import PartyPosition, StoryClaim, StoryParty
from tieup.stories.parties import fold_name

COVERS: Final[Mapping[Target, frozenset[Target]]] = {
    Target.EXISTENCE: frozenset({Target.EXISTENCE, Target.TALKS, Target.AGREEMENT, Target.TERMS}),
    Target.TALKS: frozenset({Target.TALKS, Target.AGREEMENT}),
    Target.AGREEMENT: frozenset({Target.AGREEMENT}),
    Target.TERMS: frozenset({Target.TERMS}),
    Target.ENDING: frozenset({Target.ENDING}),
}
"""What a denial covers: who denies that there is anything denies all of it; who denies talks denies an agreement."""

_POSITION: Final = {
    Stance.ASSERTS: PartyStance.CONFIRMS,
    Stance.DENIES: PartyStance.DENIES,
    Stance.DECLINES_COMMENT: PartyStance.DECLINES,
}


def speaker_key(claim: StoryClaim) -> str:
    """Return who speaks, so that a newer word replaces an older one; each article's unnamed speakers are its own."""
    if claim.speaker_type is SpeakerType.ANONYMOUS:
        return f"anonymous:{claim.article_id}"
    return claim.company_id or fold_name(claim.speaker)


def is_contested(claims: Sequence[StoryClaim], settled_at: datetime | None) -> bool:
    """Say whether a claim asserts and a party's claim denies the same target, unsettled.

    `claims` are sorted by time. A speaker's newest word on a target is what counts, so a retraction ends it. A denial
    up to `settled_at` (the last contract, or authority's or other document) is settled.
    """
    newest = {
        (speaker_key(claim), claim.target): claim for claim in claims if claim.stance is not Stance.DECLINES_COMMENT
    }
    asserted = {(who, target) for (who, target), claim in newest.items() if claim.stance is Stance.ASSERTS}
    return any(
        (target in COVERS[claim.target] and who != denier)
        for (denier, _), claim in newest.items()
        if _is_open_denial(claim, settled_at)
        for who, target in asserted
    )


def _is_open_denial(claim: StoryClaim, settled_at: datetime | None) -> bool:
    return (
        claim.stance is Stance.DENIES
        and claim.speaker_type is SpeakerType.PARTY
        and (settled_at is None or claim.event_time > settled_at)
    )


def positions(parties: Iterable[StoryParty], claims: Sequence[StoryClaim]) -> tuple[PartyPosition, ...]:
    """Return where each party (its id, or its name) stands, in the order of the parties, by its newest word.

    Declining to comment never replaces an earlier word. Rejecting an end of the tie confirms the tie.
    """
    return tuple(_position(party, [claim for claim in claims if speaks_for(claim, party)]) for party in parties)


def speaks_for(claim: StoryClaim, party: StoryParty) -> bool:
    """Say whether the claim is this party's own word."""
    if claim.speaker_type is not SpeakerType.PARTY:
        return False
    if claim.company_id and party.id:
        return claim.company_id == party.id
    return fold_name(claim.speaker) in {party.key, fold_name(party.name)}


def _position(party: StoryParty, claims: Sequence[StoryClaim]) -> PartyPosition:
    words = [claim for claim in claims if claim.stance is not Stance.DECLINES_COMMENT] or claims
    if not words:
        return PartyPosition(party.id or party.name, PartyStance.SILENT)
    claim = words[-1]
    stance = PartyStance.CONFIRMS if denies_end(claim) else _POSITION[claim.stance]
    return PartyPosition(party.id or party.name, stance, claim.quote, claim.event_time, claim.url)


def denies_end(claim: StoryClaim) -> bool:
    """Say whether the claim rejects an end of the tie."""
    return claim.stance is Stance.DENIES and claim.target is Target.ENDING
