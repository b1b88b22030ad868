"""The filter language: what a line means, and what is said of a wrong one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.alerts.making import gazetteer

from tieup.alerts.filters import describe, parse_filter
from tieup.errors import UsageError
from tieup.model.labels import EventType, Factuality, Kind, Role
from tieup.model.subscription import Condition, Filter


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Filter()),
        ("company:ford,BMW", Filter(all_of=(Condition(companies=("ford", "bmw")),))),
        ('company:"Ford Motor Company"', Filter(all_of=(Condition(companies=("ford",)),))),
        ("together:ford,xiaomi", Filter(all_of=(Condition(together=("ford", "xiaomi")),))),
        ("company:ford daughters:no", Filter(all_of=(Condition(companies=("ford",), daughters=False),))),
        ("company:ford company:bmw", Filter(all_of=(Condition(companies=("ford",)), Condition(companies=("bmw",))))),
        (
            "kind:joint-venture sure:denied",
            Filter((Condition(kinds=(Kind.JOINT_VENTURE,), factualities=(Factuality.DENIED,)),)),
        ),
        ("type:denied,story.ended", Filter((Condition(event_types=(EventType.DENIED, EventType.ENDED)),))),
        ("role:supplier country:de", Filter((Condition(roles=(Role.SUPPLIER,), countries=("DE",)),))),
        (
            '"solid  state" -kind:distribution',
            Filter((Condition(words=("solid state",)),), none_of=(Condition(kinds=(Kind.DISTRIBUTION,)),)),
        ),
        (
            "confidence:0.5 origins:2 language:EN",
            Filter((Condition(languages=("en",), min_confidence=0.5, min_origins=2),)),
        ),
        (
            "company:ford sure:denied | company:bmw",
            Filter(
                any_of=(
                    Condition(companies=("ford",), factualities=(Factuality.DENIED,)),
                    Condition(companies=("bmw",)),
                )
            ),
        ),
    ],
)
def test_a_line_means_this(text: str, wanted: Filter) -> None:
    assert parse_filter(text, gazetteer()) == wanted
    assert parse_filter("" if wanted == Filter() else describe(wanted), gazetteer()) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("compny:ford", "'compny:ford': there is no compny:; did you mean company:?"),
        ("company:frod", "'frod': the gazetteer has no such company; did you mean ford?"),
        ("kind:join_venture", "did you mean joint_venture?"),
        ("sure:maybe", "'maybe' is none of confirmed, reported, denied"),
        ("kind:", "kind: needs a value"),
        ("confidence:2", "must be between 0 and 1"),
        ("confidence:nan", "must be between 0 and 1"),
        ("origins:two", "'two' is not a number"),
        ("country:Germany", "'Germany' is not a code of 2 letters"),
        ("daughters:no", "daughters says nothing without"),
        ("daughters:perhaps company:ford", "daughters is yes or no"),
        ('"open', "a quotation mark is not closed"),
        ("ford | ", "an alternative beside | is empty"),
        ("company:ford | kind:supply kind:licensing", "kind is given twice in one alternative"),
        ("kind:supply kind:licensing | company:ford", "given twice in one alternative"),
        ("origins:1 origins:2", "origins is given twice"),
        ("--", "not a word"),
        ("x" * 5000, "longer than 4000 characters"),
    ],
)
def test_a_wrong_line_is_told_which_term(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(text, gazetteer())
    assert said in str(caught.value)


@given(st.text(alphabet='ab:,|- "company:kind-é漢', max_size=40))
def test_any_line_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert describe(parse_filter(text, gazetteer()))
