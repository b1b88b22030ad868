import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.memory import SeenMemory, pack
from tieup.feeds.versions import MAX_FULLNESS
from tieup.ids import derive_id
from tieup.model.feed import SeenEntry


def seen(
    number: int,
    version: int = 1,
    guid: str | None = None,
    aside: bool = False,
    fullness: int = 0,
) -> SeenEntry:
    article_id, content = derive_id("article", str(number)), derive_id("content", str(number))
    return SeenEntry(article_id, content, version, guid, aside, fullness)


ENTRIES = st.lists(
    st.builds(
        seen,
        st.integers(0, 9),
        st.integers(1, 24),
        st.one_of(st.none(), st.binary(min_size=8, max_size=8).map(bytes.hex)),
        st.booleans(),
        st.integers(0, MAX_FULLNESS),
    ),
    max_size=6,
    unique_by=lambda entry: entry.id,
)


@given(st.lists(st.tuples(st.sampled_from("abc"), ENTRIES), max_size=12))
def test_it_agrees_with_plain_lists(steps: list[tuple[str, list[SeenEntry]]]) -> None:
    memory, plain = SeenMemory(), {}
    for feed, entries in steps:
        memory.put(feed, pack(entries))
        plain[feed] = tuple(entries)
    for feed in "abc":
        assert memory.of(feed) == plain.get(feed, ())
        assert memory.packed(feed) == pack(plain.get(feed, ()))
        assert (feed in memory) == bool(plain.get(feed))
        for number in range(10):
            wanted = seen(number).id
            others = [entry for other in "abc" if other != feed for entry in plain.get(other, ()) if entry.id == wanted]
            assert memory.siblings(feed, wanted) == others


def test_hashes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="another length"):
        pack([SeenEntry(seen(2).id, "ab", 1)])


def test_a_torn_memory_is_refused_and_changes_nothing() -> None:
    memory = SeenMemory()
    memory.put("a", pack([seen(1)]))
    with pytest.raises(ValueError, match="no whole entries"):
        memory.put("a", pack([seen(2)])[:-1])
    assert memory.of("a") == (seen(1),)
