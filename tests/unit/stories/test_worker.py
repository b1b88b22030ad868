from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.stories.making import (
    GAZETTEER,
    START,
    article,
    claim,
    compacted,
    denies,
    events,
    feed,
    fields,
    record,
    relation,
    take,
    types,
    worker,
    written,
)

from tieup.errors import BadRecord, StateVersionError
from tieup.events.validate import SchemaValidator
from tieup.log.base import Change, Output, Record
from tieup.log.topics import ASSIGNMENTS, CORRECTIONS, EVENTS, RELATIONS, STORIES
from tieup.model.labels import Basis, Factuality, Focus, Kind, Milestone, Stage
from tieup.model.relation import ArticleRelations
from tieup.stories.worker import StoryWorker, story_spec

CONFIRMED = {"factuality": Factuality.CONFIRMED, "basis": Basis.PARTY}
DENIED = {"factuality": Factuality.DENIED, "basis": Basis.PARTY}
BACKGROUND = {**CONFIRMED, "focus": Focus.BACKGROUND, "stage": Stage.ACTIVE}
WIRE = "Ford spoke with Xiaomi about a joint venture in the United States, four people with knowledge of it said. " * 3

REPORT = article(
    "ft-report",
    relation("Ford", "Xiaomi", origin="Financial Times", claims=(claim("anonymous"),)),
    relation("Ford", "CATL", kind=Kind.LICENSING, **BACKGROUND),
)
REWRITE = article("rewrite", relation("Xiaomi", "Ford", origin="Financial Times"), day=0.2)
DENIAL = article("ford-denies", relation("Ford", "Xiaomi", claims=(denies("Ford"),), **DENIED), day=0.5)
BOTH_DENY = article(
    "xiaomi-denies", relation("Ford", "Xiaomi", claims=(denies("Ford"), denies("Xiaomi")), **DENIED), day=0.6
)
REUTERS = article(
    "reuters",
    relation(
        "Ford",
        "Xiaomi",
        kind=Kind.ALLIANCE,
        origin="Reuters",
        claims=(claim("Ford", "declines_comment"), claim("anonymous")),
    ),
    day=1,
)
JILIN = article(
    "jilin",
    relation("Xiaomi", "FAW", kind=Kind.ALLIANCE, factuality=Factuality.CONFIRMED, basis=Basis.AUTHORITY),
    relation("Volkswagen", "FAW", **BACKGROUND),
    day=2,
)
BAIC = article(
    "baic", relation("Xiaomi", "BAIC", kind=Kind.CONTRACT_MANUFACTURING, via=("BluePark",), origin="Bloomberg"), day=3
)
SAGA = (REPORT, REWRITE, DENIAL, BOTH_DENY, REUTERS, JILIN, BAIC)


def story_of(one: StoryWorker, found: ArticleRelations) -> str:
    return next(filter(None, one.memory.assignments[found.article_id].story_ids))


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


def test_what_is_no_record_of_an_article_is_a_bad_record() -> None:
    for value in (b"{", b"{}", None):
        with pytest.raises(BadRecord, match="relations"):
            worker().process(Record(RELATIONS, 0, 7, b"a", value, 0))
    with pytest.raises(BadRecord, match="other"):
        worker().process(Record("other", 0, 7, b"a", b"{}", 0))


@pytest.mark.parametrize("value", [b'{"state_version":99}', b"{}", b"{", b'{"state_version":1}'])
def test_state_of_another_version_is_refused(value: bytes) -> None:
    with pytest.raises(StateVersionError, match="abc"):
        worker().apply(Change(STORIES, b"abc", value))


def test_tombstones_forget() -> None:
    one = worker()
    feed(one, REPORT)
    one.apply(Change(STORIES, story_of(one, REPORT).encode(), None))
    one.apply(Change(ASSIGNMENTS, REPORT.article_id.encode(), None))
    assert not one.memory.stories
    assert not one.memory.assignments
    assert len(one.memory.duplicates) == 0
    assert types(feed(one, REPORT)) == ["opened"]


def test_process_changes_nothing_by_itself() -> None:
    one = worker()
    feed(one, REPORT)
    assert one.process(record(DENIAL)) == one.process(record(DENIAL))


def test_the_spec() -> None:
    spec = story_spec(GAZETTEER)
    assert (spec.streams, spec.out) == ((RELATIONS, CORRECTIONS), (EVENTS,))
    assert spec.state == (STORIES, ASSIGNMENTS)
    assert isinstance(spec.build(0), StoryWorker)


def test_all_that_is_written_is_valid() -> None:
    validator = SchemaValidator()
    one = worker()
    for found in (*SAGA, replace(REPORT, version=2, relations=())):
        for topic, _, value in written([take(one, record(found))]):
            validator.check(topic, value)


def test_a_story_and_its_events_stay_bounded() -> None:
    one = worker()
    validator = SchemaValidator()
    words = "Wörter 漢字 " * 60
    for at in range(230):
        spoken = (claim(f"insider {at} " + "x" * 300, quote=words), claim("Ford", quote=words))
        found = article(
            f"{at}",
            relation("Ford", "Xiaomi", claims=spoken, origin=f"Medium {at}"),
            day=at / 100,
            title=words,
            url="https://a.example/" + "u" * 3_000,
        )
        for topic, _, value in written([take(one, record(found))]):
            validator.check(topic, value)
    story = one.memory.stories[story_of(one, found)]
    assert story.article_count == 230
    assert len(story.articles) <= 200
    assert len(story.claims) <= 200


def test_a_restart_before_any_record_gives_the_same_bytes() -> None:
    straight = worker()
    expected = [take(straight, record(found)) for found in SAGA]
    for cut in range(len(SAGA)):
        assert written(restarted(SAGA, {cut})) == written(expected)


def restarted(saga: tuple[ArticleRelations, ...], cuts: set[int]) -> list[Output]:
    """The outputs of a worker that is rebuilt from its compacted state before each record of `cuts`."""
    one, outputs = worker(), []
    for at, found in enumerate(saga):
        if at in cuts:
            one = worker()
            for (topic, key), value in compacted(outputs).items():
                one.apply(Change(topic, key, value))
        outputs.append(take(one, record(found, at)))
    return outputs


names = st.sampled_from(
    [("Ford", "Xiaomi"), ("Xiaomi", "Ford"), ("Ford", "BYD"), ("Audi", "FAW"), ("Volkswagen", "FAW")]
)
relations = st.builds(
    lambda parties, kind, stage, factuality, focus, spoken, origin: relation(
        *parties,
        kind=kind,
        stage=stage,
        factuality=factuality,
        basis=Basis.ANONYMOUS if factuality is Factuality.REPORTED else Basis.PARTY,
        focus=focus,
        claims=spoken,
        origin=origin,
    ),
    names,
    st.sampled_from([Kind.JOINT_VENTURE, Kind.SUPPLY, Kind.ALLIANCE]),
    st.sampled_from(Stage),
    st.sampled_from(Factuality),
    st.sampled_from([Focus.NEWS, Focus.NEWS, Focus.BACKGROUND]),
    st.sampled_from([(), (denies("Ford"),), (claim("anonymous"),), (claim("Xiaomi"),)]),
    st.sampled_from(["unknown", "Reuters", "Caixin"]),
)
sagas = st.lists(
    st.builds(
        lambda name, version, found, day: replace(
            article(name, *found, day=day), version=version, observed_at=START + timedelta(days=500)
        ),
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.integers(1, 3),
        st.lists(relations, max_size=3),
        st.sampled_from([0, 1, 2, 40, 200, 450]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(sagas, st.sets(st.integers(0, 8), max_size=3))
def test_restarts_anywhere_give_the_same_bytes(saga: list[ArticleRelations], cuts: set[int]) -> None:
    assert written(restarted(tuple(saga), set())) == written(restarted(tuple(saga), cuts))


@settings(max_examples=60, deadline=None)
@given(sagas)
def test_one_event_per_story_and_article_and_none_without_a_change(saga: list[ArticleRelations]) -> None:
    one = worker()
    revisions: dict[str, int] = {}
    for found in saga:
        told = events(take(one, record(found)))
        assert len({event["story_id"] for event in told}) == len(told)
        for event in told:
            assert event["changes"]
            assert all(change["old"] != change["new"] for change in event["changes"])
            assert event["revision"] == revisions.get(event["story_id"], 0) + 1
            revisions[event["story_id"]] = event["revision"]
    assert {story.id: story.revision for story in one.memory.stories.values()} == revisions


def test_two_workers_write_the_same_bytes() -> None:
    assert written([take(worker(), record(REPORT))]) == written([take(worker(), record(REPORT))])
    assert orjson.loads(take(worker(), record(REPORT)).records[0].value or b"")["data_version"] == "1"


def test_an_article_dated_in_the_future_puts_nothing_to_sleep() -> None:
    one = worker()
    feed(one, REPORT)
    future = article("future", relation("Renault", "Nissan"), day=4_000, observed_at=START + timedelta(days=1))
    feed(one, future)
    assert one.memory.stories.asleep <= 1
    assert one.memory.stream_time == START + timedelta(days=1)
    feed(one, REWRITE, DENIAL)
    assert one.memory.stories[story_of(one, REPORT)].article_count == 3
    assert one.memory.stories.asleep == 0


def test_a_story_asleep_is_woken_by_an_article_that_fits() -> None:
    one = worker()
    feed(one, article("agreed", relation("Ford", "Xiaomi", stage=Stage.AGREED, **CONFIRMED)))
    feed(one, article("other", relation("Renault", "Nissan"), day=200))
    assert one.memory.stories.asleep == 1
    woken = article("active", relation("Ford", "Xiaomi", stage=Stage.ACTIVE, **CONFIRMED), day=201)
    assert types(feed(one, woken)) == ["stage_changed"]
    assert one.memory.stories.asleep == 0
