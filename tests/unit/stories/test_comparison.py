from dataclasses import replace
from datetime import timedelta

from tests.unit.stories.making import article, feed, relation, worker

from tieup.model.labels import Stage
from tieup.model.story import Story
from tieup.stories.comparison import Sort, compare


def stories() -> dict[str, Story]:
    one = worker()
    for day, name in enumerate(("a", "b")):
        feed(one, article(name, relation("Ford", "Xiaomi"), day=day))
    feed(one, article("c", relation("Ford", "BYD"), day=3))
    return dict(one.memory.stories)


def test_the_same_stories_do_not_differ() -> None:
    assert compare(stories(), stories()) == []


def test_what_changed_is_told_label_by_label() -> None:
    live = stories()
    key = min(live)
    (found,) = compare(live, live | {key: replace(live[key], stage=Stage.AGREED)})
    assert (found.sort, found.live_id, found.replayed_id) == (Sort.CHANGED, key, key)
    assert [(one.field, one.old, one.new) for one in found.changes] == [("stage", "talks", "agreed")]


def test_a_story_under_another_id_is_known_by_its_articles() -> None:
    live = stories()
    key = next(one for one, story in live.items() if story.article_count == 2)
    other = {one: story for one, story in live.items() if one != key} | {"f" * 32: replace(live[key], id="f" * 32)}
    (found,) = compare(live, other)
    assert (found.sort, found.live_id, found.replayed_id) == (Sort.CHANGED, key, "f" * 32)
    assert not found.changes


def test_what_is_gone_what_is_new_and_what_articles_moved() -> None:
    live = stories()
    key = next(one for one, story in live.items() if story.article_count == 2)
    first, second = live[key].articles
    split = live | {
        key: replace(live[key], articles=(first,), article_count=1),
        "f" * 32: replace(live[key], id="f" * 32, articles=(second,), article_count=1),
    }
    changed, new = compare(live, split)
    assert (changed.sort, changed.gained, changed.lost) == (Sort.CHANGED, 0, 1)
    assert (new.sort, new.live_id, new.gained) == (Sort.NEW, None, 1)
    assert [one.sort for one in compare(split, live)] == [Sort.CHANGED, Sort.GONE]


def test_merged_stories_are_not_compared() -> None:
    live = stories()
    key = min(live)
    assert compare(live, live | {"f" * 32: replace(live[key], id="f" * 32, merged_into=key)}) == []


def test_what_had_ended_before_the_replay_began_is_not_gone() -> None:
    live = stories()
    later = {key: story for key, story in live.items() if story.article_count == 1}
    (gone,) = compare(live, later)
    assert gone.sort is Sort.GONE
    last = live[gone.live_id or ""].updated_at
    assert compare(live, later, begin=last + timedelta(days=1)) == []
    assert compare(live, later, begin=last) == [gone]
