from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.moves import Moves
from tieup.feeds.registry import feed_id

URLS = {name: f"https://{name}.example/feed" for name in "abcd"}
IDS = {name: feed_id(url) for name, url in URLS.items()}


def moves(**to: str) -> Moves:
    made = Moves()
    for name, target in to.items():
        made.note(IDS[name], URLS[target])
    return made


def asked(made: Moves, wanted: str) -> set[str]:
    ids = {IDS[name] for name in wanted}
    return {name for name in wanted if not made.is_stood_for(IDS[name], ids)}


def test_a_feed_moved_to_where_a_wanted_one_is_is_not_asked() -> None:
    made = moves(a="b")
    assert asked(made, "ab") == {"b"}
    assert asked(made, "a") == {"a"}
    assert made.moved_to(IDS["b"]) == (IDS["a"],)
    made.note(IDS["a"], None)
    assert asked(made, "ab") == {"a", "b"}
    assert made.moved_to(IDS["b"]) == ()


def test_two_feeds_that_moved_to_each_other_are_not_both_given_up() -> None:
    assert len(asked(moves(a="b", b="a"), "ab")) == 1
    assert len(asked(moves(a="b", b="c", c="a", d="a"), "abcd")) == 1


def test_a_feed_at_its_own_place_has_not_moved() -> None:
    assert asked(moves(a="a"), "a") == {"a"}


@given(st.dictionaries(st.sampled_from("abcd"), st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"), min_size=1))
def test_every_place_is_asked_by_somebody(to: dict[str, str], wanted: set[str]) -> None:
    made = moves(**to)
    found = asked(made, "".join(sorted(wanted)))
    assert found
    for name in wanted:  # follow the moves of a feed: somebody on the way is asked
        way = [name]
        while to.get(way[-1]) in wanted and to[way[-1]] not in way:
            way.append(to[way[-1]])
        assert found & set(way)
        if to.get(name, name) == name or to[name] not in wanted:
            assert name in found
