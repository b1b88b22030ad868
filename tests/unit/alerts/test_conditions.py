"""What a filter accepts, and that the index accepts exactly the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.alerts.making import event, gazetteer, subscription

from tieup.alerts.conditions import facts_of, passes
from tieup.alerts.filters import parse_filter
from tieup.alerts.index import SubscriptionIndex
from tieup.ids import derive_id
from tieup.model.labels import EventType, Factuality, Kind, Role, Stage
from tieup.model.story import EventParty
from tieup.model.subscription import Condition, Filter

AUDI = EventParty("Audi", "audi", Role.CUSTOMER, "volkswagen_group", "DE")
CATL = EventParty("CATL", "catl", Role.SUPPLIER, None, "CN")


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("", True),
        ("company:ford", True),
        ("company:ford,bmw", True),
        ("company:bmw", False),
        ("company:ford company:xiaomi", True),
        ("together:ford,xiaomi", True),
        ("together:ford,bmw", False),
        ("country:US", True),
        ("company:xiaomi country:US", False),  # one and the same party
        ("company:xiaomi country:CN", True),
        ("kind:joint_venture stage:talks", True),
        ("kind:supply", False),
        ("type:denied sure:reported", True),
        ("-type:denied", False),
        ("confidence:0.94", True),
        ("confidence:0.95", False),
        ("origins:1", True),
        ("origins:2", False),
        ("language:de", True),
        ("language:ja", False),
        ('"completely false"', True),
        ("FALSE", True),
        ("fals", False),
        ("Gemeinschaftsunternehmen", True),
        ("company:bmw | kind:joint_venture", True),
        ("company:bmw | kind:supply", False),
    ],
)
def test_of_a_denial_by_ford_and_xiaomi(text: str, accepted: bool) -> None:
    assert passes(parse_filter(text, gazetteer()), facts_of(event(), gazetteer())) is accepted


def test_a_company_stands_for_its_daughters_unless_told() -> None:
    facts = facts_of(event(parties=(AUDI, CATL)), gazetteer())
    (above, *_) = [one for one in facts.parties[0].group if one != "audi"]
    assert passes(parse_filter(f"company:{above}", gazetteer()), facts)
    assert not passes(parse_filter(f"company:{above} daughters:no", gazetteer()), facts)
    assert passes(parse_filter("company:audi daughters:no", gazetteer()), facts)


def test_a_role_belongs_to_the_company_named() -> None:
    facts = facts_of(event(parties=(AUDI, CATL)), gazetteer())
    assert passes(parse_filter("company:catl role:supplier", gazetteer()), facts)
    assert not passes(parse_filter("company:audi role:supplier", gazetteer()), facts)


def test_a_phrase_does_not_run_from_one_text_into_the_next() -> None:
    facts = facts_of(event(claims=()), gazetteer())
    end, start = facts.event.headline.en.split()[-1], facts.event.headline.de.split()[0]
    assert not passes(Filter((Condition(words=(f"{end} {start}",)),)), facts)


def test_words_without_spaces_are_found_anywhere() -> None:
    facts = facts_of(replace(event(), cause=replace(event().cause, title="小米与福特谈判成立合资企业")), gazetteer())
    assert passes(parse_filter("合资", gazetteer()), facts)
    assert not passes(parse_filter("资合", gazetteer()), facts)


COMPANIES = st.sampled_from(["ford", "xiaomi", "audi", "catl", "volkswagen", "bmw"])
CONDITIONS = st.builds(
    Condition,
    companies=st.lists(COMPANIES, max_size=2).map(tuple),
    daughters=st.booleans(),
    roles=st.lists(st.sampled_from(Role), max_size=1).map(tuple),
    countries=st.lists(st.sampled_from(["DE", "US", "CN"]), max_size=1).map(tuple),
    together=st.lists(COMPANIES, max_size=2).map(tuple),
    kinds=st.lists(st.sampled_from([Kind.JOINT_VENTURE, Kind.SUPPLY]), max_size=2).map(tuple),
    stages=st.lists(st.sampled_from([Stage.TALKS, Stage.ACTIVE]), max_size=1).map(tuple),
    factualities=st.lists(st.sampled_from([Factuality.REPORTED, Factuality.DENIED]), max_size=1).map(tuple),
    event_types=st.lists(st.sampled_from([EventType.DENIED, EventType.OPENED]), max_size=1).map(tuple),
    languages=st.lists(st.sampled_from(["de", "fr"]), max_size=1).map(tuple),
    words=st.lists(st.sampled_from(["false", "completely false", "nothing of the sort"]), max_size=2).map(tuple),
    min_origins=st.sampled_from([None, 1, 2]),
)
FILTERS = st.builds(
    Filter,
    all_of=st.lists(CONDITIONS, max_size=2).map(tuple),
    any_of=st.lists(CONDITIONS, max_size=2).map(tuple),
    none_of=st.lists(CONDITIONS, max_size=1).map(tuple),
)
EVENTS = st.builds(
    event,
    kind=st.sampled_from([Kind.JOINT_VENTURE, Kind.SUPPLY]),
    stage=st.sampled_from([Stage.TALKS, Stage.ACTIVE]),
    factuality=st.sampled_from([Factuality.REPORTED, Factuality.DENIED]),
    type=st.sampled_from([EventType.DENIED, EventType.OPENED]),
    parties=st.lists(st.sampled_from([AUDI, CATL, *event().parties]), max_size=3, unique=True).map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(FILTERS, min_size=1, max_size=12), st.lists(EVENTS, min_size=1, max_size=3), st.data())
def test_the_index_finds_what_a_scan_finds(filters: list, events: list, data: st.DataObject) -> None:
    index = SubscriptionIndex()
    known = {}
    for number, one in enumerate(filters):
        known[derive_id(str(number))] = replace(subscription(), id=derive_id(str(number)), filter=one)
        index.put(known[derive_id(str(number))])
    for gone in data.draw(st.lists(st.sampled_from(sorted(known)), unique=True, max_size=len(known) - 1)):
        index.remove(gone)
        del known[gone]
    for one in events:
        facts = facts_of(one, gazetteer())
        wanted = sorted(key for key, its in known.items() if passes(its.filter, facts))
        assert [found.id for found in index.matching(facts)] == wanted


def test_what_cannot_match_is_not_visited(monkeypatch: pytest.MonkeyPatch) -> None:
    visited = []
    monkeypatch.setattr(
        "tieup.alerts.index.passes", lambda wanted, facts: visited.append(wanted) or passes(wanted, facts)
    )
    index = SubscriptionIndex()
    texts = [
        "company:bmw",
        "kind:supply",
        "company:ford kind:supply",
        "country:DE",
        "ford word:notsaid",
        "role:supplier",
    ]
    for number, text in enumerate(f"{text} -origins:{one + 1}" for text in texts for one in range(50)):
        index.put(subscription(text, name=str(number)))
    for number in range(200):  # all of Ford, each with a word of its own
        index.put(subscription(f"company:ford word{number}", name=f"word {number}"))
    index.put(subscription("company:ford", name="the one"))
    assert [found.name for found in index.matching(facts_of(event(), gazetteer()))] == ["the one"]
    assert len(visited) <= 60  # the fifty that say Ford


def test_a_paused_subscription_is_filed_nowhere() -> None:
    index = SubscriptionIndex()
    index.put(subscription())
    index.put(subscription(paused=True))
    assert index.matching(facts_of(event(), gazetteer())) == []
    assert len(index) == 1
