import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.making import GAZETTEER, START, article, claim, denies, relation

from tieup.model.labels import Basis, EndedAs, Factuality, FigureRole, Kind, Milestone, Role, Stage
from tieup.model.relation import ArticleRelations, Figure
from tieup.stories.copies import originals
from tieup.stories.lifecycle import Labels, fold
from tieup.stories.statements import statement

CONFIRMED = {"factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}
AGREED = relation("Ford", "BYD", stage=Stage.AGREED)


def folded(*articles: ArticleRelations) -> Labels:
    said = [statement(found, found.relations, GAZETTEER, None) for found in articles]
    return fold([one.article for one in said], [spoken for one in said for spoken in one.claims])


def told(*relations: object, days: tuple[float, ...] | None = None) -> Labels:
    at = days or tuple(range(len(relations)))
    return folded(*(article(f"a{day}", one, day=day) for day, one in zip(at, relations, strict=True)))  # type: ignore[arg-type]


def test_a_specific_kind_replaces_alliance_and_is_not_replaced_by_it() -> None:
    alliance, venture = relation("Ford", "BYD", kind=Kind.ALLIANCE), relation("Ford", "BYD")
    assert told(alliance, venture).kind is Kind.JOINT_VENTURE
    assert told(venture, alliance).kind is Kind.JOINT_VENTURE
    assert told(venture, replace(alliance, **CONFIRMED)).kind is Kind.JOINT_VENTURE


def test_only_a_confirming_article_replaces_a_reported_kind() -> None:
    report, other = relation("Ford", "BYD"), relation("Ford", "BYD", kind=Kind.SUPPLY)
    assert told(report, other).kind is Kind.JOINT_VENTURE
    assert told(report, replace(other, **CONFIRMED)).kind is Kind.SUPPLY


def test_milestones_add_up_and_those_of_a_denial_do_not_count() -> None:
    found = told(
        relation("Ford", "BYD", milestones=(Milestone.CLOSED,)),
        relation("Ford", "BYD", milestones=(Milestone.MOU,)),
        relation("Ford", "BYD", milestones=(Milestone.PAUSED,), factuality=Factuality.DENIED),
    )
    assert found.milestones == (Milestone.MOU, Milestone.CLOSED)


def test_a_report_does_not_replace_a_confirmed_figure_or_binding() -> None:
    def worth(value: str, **given: object) -> object:
        return relation("Ford", "BYD", figures=(Figure(FigureRole.DEAL_VALUE, value, "EUR"),), **given)

    found = told(worth("1"), worth("2", binding=True, **CONFIRMED), worth("3", binding=False))
    assert [figure.value for figure in found.figures] == ["2"]
    assert found.binding is True
    assert [figure.value for figure in told(worth("1"), worth("3")).figures] == ["3"]


def test_of_one_group_the_first_named_is_the_party_unless_an_article_names_both() -> None:
    found = told(relation("Xiaomi", "BAIC"), relation("Xiaomi", "BluePark"))
    assert [party.name for party in found.parties] == ["Xiaomi", "BAIC"]
    assert found.via == ("BluePark",)
    both = told(relation("Volkswagen", "Audi", "Bosch"))
    assert [party.name for party in both.parties] == ["Volkswagen", "Audi", "Bosch"]


def test_how_it_ended_is_said_only_of_an_end() -> None:
    ended = relation("Ford", "BYD", stage=Stage.ENDED, ended_as=EndedAs.DISSOLVED)
    assert told(relation("Ford", "BYD"), ended).ended_as is EndedAs.DISSOLVED
    assert told(ended, relation("Ford", "BYD"), days=(0, 30)).ended_as is None


def ended(how: EndedAs, basis: Basis = Basis.MEDIUM) -> object:
    return relation("Ford", "BYD", stage=Stage.ENDED, ended_as=how, basis=basis)


@pytest.mark.parametrize(
    ("told_of", "expected"),
    [
        ([ended(EndedAs.CANCELLED), ended(EndedAs.DISSOLVED)], EndedAs.CANCELLED),
        ([ended(EndedAs.CANCELLED), ended(EndedAs.DISSOLVED, Basis.NARRATION)], EndedAs.DISSOLVED),
        ([ended(EndedAs.CANCELLED), AGREED, ended(EndedAs.DISSOLVED)], EndedAs.DISSOLVED),
        ([AGREED, ended(EndedAs.TALKS_FAILED), ended(EndedAs.CANCELLED)], EndedAs.CANCELLED),
        ([AGREED, ended(EndedAs.TALKS_FAILED)], EndedAs.TALKS_FAILED),
        ([ended(EndedAs.TALKS_FAILED), ended(EndedAs.CANCELLED)], EndedAs.TALKS_FAILED),
        ([ended(EndedAs.DISSOLVED), relation("Ford", "BYD")], EndedAs.DISSOLVED),
    ],
)
def test_how_it_ended_is_the_first_word_on_the_best_basis_of_the_last_end(
    told_of: list[object], expected: EndedAs
) -> None:
    found = told(*told_of)
    assert (found.stage, found.ended_as) == (Stage.ENDED, expected)


@pytest.mark.parametrize(
    ("words", "binding"),
    [
        ([(True, CONFIRMED), (False, CONFIRMED)], True),
        ([(False, CONFIRMED), (True, CONFIRMED)], True),
        ([(True, {}), (False, {})], False),
        ([(False, CONFIRMED), (True, {})], False),
        ([(False, {}), (None, CONFIRMED)], False),
    ],
)
def test_no_memorandum_replaces_a_definitive_contract(
    words: list[tuple[bool | None, dict[str, object]]], binding: bool
) -> None:
    assert told(*(relation("Ford", "BYD", binding=one, **sure) for one, sure in words)).binding is binding


def test_of_two_confirmed_kinds_the_first_stays() -> None:
    first, other = relation("Ford", "BYD", **CONFIRMED), relation("Ford", "BYD", kind=Kind.SUPPLY, **CONFIRMED)
    assert told(first, other).kind is Kind.JOINT_VENTURE


def test_the_same_number_with_and_without_its_owner_is_one_figure() -> None:
    def stake(*owners: str | None) -> tuple[str | None, ...]:
        figures = [Figure(FigureRole.STAKE, "10", "%", owner) for owner in owners]
        return tuple(one.owner for one in told(*(relation("Ford", "BYD", figures=(one,)) for one in figures)).figures)

    assert stake(None, "Ford") == (None,)
    assert stake("Ford", None) == ("Ford",)
    assert set(stake("Ford", "BYD")) == {"Ford", "BYD"}


def test_a_number_that_was_confirmed_is_not_replaced_by_a_report_of_another() -> None:
    def stakes(*said: tuple[str, str | None, dict[str, object]]) -> set[str]:
        told_of = (
            relation("Ford", "BYD", figures=(Figure(FigureRole.STAKE, value, "%", owner),), **sure)
            for value, owner, sure in said
        )
        return {one.value for one in told(*told_of).figures}

    assert stakes(("10", None, {}), ("10", None, CONFIRMED), ("20", None, {})) == {"10"}
    assert stakes(("10", None, {}), ("20", "Ford", {})) == {"10", "20"}


def test_origins_are_counted_once_and_unknown_ones_never() -> None:
    told_by = ("Reuters", "unknown", "the Reuters", "Ford", "Caixin")
    found = told(*(relation("Ford", "BYD", origin=origin) for origin in told_by))
    assert found.origins == ("Reuters", "Caixin")


def test_a_party_has_the_first_role_that_is_said() -> None:
    plain = relation("Ford", "BYD")
    ford, byd = plain.parties
    roles = (replace(plain, parties=(replace(ford, role=role), byd)) for role in (Role.INVESTOR, Role.SUPPLIER))
    assert [party.role for party in told(plain, *roles).parties] == [Role.INVESTOR, None]


def test_a_contract_after_the_denial_settles_it() -> None:
    report = relation("Ford", "BYD", claims=(claim("anonymous"),))
    denial = relation("Ford", "BYD", factuality=Factuality.DENIED, basis=Basis.PARTY, claims=(denies("Ford"),))
    contract = relation("Ford", "BYD", stage=Stage.AGREED, **CONFIRMED)
    assert told(report, denial).contested
    assert not told(report, denial, contract).contested
    assert told(report, denial, replace(contract, binding=False)).contested
    assert told(report, denial, replace(contract, stage=Stage.TALKS)).contested
    assert not told(report, denial, replace(contract, basis=Basis.AUTHORITY, stage=Stage.TALKS)).contested


def test_a_contract_that_is_only_narrated_settles_where_it_is_definitive_and_the_story_followed_it() -> None:
    denial = relation("Ford", "BYD", factuality=Factuality.DENIED, basis=Basis.PARTY, claims=(denies("Ford"),))
    narrated = relation(
        "Ford", "BYD", stage=Stage.AGREED, factuality=Factuality.CONFIRMED, basis=Basis.NARRATION, binding=True
    )
    report = relation("Ford", "BYD", claims=(claim("anonymous"),))
    assert not told(report, denial, narrated, days=(0, 1, 9)).contested
    assert told(report, denial, replace(narrated, binding=None), days=(0, 1, 9)).contested
    assert told(report, denial, narrated, days=(0, 1, 2)).contested


relations = st.builds(
    lambda parties, kind, stage, sure, spoken, milestones: relation(
        *parties, kind=kind, stage=stage, factuality=sure[0], basis=sure[1], claims=spoken, milestones=milestones
    ),
    st.sampled_from([("Ford", "Xiaomi"), ("Xiaomi", "Ford", "BYD"), ("Xiaomi", "BAIC"), ("BluePark", "Xiaomi")]),
    st.sampled_from(Kind),
    st.sampled_from(Stage),
    st.sampled_from(
        [(Factuality.REPORTED, Basis.MEDIUM), (Factuality.CONFIRMED, Basis.PARTY), (Factuality.DENIED, Basis.PARTY)]
    ),
    st.sampled_from([(), (denies("Ford"),), (claim("anonymous"),), (claim("Xiaomi"), denies("Ford"))]),
    st.sampled_from([(), (Milestone.MOU,), (Milestone.CLOSED,)]),
)
stories = st.lists(st.tuples(relations, st.integers(0, 30)), min_size=1, max_size=7)


@settings(max_examples=80, deadline=None)
@given(stories, st.randoms(use_true_random=False))
def test_shuffled_articles_give_the_same_labels(found: list[tuple[object, int]], order: random.Random) -> None:
    articles = [article(f"a{at}", one, day=day) for at, (one, day) in enumerate(found)]  # type: ignore[arg-type]
    shuffled = list(articles)
    order.shuffle(shuffled)
    assert folded(*articles) == folded(*shuffled)


def test_the_first_in_time_is_the_original_whichever_came_first() -> None:
    assert originals({"a": None, "b": "a"}) == originals({"a": "b", "b": None}) == {"b": "a"}
    assert originals({"a": "c", "b": None, "c": None, "d": "b"}) == {"c": "a", "d": "b"}
    assert originals({"a": "b", "b": "a", "c": "b"}) == {"b": "a", "c": "a"}
    assert originals({"b": "a", "c": "b"}) == {"b": "a", "c": "a"}
    assert originals({"a": None, "b": None}) == {}


def test_a_copy_adds_no_detail() -> None:
    first = article("a", relation("Ford", "BYD"))
    copy = article("b", relation("Ford", "BYD", "CATL", kind=Kind.SUPPLY, **CONFIRMED), day=1)
    said = [
        statement(first, first.relations, GAZETTEER, None),
        statement(copy, copy.relations, GAZETTEER, first.article_id),
    ]
    found = fold([one.article for one in said], [])
    assert (found.kind, len(found.parties)) == (Kind.JOINT_VENTURE, 2)
    assert found.factuality is Factuality.CONFIRMED


def test_the_order_is_that_of_event_time_not_of_arrival() -> None:
    report = article("late", relation("Ford", "BYD"))
    denial = article("early", relation("Ford", "BYD", factuality=Factuality.DENIED, basis=Basis.PARTY), day=1)
    assert folded(denial, report).factuality is Factuality.DENIED
    later = replace(report, event_time=START + timedelta(days=9))
    assert folded(denial, later).factuality is Factuality.DENIED
