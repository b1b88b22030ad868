import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.normalize import title_part
from tieup.feeds.entries.memory import PackedEntries, SeenMemory, pack
from tieup.feeds.entries.versions import MAX_FULLNESS
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


@given(ENTRIES, ENTRIES, ENTRIES, ENTRIES)
def test_of_packed_entries_those_that_share_a_mark_are_found(
    entries: list[SeenEntry], by_id: list[SeenEntry], by_guid: list[SeenEntry], by_title: list[SeenEntry]
) -> None:
    ids = {entry.id for entry in by_id}
    guids = {entry.guid_hash for entry in by_guid if entry.guid_hash}
    titles = {title_part(entry.content_hash) for entry in by_title}
    wanted = [
        entry
        for entry in entries
        if entry.id in ids or entry.guid_hash in guids or title_part(entry.content_hash) in titles
    ]
    packed = PackedEntries.of(entries)
    assert [entry for entry in packed.like(ids, guids, titles) if entry in wanted] == wanted
    assert list(packed) == entries
    assert [packed[at] for at in range(len(packed))] == entries


@given(ENTRIES, ENTRIES, st.integers(0, 12))
def test_after_a_document_its_entries_come_first(before: list[SeenEntry], now: list[SeenEntry], most: int) -> None:
    ids = {entry.id for entry in now}
    kept = [*now, *(entry for entry in before if entry.id not in ids)][:most]
    assert PackedEntries.of(before).after(now, most) == PackedEntries.of(kept)


def test_of_thousands_of_entries_few_are_read() -> None:
    entries = [seen(number, guid=derive_id("guid", str(number))[:16]) for number in range(2_000)]
    packed = PackedEntries.of(entries)
    marks = [entries[7].id], [entries[5].guid_hash or ""], [title_part(entries[3].content_hash)]
    assert packed.like(*marks) == [entries[3], entries[5], entries[7]]


def test_hashes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="another length"):
        pack([SeenEntry(seen(2).id, "ab", 1)])


def test_a_torn_memory_is_refused_and_changes_nothing() -> None:
    memory = SeenMemory()
    memory.put("a", pack([seen(1)]))
    with pytest.raises(ValueError, match="no whole entries"):
        memory.put("a", pack([seen(2)])[:-1])
    assert memory.of("a") == (seen(1),)
