from dataclasses import replace
from datetime import timedelta

from tests.unit.stories.making import GAZETTEER, START, relation

from tieup.articles.signature import sign
from tieup.model.labels import Basis, Factuality, Kind, Stage
from tieup.model.story import Assignment, Story, StoryParty, Tie
from tieup.stories.memory import Memory
from tieup.stories.parties import story_parties


def parties(*names: str) -> tuple[StoryParty, ...]:
    return story_parties(relation(*names).parties, GAZETTEER)


def assignment(name: str, day: float, stream_day: float | None = None, *ties: Tie) -> Assignment:
    at = START + timedelta(days=day)
    stream = START + timedelta(days=day if stream_day is None else stream_day)
    text = f"{name} " * 40
    return Assignment(name, 1, at, stream, (), signature=sign(text, ""), ties=ties)


def tie(*names: str, day: float = 0, kind: Kind = Kind.ALLIANCE) -> Tie:
    return Tie(parties(*names), kind, Stage.ACTIVE, START + timedelta(days=day), None, "recalling")


def test_signatures_are_forgotten_after_thirty_days_and_assignments_after_four_hundred() -> None:
    memory = Memory()
    memory.put_assignment(assignment("a", 0))
    memory.put_assignment(assignment("b", 30))
    assert len(memory.duplicates) == 2
    memory.put_assignment(assignment("c", 31))
    assert len(memory.duplicates) == 2
    memory.put_assignment(assignment("d", 400))
    assert set(memory.assignments) == {"a", "b", "c", "d"}
    memory.put_assignment(assignment("e", 401))
    assert set(memory.assignments) == {"b", "c", "d", "e"}


def test_stream_time_never_goes_back() -> None:
    memory = Memory()
    assert memory.stream_time is None
    memory.put_assignment(assignment("a", 40))
    memory.put_assignment(assignment("b", 2, 40))
    memory.put_assignment(assignment("c", 20))
    assert memory.stream_time == START + timedelta(days=40)
    assert len(memory.duplicates) == 2


def test_the_order_of_restoring_does_not_matter() -> None:
    found = [assignment("a", 0), assignment("b", 2, 40), assignment("c", 40), assignment("d", 20, 40)]
    one, other = Memory(), Memory()
    for each in found:
        one.put_assignment(each)
    for each in reversed(found):
        other.put_assignment(each)
    assert one.assignments == other.assignments
    assert (one.stream_time, len(one.duplicates)) == (other.stream_time, len(other.duplicates))


def test_ties_are_those_of_the_same_parties_the_newest_of_each_kind() -> None:
    memory = Memory()
    memory.put_assignment(assignment("a", 0, None, tie("Ford", "BYD", day=0), tie("Ford", "CATL", day=0)))
    memory.put_assignment(
        assignment("b", 5, None, tie("BYD", "Ford", day=5), tie("BYD", "Ford", day=5, kind=Kind.SUPPLY))
    )
    found = memory.ties_of(parties("Ford", "BYD"), without="")
    assert [(one.kind, one.seen_at) for one in found] == [
        (Kind.ALLIANCE, START + timedelta(days=5)),
        (Kind.SUPPLY, START + timedelta(days=5)),
    ]
    memory.drop_assignment("b")
    assert [one.kind for one in memory.ties_of(parties("Ford", "BYD"), without="")] == [Kind.ALLIANCE]


def told(name: str, *companies: str, day: float) -> Story:
    at = START + timedelta(days=day)
    labels = (parties(*companies), Kind.ALLIANCE, Stage.TALKS, Factuality.REPORTED, Basis.MEDIUM)
    return Story(name, at, at, *labels)


def test_silent_stories_sleep_and_are_found_as_before() -> None:
    memory = Memory()
    memory.put_assignment(assignment("a", 0))
    stories = [told("one", "Ford", "Xiaomi", day=0), told("two", "Ford", "Xiaomi", day=100)]
    for story in stories:
        memory.put_story(story)
    assert memory.stories.asleep == 0
    memory.put_assignment(assignment("b", 181))
    assert memory.stories.asleep == 1
    assert [one.id for one in memory.with_parties(parties("Xiaomi", "Ford"))] == ["one", "two"]
    assert dict(memory.stories) == {story.id: story for story in stories}
    memory.put_story(told("one", "Ford", "Xiaomi", day=181))
    assert memory.stories.asleep == 0
    memory.drop_story("one")
    memory.drop_story("two")
    assert not memory.stories
    assert len(memory.stories._by_pair) == 0


def test_a_story_of_other_parties_is_found_by_those_alone() -> None:
    memory = Memory()
    memory.put_story(told("one", "Ford", "Xiaomi", day=0))
    memory.put_story(told("one", "Ford", "BYD", day=0))
    assert memory.with_parties(parties("Ford", "Xiaomi")) == []
    assert [story.id for story in memory.with_parties(parties("BYD", "Ford"))] == ["one"]


def test_what_is_asked_for_asleep_is_the_newest_of_it() -> None:
    memory = Memory()
    memory.put_assignment(assignment("a", 300))
    memory.put_story(told("one", "Ford", "Xiaomi", day=0))
    assert memory.stories["one"].kind is Kind.ALLIANCE
    memory.put_story(replace(told("one", "Ford", "Xiaomi", day=0), kind=Kind.SUPPLY))
    assert memory.stories.asleep == 1
    assert memory.stories["one"].kind is Kind.SUPPLY
