"""What the story worker tells, article by article."""

from dataclasses import replace

import pytest
from tests.unit.stories.making import article, feed, fields, record, relation, types, worker
from tests.unit.stories.worked_example import CONFIRMED, DENIAL, REPORT, REWRITE, SAGA, WIRE, story_of

from tieup.log.base import Output
from tieup.model.labels import Factuality, Kind, Milestone, Stage


def test_the_worked_example() -> None:
    one = worker()
    told = feed(one, *SAGA)
    assert types(told) == ["opened", "denied", "denied", "corroborated", "opened", "opened"]
    story = one.memory.stories[story_of(one, REPORT)]
    assert (story.kind, story.stage, story.factuality) == (Kind.JOINT_VENTURE, Stage.TALKS, Factuality.DENIED)
    assert story.contested
    assert [position.stance for position in story.stance_by_party] == ["denies", "denies"]
    assert story.origins == ("Financial Times", "Reuters")
    assert (story.article_count, story.rewrites) == (5, 1)
    assert [(moment.type, moment.factuality) for moment in story.history][:2] == [
        ("story.opened", "reported"),
        ("story.denied", "denied"),
    ]
    assert told[2]["headline"]["en"] == "Ford and Xiaomi deny talks on a joint venture, reported by Financial Times"
    assert (told[4]["factuality"], told[4]["basis"]) == ("confirmed", "authority")
    assert (told[5]["kind"], told[5]["via"]) == ("contract_manufacturing", ["BluePark"])


def test_background_opens_nothing_and_is_the_history_of_ties() -> None:
    one = worker()
    told = feed(one, REPORT, article("licence", relation("Ford", "CATL", kind=Kind.LICENSING), day=40))
    assert types(told) == ["opened", "opened"]
    assert [(tie["kind"], tie["stage"]) for tie in told[1]["previous_ties"]] == [("licensing", "active")]
    assert one.memory.assignments[REPORT.article_id].story_ids[1] is None


def test_a_rewrite_is_counted_and_alerts_nobody() -> None:
    one = worker()
    feed(one, REPORT)
    rewrites = [article(f"rewrite-{at}", REPORT.relations[0], day=0.1 + at / 100) for at in range(39)]
    assert feed(one, *rewrites) == []
    assert one.memory.stories[story_of(one, REPORT)].rewrites == 39


def test_a_copy_counts_on_its_original_and_is_no_origin() -> None:
    one = worker()
    feed(one, article("wire", relation("Ford", "Xiaomi", origin="Reuters"), text=WIRE))
    copy = article("copy", relation("Ford", "Xiaomi", origin="Bloomberg"), text=WIRE + "Read more here.", day=1)
    assert feed(one, copy) == []
    assert one.memory.assignments[copy.article_id].duplicate_of == article("wire").article_id
    assert one.memory.stories[story_of(one, copy)].origins == ("Reuters",)


def test_the_same_words_about_others_are_no_copy() -> None:
    one = worker()
    feed(one, article("wire", relation("Ford", "Xiaomi", origin="Reuters"), text=WIRE))
    other = article("other", relation("Ford", "BYD", origin="Reuters"), text=WIRE.replace("Xiaomi", "BYD"), day=1)
    assert types(feed(one, other)) == ["opened"]
    assert one.memory.assignments[other.article_id].duplicate_of is None
    assert one.memory.stories[story_of(one, other)].origins == ("Reuters",)


def test_origins_corroborate_at_the_second_and_the_fourth() -> None:
    one = worker()
    names = ["Reuters", "unknown", "Ford", "Caixin", "Nikkei", "The reuters", "Bloomberg", "FT"]
    told = [feed(one, article(name, relation("Ford", "Xiaomi", origin=name), day=at)) for at, name in enumerate(names)]
    assert [types(found) for found in told] == [["opened"], [], [], ["corroborated"], [], [], ["corroborated"], []]


def test_an_edit_that_turns_a_report_into_a_denial() -> None:
    one = worker()
    edited = replace(DENIAL, article_id=REPORT.article_id, version=2, event_time=REPORT.event_time)
    told = feed(one, REPORT, edited)
    assert types(told) == ["opened", "denied"]
    assert one.memory.stories[told[0]["story_id"]].article_count == 1


def test_an_edit_that_takes_the_deal_back_corrects() -> None:
    one = worker()
    told = feed(one, REPORT, replace(REPORT, version=2, relations=()))
    assert types(told) == ["opened", "corrected"]
    story = one.memory.stories[told[0]["story_id"]]
    assert story.withdrawn
    assert story.article_count == 0
    assert told[1]["headline"]["en"].startswith("Withdrawn by its source: ")
    assert types(feed(one, article("again", relation("Ford", "Xiaomi"), day=5))) == ["revived"]
    assert not one.memory.stories[story.id].withdrawn


def test_an_excerpt_takes_nothing_back_and_hides_nothing_that_a_whole_text_takes_back() -> None:
    one = worker()
    assert feed(one, REPORT, replace(REPORT, version=2, relations=(), excerpt=True))[1:] == []
    (story,) = one.memory.stories.values()
    assert not story.withdrawn
    denied = replace(DENIAL, article_id=REPORT.article_id, version=3, event_time=REPORT.event_time, excerpt=True)
    assert [event["type"] for event in feed(one, denied)] == ["story.denied"]
    assert [event["type"] for event in feed(one, replace(REPORT, version=4, relations=()))] == ["story.corrected"]


def test_taking_back_what_others_state_too_is_no_event() -> None:
    one = worker()
    feed(one, REPORT, REWRITE)
    assert feed(one, replace(REWRITE, version=2, relations=())) == []
    assert one.memory.stories[story_of(one, REPORT)].rewrites == 0


def test_an_older_version_changes_nothing() -> None:
    one = worker()
    feed(one, replace(REPORT, version=2))
    assert one.process(record(REPORT)) == Output()
    assert one.process(record(replace(REPORT, version=2))) == Output()


def test_a_late_article_does_not_roll_the_state_back() -> None:
    one = worker()
    late = article("late", relation("Ford", "Xiaomi"), day=0.3)
    assert types(feed(one, REPORT, DENIAL, late)) == ["opened", "denied"]
    assert one.memory.stories[story_of(one, late)].factuality is Factuality.DENIED


def test_several_relations_of_one_article_in_one_story_give_one_event() -> None:
    one = worker()
    both = article(
        "package",
        relation("Ford", "Xiaomi", kind=Kind.JOINT_DEVELOPMENT),
        relation("Ford", "Xiaomi", kind=Kind.SUPPLY, milestones=(Milestone.MOU,)),
    )
    told = feed(one, both)
    assert types(told) == ["opened"]
    assert told[0]["milestones"] == ["mou"]


def test_news_after_180_silent_days_revives() -> None:
    one = worker()
    told = feed(
        one,
        article("agreed", relation("Ford", "Xiaomi", stage=Stage.AGREED, **CONFIRMED)),
        article("still", relation("Ford", "Xiaomi", stage=Stage.AGREED, **CONFIRMED), day=181),
    )
    assert types(told) == ["opened", "revived"]
    assert fields(told[1]) == {"silence"}


def test_news_after_an_end_revives() -> None:
    one = worker()
    told = feed(
        one,
        article("end", relation("Ford", "Xiaomi", stage=Stage.ENDED, **CONFIRMED)),
        article("again", relation("Ford", "Xiaomi"), day=20),
    )
    assert types(told) == ["ended", "revived"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"stage": Stage.AGREED, **CONFIRMED}, "confirmed"),
        ({"stage": Stage.AGREED}, "stage_changed"),
        ({"stage": Stage.ENDED}, "ended"),
        ({"milestones": (Milestone.MOU,)}, "updated"),
        ({"binding": False}, "updated"),
    ],
)
def test_the_type_of_the_second_event(labels: dict[str, object], expected: str) -> None:
    told = feed(
        worker(),
        article("one", relation("Ford", "Xiaomi")),
        article("two", relation("Ford", "Xiaomi", **labels), day=1),
    )
    assert types(told) == ["opened", expected]
