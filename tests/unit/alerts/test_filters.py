"""The filter language: what a line means, and what is said of a wrong one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.alerts.making import gazetteer

from tieup.alerts.filters import describe, filter_of_companies, filter_of_other_companies, parse_filter
from tieup.errors import UsageError
from tieup.model.labels import EventType, Factuality, Kind, Role
from tieup.model.subscription import Condition, Filter


def parse_any(*companies: str, none: str) -> Filter:
    return Filter(
        any_of=tuple(Condition(companies=(one,)) for one in companies), none_of=(Condition(kinds=(Kind(none),)),)
    )


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
        (
            "kind:supply (company:ford | company:bmw)",
            Filter((Condition(kinds=(Kind.SUPPLY,)),), (Condition(companies=("ford",)), Condition(companies=("bmw",)))),
        ),
        (
            "(company:ford role:supplier) (company:bmw role:customer)",
            Filter(
                (
                    Condition(companies=("ford",), roles=(Role.SUPPLIER,)),
                    Condition(companies=("bmw",), roles=(Role.CUSTOMER,)),
                )
            ),
        ),
        (
            "company:ford -(kind:supply country:cn) -(word:a | word:b)",
            Filter(
                (Condition(companies=("ford",)),),
                none_of=(
                    Condition(kinds=(Kind.SUPPLY,), countries=("CN",)),
                    Condition(words=("a",)),
                    Condition(words=("b",)),
                ),
            ),
        ),
        (
            "company:ford company:bmw daughters:no",
            Filter(
                (Condition(companies=("ford",), daughters=False), Condition(companies=("bmw",), daughters=False)),
            ),
        ),
        ('"Re: solid, state (new)"', Filter((Condition(words=("Re: solid state (new)",)),))),
        ("company:ford | company:bmw -kind:supply", parse_any("ford", "bmw", none="supply")),
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
        ("company:ford | kind:supply kind:licensing", "given twice in one alternative"),
        ("kind:supply kind:licensing | company:ford", "given twice in one alternative"),
        ("origins:1 origins:2", "origins is given twice"),
        ("--", "not a word"),
        ("(company:ford", "a ( is not closed"),
        ("company:ford)", "a ) without its ("),
        ("()", "is empty"),
        ("((company:ford))", "inside of parentheses"),
        ("(company:ford -kind:supply)", "inside of parentheses"),
        ("(a | b) (c | d)", "only one group of alternatives"),
        ("(a | b) | c", "beside alternatives outside"),
        ("country:UK", "no company of the gazetteer is from UK; did you mean GB?"),
        ("x" * 5000, "longer than 4000 characters"),
    ],
)
def test_a_wrong_line_is_told_which_term(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(text, gazetteer())
    assert said in str(caught.value)


@given(st.text(alphabet='ab:,|-() "company:kind-é漢', max_size=40))
def test_any_line_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        wanted = parse_filter(text, gazetteer())
        again = describe(wanted)
        assert parse_filter("" if wanted == Filter() else again, gazetteer()) == wanted


CONDITIONS = st.builds(
    Condition,
    companies=st.sampled_from([(), ("ford",), ("ford", "bmw")]),
    daughters=st.just(True),
    kinds=st.sampled_from([(), (Kind.SUPPLY,)]),
    event_types=st.sampled_from([(), (EventType.DENIED, EventType.ENDED)]),
    words=st.sampled_from([(), ("solid state",), ("a)b", "c|d")]),
    min_confidence=st.sampled_from([None, 0.25, 1.0]),
).filter(lambda one: one != Condition())


@given(st.lists(CONDITIONS, max_size=3), st.lists(CONDITIONS, max_size=3), st.lists(CONDITIONS, max_size=3))
def test_what_is_described_is_read_back(
    all_of: list[Condition], any_of: list[Condition], none_of: list[Condition]
) -> None:
    wanted = Filter(tuple(all_of), tuple(any_of) if len(any_of) > 1 else (), tuple(none_of))
    assert parse_filter("" if wanted == Filter() else describe(wanted), gazetteer()) == wanted


def test_another_watchlist_takes_the_place_of_the_one_that_is_there() -> None:
    asked = parse_filter("type:denied", gazetteer())
    first = filter_of_companies(("ford", "bmw", "ford"), asked)
    assert describe(first) == "(company:ford,bmw) (type:denied)"
    assert filter_of_other_companies(("xiaomi",), first) == filter_of_companies(("xiaomi",), asked)
    assert filter_of_other_companies(("xiaomi",), asked) == filter_of_companies(("xiaomi",), asked)
