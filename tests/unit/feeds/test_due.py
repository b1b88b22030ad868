from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.due import DueFeeds

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_due_feeds_come_in_order_and_few_of_one_host() -> None:
    due = DueFeeds()
    for number in range(5):
        due.put(f"a{number}", "a.example", at(number - 10))
    due.put("b", "b.example", at(-1))
    due.put("c", "c.example", at(1))
    assert list(due.due(NOW, 10, 2)) == ["a0", "a1", "b"]
    assert list(due.due(NOW, 1, 2)) == ["a0"]


def test_moving_and_removing() -> None:
    due = DueFeeds()
    due.put("a", "a.example", at(-1))
    due.put("a", "a.example", at(5))
    assert list(due.due(NOW, 10, 2)) == []
    due.put("a", "b.example", at(-2))
    assert list(due.due(NOW, 10, 2)) == ["a"]
    due.remove("a")
    due.remove("a")
    assert (len(due), list(due.due(NOW, 10, 2))) == (0, [])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.one_of(st.none(), st.integers(-5, 5)))))
def test_it_agrees_with_a_plain_list(steps: list[tuple[int, int, int | None]]) -> None:
    due, plain = DueFeeds(), {}
    for feed, host, minutes in steps:
        if minutes is None:
            due.remove(str(feed))
            plain.pop(str(feed), None)
        else:
            due.put(str(feed), str(host), at(minutes))
            plain[str(feed)] = at(minutes)
    assert sorted(due.due(NOW, 100, 100)) == sorted(feed for feed, when in plain.items() if when <= NOW)
    assert len(due) == len(plain)
    assert due.count(NOW) == sum(when <= NOW for when in plain.values())
