import gc
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.feeds.polling import NOW, SETTINGS

from tieup.feeds.packed import UNPACKED, PackedRecords
from tieup.feeds.poll import new_state
from tieup.feeds.registry import feed_from_url, feed_record
from tieup.feeds.worker import FetchWorker
from tieup.log.base import Change
from tieup.log.topics import FEED_STATES, FEEDS
from tieup.model.codec import encode
from tieup.model.feed import Feed


def feed(number: int, title: str = "") -> Feed:
    return feed_from_url(f"https://site{number}.example/feed", NOW, title=title or None)


STEPS = st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.text(max_size=3))))


@given(STEPS)
def test_it_holds_what_a_dict_would(steps: list[tuple[int, str | None]]) -> None:
    records, plain = PackedRecords(Feed, FEEDS, unpacked=2), {}
    for number, title in steps:
        key = feed(number).id
        if title is None:
            records.drop(key)
            plain.pop(key, None)
        else:
            plain[key] = feed(number, title)
            records.put(key, encode(plain[key]), plain[key])
    assert dict(records) == plain
    assert [records.get(feed(number).id) for number in range(6)] == [plain.get(feed(number).id) for number in range(6)]
    assert (len(records), feed(0).id in records) == (len(plain), feed(0).id in plain)


def test_a_collection_costs_no_more_with_more_feeds() -> None:
    fetch, looked_through = FetchWorker(SETTINGS), []
    for number in range(3 * UNPACKED + 1):
        one = feed(number)
        wanted = feed_record(one)
        state = replace(new_state(one), next_poll_at=NOW + timedelta(seconds=number))
        fetch.apply(Change(FEEDS, wanted.key, wanted.value))
        fetch.apply(Change(FEED_STATES, wanted.key, encode(state)))
        if number in (UNPACKED, 3 * UNPACKED):  # as many are unpacked
            gc.collect()
            looked_through.append(len(gc.get_objects()))
    assert looked_through[1] - looked_through[0] < UNPACKED // 2
