from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.normalize import plain_entry
from tieup.feeds.entries.identity import Recognised, recognise
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Entry, SeenEntry

SETTINGS = FetchSettings(max_entries=5, max_seen=6)


def entry(guid: str | None, link: str | None, title: str = "Title", html: str = "Text") -> Entry:
    return Entry(guid, link and f"https://a.example/{link}", title, html)


def look(
    entries: Sequence[Entry],
    seen: Sequence[SeenEntry] = (),
    siblings: Sequence[SeenEntry] = (),
    *,
    guids_wander: bool = False,
    last_document: str | None = None,
) -> Recognised:
    def others(article_id: str) -> list[SeenEntry]:
        return [memory for memory in siblings if memory.id == article_id]

    plain = [plain_entry(one) for one in entries]
    return recognise(plain, seen, "a.example", others, SETTINGS, guids_wander=guids_wander, last_document=last_document)


def versions(found: Recognised) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(version.plain.title, version.version, version.changed) for version in found.versions]


def test_new_entries_are_published_once() -> None:
    entries = [entry("1", "a", "A"), entry("2", "b", "B")]
    first = look(entries)
    assert versions(first) == [("A", 1, ()), ("B", 1, ())]
    again = look(entries, first.seen)
    assert versions(again) == []
    assert again.seen == first.seen


def test_an_edit_is_the_next_version_and_tells_what_changed() -> None:
    first = look([entry("1", "a", html="Talks.")])
    edited = look([entry("1", "a", html="Talks denied.")], first.seen)
    assert versions(edited) == [("Title", 2, ("text",))]
    assert edited.versions[0].article_id == first.versions[0].article_id
    assert versions(look([entry("1", "a", "New", html="Talks denied.")], edited.seen)) == [("New", 3, ("title",))]


def test_edits_are_damped() -> None:
    seen: Sequence[SeenEntry] = ()
    published = 0
    for number in range(40):
        found = look([entry("1", "a", html=f"Minute {number}")], seen)
        seen, published = found.seen, published + len(found.versions)
    assert published == SETTINGS.max_versions


def test_a_guid_outlives_a_new_url() -> None:
    first = look([entry("1", "old-title")])
    moved = look([entry("1", "new-title", html="More text")], first.seen)
    assert [version.article_id for version in moved.versions] == [first.versions[0].article_id]
    assert moved.versions[0].version == 2


def test_a_url_outlives_a_wandering_guid() -> None:
    first = look([entry("1", "a")])
    assert versions(look([entry("other", "a")], first.seen)) == []


def test_a_guid_given_to_something_else_is_something_else() -> None:
    first = look([entry("1", "a", "One", "one")])
    other = look([entry("1", "b", "Two", "two")], first.seen)
    assert versions(other) == [("Two", 1, ())]
    assert other.versions[0].article_id != first.versions[0].article_id


def test_a_guid_that_all_share_is_not_believed() -> None:
    found = look([entry("same", "a", "A", "a"), entry("same", "b", "B", "b")])
    assert versions(found) == [("A", 1, ()), ("B", 1, ())]
    assert [memory.guid_hash for memory in found.seen] == [None, None]


def test_a_link_that_all_share_is_not_believed() -> None:
    found = look([entry("1", "", "A", "a"), entry("2", "", "B", "b"), entry(None, "", "C", "c")])
    assert len({version.article_id for version in found.versions}) == 3


def test_entries_with_neither_are_told_by_their_content() -> None:
    found = look([entry(None, None, "A", "a"), entry(None, None, "B", "b"), entry(None, None, "B", "b")])
    assert versions(found) == [("A", 1, ()), ("B", 1, ())]
    assert versions(look([entry(None, None, "B", "b")], found.seen)) == []


def test_decorated_links_are_one_article() -> None:
    first = look([Entry(None, "https://www.a.example/x?utm_source=rss", "A", "a")])
    assert versions(look([Entry(None, "http://a.example/x", "A", "a")], first.seen)) == []


def test_an_article_of_two_feeds_is_published_once() -> None:
    first = look([entry("1", "a")])
    other = look([entry("x", "a", html="Talk")], siblings=first.seen)
    assert versions(other) == []
    assert other.seen[0].version == 1


def test_an_edit_that_a_sibling_has_shown_is_not_shown_again() -> None:
    one = look([entry("1", "a")])
    two = look([entry("1", "a")], siblings=one.seen)
    edited = look([entry("1", "a", html="Denied")], one.seen, two.seen)
    assert versions(edited) == [("Title", 2, ("text",))]
    after = look([entry("1", "a", html="Denied")], two.seen, edited.seen)
    assert versions(after) == []
    assert after.seen[0].version == 2


def test_memory_is_bounded_and_keeps_what_the_document_holds() -> None:
    first = look([entry(str(number), str(number), f"T{number}", str(number)) for number in range(5)])
    second = look([entry(str(number), str(number), f"T{number}", str(number)) for number in range(10, 15)], first.seen)
    assert len(second.seen) == 6
    assert [memory.id for memory in second.seen[:5]] == [version.article_id for version in second.versions]


def test_it_counts_what_was_known() -> None:
    first = look([entry("1", "a", "A"), entry("2", "b", "B")])
    second = look([entry("3", "c", "C"), entry("2", "b", "B")], first.seen)
    other = look([entry("5", "e", "E"), entry("6", "f", "F")], second.seen)
    assert [(found.known, found.new) for found in (first, second, other)] == [(0, 2), (1, 1), (0, 2)]


def numbered(*titles: str) -> list[Entry]:
    """A feed without links that gives each place of the document a number for a guid."""
    return [entry(str(place), None, title, f"The text of {title}") for place, title in enumerate(titles)]


def test_guids_that_number_the_places_are_believed_no_longer() -> None:
    first = look(numbered("C", "B", "A"))
    second = look(numbered("D", "C", "B", "A"), first.seen)
    assert versions(second) == [("D", 1, ())]
    assert second.guids_wander
    third = look(numbered("E", "D", "C"), second.seen, guids_wander=True)
    assert versions(third) == [("E", 1, ())]
    edited = numbered("E", "D", "C")
    edited[1] = entry("1", None, "D", "The talks are denied")
    assert versions(look(edited, third.seen, guids_wander=True)) == [("D", 2, ("text",))]


def test_guids_and_links_that_change_with_every_poll_bring_nothing_twice() -> None:
    def session(number: int) -> list[Entry]:
        return [entry(f"s{number}-{title}", f"{title}?sid={number}", title, f"The text of {title}") for title in "ABC"]

    seen, wander, published = (), False, []
    for number in range(4):
        found = look(session(number), seen, guids_wander=wander)
        seen, wander = found.seen, found.guids_wander
        published += versions(found)
    assert wander
    assert published == [("A", 1, ()), ("B", 1, ()), ("C", 1, ())]


def test_one_entry_posted_again_does_not_discredit_a_feeds_guids() -> None:
    first = look([entry(str(number), str(number), f"T{number}", f"text {number}") for number in range(5)])
    again = [
        entry("new" if not number else str(number), str(number), f"T{number}", f"text {number}") for number in range(5)
    ]
    found = look(again, first.seen)
    assert (versions(found), found.guids_wander) == ([], False)


ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from([None, "1", "2", "3"]),
        st.sampled_from([None, "", "a", "b"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(["", "x", "y"]),
    ),
    max_size=5,
)


@given(ENTRIES, ENTRIES)
def test_ids_are_unique_and_a_repeat_is_silent(first: list[Entry], second: list[Entry]) -> None:
    one = look(first)
    two = look(second, one.seen, guids_wander=one.guids_wander)
    again = look(second, two.seen, guids_wander=two.guids_wander, last_document=two.document)
    assert len({memory.id for memory in two.seen}) == len(two.seen)
    assert (again.versions, again.new) == ((), 0)


TELLABLE = st.lists(
    st.builds(entry, *[st.sampled_from("12345678")] * 2, *[st.sampled_from(["", "A", "B"])] * 2),
    max_size=5,
    unique_by=(lambda one: one.guid, lambda one: one.link),
)


@given(TELLABLE, st.randoms(use_true_random=False))
def test_entries_that_can_be_told_apart_are_silent_in_any_order(entries: list[Entry], by: Random) -> None:
    one = look(entries)
    by.shuffle(entries)
    assert look(entries, one.seen, guids_wander=one.guids_wander).versions == ()


def test_a_document_that_tells_what_the_last_one_told_says_nothing() -> None:
    entries = [entry("1", "a", "A"), entry("2", "b", "B")]
    first = look(entries)
    assert look(entries, (), last_document=first.document).versions == ()
    assert len(look(entries[::-1], (), last_document=first.document).versions) == 2
    assert len(look([entry("1", "a", "A"), entry("2", "b", "C")], (), last_document=first.document).versions) == 2
