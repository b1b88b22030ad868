import pytest
from tests.unit.stories.making import GAZETTEER, article, feed, relation, worker

from tieup.companies.company import Company
from tieup.companies.gazetteer import Gazetteer
from tieup.model.labels import Basis, Factuality, Focus, Kind, Stage
from tieup.model.relation import Relation
from tieup.stories.worker import StoryWorker

AGREED = {"stage": Stage.AGREED, "factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}


def stories(*told: tuple[Relation, float]) -> list[int]:
    """For each relation, told by an article of its own, the number of its story."""
    one = worker()
    ids = []
    for at, (said, day) in enumerate(told):
        found = article(f"a{at}", said, day=day)
        feed(one, found)
        ids.append(one.memory.assignments[found.article_id].story_ids[0])
    return [ids.index(story_id) for story_id in ids]


@pytest.mark.parametrize(
    ("one", "other", "day"),
    [
        (relation("Ford", "Xiaomi"), relation("Xiaomi", "Ford"), 0),
        (relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.ALLIANCE), 40),
        (relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.CONTRACT_MANUFACTURING), 3),
        (relation("Ford", "Xiaomi", "BYD", "CATL"), relation("BYD", "Ford"), 3),
        (relation("Xiaomi", "BAIC"), relation("Xiaomi", "BluePark"), 3),
        (relation("Bosch", "Argo AI"), relation("Bosch", "ARGO-AI"), 3),
        (relation("Ford", "Xiaomi", **AGREED), relation("Ford", "Xiaomi", **AGREED), 700),
    ],
)
def test_one_deal(one: Relation, other: Relation, day: float) -> None:
    assert stories((one, 0), (other, day)) == [0, 0]


@pytest.mark.parametrize(
    ("one", "other", "day"),
    [
        (relation("Ford", "Xiaomi"), relation("Ford", "BYD"), 0),
        (relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.SUPPLY), 0),
        (relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi"), 400),
        (relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.CONTRACT_MANUFACTURING), 200),
        (relation("Renault", "Nissan", "Ford"), relation("Nissan", "Ford", "Xiaomi", "BYD"), 0),
        (relation("Ford", "Xiaomi", venture="Blue"), relation("Ford", "Xiaomi", venture="Red"), 0),
    ],
)
def test_two_deals(one: Relation, other: Relation, day: float) -> None:
    assert stories((one, 0), (other, day)) == [0, 1]


def test_an_undated_article_is_judged_without_its_time() -> None:
    one = worker()
    feed(one, article("dated", relation("Ford", "Xiaomi")))
    undated = article("undated", relation("Ford", "Xiaomi"), day=900, published=None)
    feed(one, undated)
    assert len(one.memory.stories) == 1


def test_a_company_that_changed_its_group_is_still_itself() -> None:
    companies = {
        one.id: one
        for one in (*GAZETTEER, Company("mini", "Mini", (), "GB", ("brand",), True, "ford", parent_since=2027))
    }
    one = StoryWorker(Gazetteer(companies, GAZETTEER.rules))
    feed(one, article("before", relation("Mini", "Bosch", **AGREED)))
    feed(one, article("after", relation("Mini", "Bosch", **AGREED), day=400))
    assert len(one.memory.stories) == 1


def test_a_tie_inside_a_group_is_no_tie_of_the_group_with_others() -> None:
    assert stories((relation("Xiaomi", "BAIC", "BluePark"), 0), (relation("BAIC", "BluePark"), 1)) == [0, 0]
    assert stories((relation("Volkswagen", "Xiaomi", "BAIC"), 0), (relation("BAIC", "BluePark"), 1)) == [0, 1]


def test_two_contracts_in_one_article_stay_apart() -> None:
    one = worker()
    both = article("both", relation("Ford", "Xiaomi"), relation("Ford", "Xiaomi", kind=Kind.SUPPLY))
    feed(one, both)
    assert len(set(one.memory.assignments[both.article_id].story_ids)) == 2


def test_a_relation_of_one_company_is_no_tie() -> None:
    one = worker()
    alone = article("alone", relation("Ford", "Ford"))
    assert feed(one, alone) == []
    assert one.memory.assignments[alone.article_id].story_ids == (None,)


@pytest.mark.parametrize(
    ("one", "other", "day"),
    [
        (relation("Ford", "Xiaomi", "BYD", kind=Kind.ALLIANCE, **AGREED), relation("Ford", "BYD", **AGREED), 600),
        (relation("Volkswagen", "FAW", **AGREED), relation("Audi", "BYD", **AGREED), 0),
        (
            relation("Ford", "CATL", kind=Kind.LICENSING, **AGREED),
            relation("Ford", "CATL", kind=Kind.SUPPLY, **AGREED),
            400,
        ),
    ],
)
def test_deals_that_are_easily_taken_for_one(one: Relation, other: Relation, day: float) -> None:
    assert stories((one, 0), (other, day)) == [0, 1]


@pytest.mark.parametrize(
    ("one", "other", "day", "together"),
    [
        ("Audi", "Skoda", 1, False),
        ("Volkswagen", "Audi", 1, True),
        ("Audi", "Volkswagen", 1, True),
        ("Volkswagen", "Audi", 60, False),
    ],
)
def test_a_daughter_has_deals_of_her_own(one: str, other: str, day: float, together: bool) -> None:
    found = stories((relation(one, "FAW", **AGREED), 0), (relation(other, "FAW", **AGREED), day))
    assert (found == [0, 0]) is together


def test_a_daughter_who_stands_for_her_group_is_told_with_it_later_too() -> None:
    by_daughter = relation("Volkswagen", "FAW", via=("Audi",), **AGREED)
    assert stories((by_daughter, 0), (relation("Audi", "FAW", **AGREED), 60)) == [0, 0]


def test_a_party_list_of_which_each_side_lacks_one_is_another_deal() -> None:
    one, other = ("Ford", "Xiaomi", "BYD", "CATL"), ("Ford", "Xiaomi", "BYD", "Bosch")
    assert stories((relation(*one, **AGREED), 0), (relation(*other, **AGREED), 1)) == [0, 1]
    assert stories((relation(*one, **AGREED), 0), (relation(*one[:3], **AGREED), 1)) == [0, 0]


def test_the_same_venture_is_the_same_deal_whatever_its_kind() -> None:
    venture, supply = ({"venture": "Blue", **AGREED}, {"venture": "Blue", "kind": Kind.SUPPLY, **AGREED})
    assert stories((relation("Ford", "Xiaomi", **venture), 0), (relation("Ford", "Xiaomi", **supply), 1)) == [0, 0]


def test_talks_of_an_open_kind_go_to_the_rumour_not_to_the_contract() -> None:
    licence = relation("Ford", "Xiaomi", kind=Kind.LICENSING, **AGREED)
    takeover = relation("Ford", "Xiaomi", kind=Kind.MERGER_ACQUISITION)
    assert stories((licence, 0), (takeover, 1), (relation("Ford", "Xiaomi", kind=Kind.ALLIANCE), 2)) == [0, 1, 1]


def test_an_article_without_news_is_found_where_its_main_tie_is_told() -> None:
    one = worker()
    background = relation("Ford", "Xiaomi", focus=Focus.BACKGROUND, factuality=Factuality.CONFIRMED)
    told = article("told", relation("Ford", "Xiaomi"))
    recalls = article("recalls", background, relation("Ford", "CATL", focus=Focus.BACKGROUND), day=500)
    feed(one, told)
    before = dict(one.memory.stories)
    assert feed(one, recalls) == []
    (story_id,) = before
    assert one.memory.assignments[recalls.article_id].story_ids == (story_id, None)
    assert one.memory.stories == before


def test_an_article_with_news_is_not_put_to_what_it_recalls() -> None:
    one = worker()
    feed(one, article("told", relation("Ford", "Xiaomi")))
    both = article("both", relation("Ford", "Xiaomi", focus=Focus.BACKGROUND), relation("Ford", "CATL"), day=1)
    feed(one, both)
    assert one.memory.assignments[both.article_id].story_ids[0] is None


def test_the_partners_of_a_hub_stay_apart_though_an_earlier_article_named_all_three() -> None:
    one = worker()
    feed(one, article("three", relation("Ford", "Xiaomi", "BYD")))
    hub = article("hub", relation("Ford", "Xiaomi"), relation("Ford", "BYD"), day=1)
    feed(one, hub)
    assert len(set(one.memory.assignments[hub.article_id].story_ids)) == 2
