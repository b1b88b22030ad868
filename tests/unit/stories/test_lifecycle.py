import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.making import GAZETTEER, START, article, claim, denies, relation

from tieup.model.labels import Basis, EndedAs, Factuality, FigureRole, Kind, Milestone, Stage
from tieup.model.relation import ArticleRelations, Figure
from tieup.stories.copies import originals
from tieup.stories.lifecycle import Labels, fold
from tieup.stories.statements import statement

CONFIRMED = {"factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}


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


def test_a_contract_after_the_denial_settles_it() -> None:
    report = relation("Ford", "BYD", claims=(claim("anonymous"),))
    denial = relation("Ford", "BYD", factuality=Factuality.DENIED, basis=Basis.PARTY, claims=(denies("Ford"),))
    contract = relation("Ford", "BYD", stage=Stage.AGREED, **CONFIRMED)
    assert told(report, denial).contested
    assert not told(report, denial, contract).contested
    assert told(report, denial, replace(contract, binding=False)).contested


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
