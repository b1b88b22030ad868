from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stories.making import START

from tieup.model.labels import PartyStance, SpeakerType, Stance, Target
from tieup.model.story import StoryClaim, StoryParty
from tieup.stories.lifecycle import claims_in_order
from tieup.stories.stances import COVERS, is_contested, positions, speaker_key, speaks_for

FORD = StoryParty("ford", "Ford", "ford", None, "ford")
XIAOMI = StoryParty("xiaomi", "Xiaomi", "xiaomi", None, "xiaomi")


def said(who: str, stance: str, target: str = "talks", day: int = 0) -> StoryClaim:
    party = who in {"ford", "xiaomi"}
    kind = SpeakerType.PARTY if party else SpeakerType.ANONYMOUS if who == "anonymous" else SpeakerType.MEDIUM
    at = START + timedelta(days=day)
    return StoryClaim(who, kind, Stance(stance), Target(target), "q", at, f"a{day}", 0, who if party else None)


@pytest.mark.parametrize(
    ("claims", "contested"),
    [
        ([said("anonymous", "asserts"), said("ford", "denies", day=1)], True),
        ([said("ford", "denies"), said("anonymous", "asserts", day=1)], True),
        ([said("anonymous", "asserts")], False),
        ([said("ford", "denies")], False),
        ([said("ford", "asserts"), said("ford", "denies", day=1)], False),
        ([said("ford", "asserts"), said("xiaomi", "denies", day=1)], True),
        ([said("ford", "asserts"), said("ford", "denies", "existence", day=1)], False),
        ([said("FT", "asserts"), said("ford", "denies", day=1), said("ford", "asserts", day=2)], False),
        ([said("FT", "asserts"), said("ford", "denies", day=1), said("ford", "declines_comment", day=2)], True),
        ([said("FT", "asserts"), said("reuters", "denies", day=1)], False),
        ([said("FT", "asserts", "agreement"), said("ford", "denies", "existence", day=1)], True),
        ([said("FT", "asserts", "talks"), said("ford", "denies", "agreement", day=1)], False),
        ([said("FT", "asserts", "talks"), said("ford", "denies", "ending", day=1)], False),
        ([said("anonymous", "asserts"), said("ford", "denies", day=1), said("anonymous", "denies", day=2)], True),
    ],
)
def test_contested(claims: list[StoryClaim], contested: bool) -> None:
    assert is_contested(claims, None) is contested


def test_a_later_contract_settles_and_an_earlier_one_does_not() -> None:
    claims = [said("FT", "asserts"), said("ford", "denies", day=5)]
    assert is_contested(claims, START + timedelta(days=4))
    assert not is_contested(claims, START + timedelta(days=6))


claims = st.lists(
    st.builds(
        said,
        st.sampled_from(["ford", "xiaomi", "FT", "anonymous"]),
        st.sampled_from([one.value for one in Stance]),
        st.sampled_from([one.value for one in Target]),
        st.integers(0, 9),
    ),
    max_size=8,
    unique=True,
).map(claims_in_order)


@given(claims, st.none() | st.integers(-1, 10).map(lambda day: START + timedelta(days=day)))
def test_contested_if_and_only_if_the_rule_says_so(found: tuple[StoryClaim, ...], settled: datetime | None) -> None:
    def stands(one: StoryClaim) -> bool:
        later = found[found.index(one) + 1 :]
        return not any(
            (speaker_key(other), other.target) == (speaker_key(one), one.target)
            and other.stance is not Stance.DECLINES_COMMENT
            for other in later
        )

    denials = [
        one
        for one in found
        if one.stance is Stance.DENIES
        and one.speaker_type is SpeakerType.PARTY
        and (settled is None or one.event_time > settled)
    ]
    assertions = [one for one in found if one.stance is Stance.ASSERTS]
    rule = any(
        stands(denial)
        and stands(claim)
        and claim.target in COVERS[denial.target]
        and speaker_key(claim) != speaker_key(denial)
        for denial in denials
        for claim in assertions
    )
    assert is_contested(found, settled) is rule


def test_positions() -> None:
    found = positions((FORD, XIAOMI), [said("ford", "denies"), said("ford", "declines_comment", day=2)])
    assert [(one.party, one.stance) for one in found] == [
        ("ford", PartyStance.DENIES),
        ("xiaomi", PartyStance.SILENT),
    ]


def test_who_denies_the_end_confirms_the_tie() -> None:
    assert positions((FORD,), [said("ford", "denies", "ending")])[0].stance is PartyStance.CONFIRMS


def test_a_party_is_known_by_name_where_the_gazetteer_lacks_it() -> None:
    party = StoryParty("argo ai", "Argo-AI", None, None, "argo ai")
    spoken = StoryClaim("ARGO AI", SpeakerType.PARTY, Stance.DENIES, Target.TALKS, "q", START, "a", 0)
    assert positions((party,), [spoken])[0].stance is PartyStance.DENIES


def test_a_speaker_is_the_company_however_it_is_named_and_a_medium_by_name() -> None:
    assert speaker_key(replace(said("ford", "asserts"), speaker="Ford Motor")) == "ford"
    assert speaker_key(said("FT", "asserts")) == "ft"


def test_only_a_party_speaks_for_itself() -> None:
    spoken = said("ford", "denies")
    assert speaks_for(replace(spoken, speaker="Xiaomi"), FORD)
    assert not speaks_for(replace(spoken, speaker="Ford"), XIAOMI)
    assert not speaks_for(replace(spoken, speaker="Xiaomi"), XIAOMI)
    assert not speaks_for(replace(spoken, speaker_type=SpeakerType.MEDIUM), FORD)
    assert speaks_for(replace(spoken, speaker="Ford", company_id=None), FORD)
    assert not speaks_for(replace(spoken, speaker="Xiaomi", company_id=None), FORD)


def test_who_only_declines_to_comment_declines() -> None:
    assert positions((FORD,), [said("ford", "declines_comment")])[0].stance is PartyStance.DECLINES
