"""Which stories a user means."""

from dataclasses import replace

import pytest
from tests.unit.cli.making import STORY

from tieup.cli.stories import pick, select
from tieup.errors import UsageError

OTHER = replace(STORY, id="ac" * 16)
STORIES = {STORY.id: STORY, OTHER.id: OTHER}


def test_the_first_digits_are_enough() -> None:
    assert pick(STORIES, "AB").id == STORY.id
    assert pick(STORIES, OTHER.id).id == OTHER.id


@pytest.mark.parametrize(
    ("start", "word"), [("a", "2 stories begin so"), ("ff", "no such story"), ("", "no such story")]
)
def test_none_or_several_is_said(start: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        pick(STORIES, start)


def test_a_merged_story_leads_to_the_one_it_went_into() -> None:
    merged = replace(STORY, merged_into=OTHER.id)
    assert pick({merged.id: merged, OTHER.id: OTHER}, "ab").id == OTHER.id


def test_a_ring_of_merges_ends() -> None:
    one, two = replace(STORY, merged_into=OTHER.id), replace(OTHER, merged_into=STORY.id)
    assert pick({one.id: one, two.id: two}, "ab").id in STORIES


def test_merged_and_withdrawn_stories_are_left_out_unless_all_are_wanted() -> None:
    stories = {"1": replace(STORY, merged_into="x"), "2": replace(STORY, withdrawn=True), "3": OTHER}
    assert select(stories) == [OTHER]
    assert len(select(stories, everything=True)) == 3


def test_stories_are_found_by_company() -> None:
    assert len(select(STORIES, "xiao")) == 2
    assert select(STORIES, "byd") == []
