"""One article in two feeds of a site, in the same words or in a teaser and a whole text, however polls come about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.articles.normalize import plain_entry
from tieup.feeds.entries.identity import Recognised, recognise
from tieup.feeds.entries.versions import NewVersion, fullness
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import Entry, SeenEntry

SETTINGS = FetchSettings(max_versions=1_000)
LINK = "https://a.example/x"


@dataclass
class Site:
    """A site with one article: `teaser` shows its title and a teaser, `full` and `copy` its title and whole text."""

    title: int = 0
    teaser: int = 0
    body: int = 0
    memories: dict[str, Sequence[SeenEntry]] = field(default_factory=dict)
    told: list[NewVersion] = field(default_factory=list)
    looks: dict[str, tuple[str, str]] = field(default_factory=dict)
    changes: int = 0

    def shows(self, feed: str) -> tuple[str, str]:
        short = f"Teaser {self.teaser} of an alliance."
        return f"Title {self.title}", short if feed == "teaser" else f"Text {self.body}: {'long ' * 80}end"

    def edit(self, *parts: str) -> None:
        for part in parts:
            setattr(self, part, getattr(self, part) + 1)

    def revert(self) -> None:
        self.title = self.teaser = self.body = 0

    def poll(self, feed: str, settings: FetchSettings = SETTINGS) -> Recognised:
        title, text = self.shows(feed)
        others = [memory for name, memory in sorted(self.memories.items()) if name != feed]

        def siblings(article_id: str) -> list[SeenEntry]:
            return [entry for memory in others for entry in memory if entry.id == article_id]

        plain = [plain_entry(Entry(f"{feed}-1", LINK, title, text))]
        found = recognise(plain, self.memories.get(feed, ()), "a.example", siblings, settings)
        self.memories[feed] = found.seen
        self.changes += self.looks.get(feed) != (title, text)
        self.looks[feed] = title, text
        self.told += found.versions
        return found

    @property
    def last(self) -> tuple[str, str]:
        return self.told[-1].plain.title, self.told[-1].plain.text


def lives(*feeds: str) -> st.SearchStrategy[list[tuple[str, ...]]]:
    parts = st.sets(st.sampled_from(["title", "teaser", "body"]), min_size=1).map(lambda names: tuple(sorted(names)))
    polls = st.sampled_from([("poll", feed) for feed in feeds])
    return st.lists(st.one_of(polls, parts, st.just(("revert",))), max_size=25)


def live(site: Site, steps: Sequence[tuple[str, ...]]) -> None:
    for step in steps:
        if step[0] == "poll":
            site.poll(step[1])
        elif step == ("revert",):
            site.revert()
        else:
            site.edit(*step)


@given(lives("full", "copy"))
def test_two_feeds_of_the_same_words_give_no_more_versions_than_the_article_had(steps: list[tuple[str, ...]]) -> None:
    site = Site()
    states = 1 + sum(step[0] != "poll" for step in steps)
    live(site, [*steps, ("poll", "full"), ("poll", "copy")])
    assert [version.version for version in site.told] == list(range(1, len(site.told) + 1))
    assert len({version.article_id for version in site.told}) == 1
    assert len(site.told) <= states
    assert site.last == site.shows("full")
    assert not any(version.excerpt for version in site.told)


@given(lives("teaser", "full"), st.permutations(["teaser", "full"]))
def test_a_teaser_and_a_whole_text_take_no_turns(steps: list[tuple[str, ...]], last: list[str]) -> None:
    site = Site()
    live(site, [*steps, *(("poll", feed) for feed in last)])
    assert [version.version for version in site.told] == list(range(1, len(site.told) + 1))
    assert len({version.article_id for version in site.told}) == 1
    assert len(site.told) <= site.changes  # a first sight is one, then every change that a poll saw
    whole = [(v.plain.title, v.plain.text) for v in site.told if not v.plain.text.startswith("Teaser")]
    assert whole[-1] == site.shows("full")  # an edit of the whole text has reached the stream
    assert site.last[0] == site.shows("full")[0]
    count = len(site.told)
    live(site, [("poll", "full"), ("poll", "teaser")] * 3)
    assert len(site.told) == count


@given(lives("teaser", "full"))
def test_an_edit_of_the_teaser_alone_reaches_the_stream(steps: list[tuple[str, ...]]) -> None:
    site = Site()
    live(site, [*steps, ("poll", "full"), ("poll", "teaser"), ("teaser",), ("poll", "full"), ("poll", "teaser")])
    shown = [(version.plain.title, version.plain.text) for version in site.told]
    assert site.shows("teaser") in shown


@given(lives("teaser", "full", "copy"))
def test_what_changed_is_told_against_the_version_before(steps: list[tuple[str, ...]]) -> None:
    site = Site()
    live(site, steps)
    for before, after in zip(site.told, site.told[1:], strict=False):
        differ = [name for name in ("title", "text") if getattr(before.plain, name) != getattr(after.plain, name)]
        assert list(after.changed) == differ


@pytest.mark.parametrize("first", ["teaser", "full"])
def test_an_edit_of_everything_ends_with_the_whole_text(first: str) -> None:
    site = Site()
    other = "full" if first == "teaser" else "teaser"
    live(site, [("poll", first), ("poll", other), ("title", "teaser", "body"), ("poll", first), ("poll", other)])
    assert site.last == site.shows("full")
    assert len(site.told) == (4 if first == "teaser" else 2)


def test_a_shorter_text_than_anothers_is_an_excerpt() -> None:
    site = Site()
    live(site, [("poll", "teaser"), ("poll", "full"), ("poll", "teaser"), ("teaser",), ("poll", "teaser")])
    assert [(version.changed, version.excerpt) for version in site.told] == [
        ((), False),
        (("text",), False),
        (("text",), True),
    ]


def test_an_edit_taken_back_is_told_again() -> None:
    site = Site()
    live(site, [("poll", "full"), ("poll", "copy"), ("body",), ("poll", "full"), ("revert",), ("poll", "full")])
    assert len(site.told) == 3
    assert site.last == site.shows("full")


def test_all_feeds_of_a_site_share_the_damping() -> None:
    site = Site()
    few = FetchSettings(max_versions=4)
    for number in range(20):
        site.edit("body", "teaser")
        site.poll(("teaser", "full")[number % 2], few)
    assert [version.version for version in site.told] == [1, 2, 3, 4]


def test_memories_from_before_fullness_was_noted_bring_no_second_versions() -> None:
    site = Site()
    site.poll("teaser")
    (old,) = site.memories["teaser"]
    site.memories["teaser"] = (SeenEntry(old.id, old.content_hash, 1, old.guid_hash),)
    site.poll("full")
    assert len(site.told) == 1


def test_fullness_counts_in_steps_of_root_two() -> None:
    assert [fullness("x" * count) for count in (0, 1, 2, 3, 4, 8, 16)] == [1, 2, 4, 5, 6, 8, 10]
    assert fullness("x" * 100_000) == fullness("x" * 23_171) == 31
    assert fullness("x" * 23_170) == 30
