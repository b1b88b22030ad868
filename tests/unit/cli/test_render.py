"""Stories as people see them."""

from dataclasses import replace

import pytest
from tests.unit.cli.making import AT, STORY, article, claim, drawn

from tieup.cli.render import minute, story_table, story_timeline
from tieup.model.labels import Stance
from tieup.model.story import StoryParty


def test_the_table_tells_who_what_how_far_and_how_sure() -> None:
    row = drawn(story_table([STORY]), width=120).splitlines()[1]
    assert row.split("  ")[0] == STORY.id[:10]
    for word in ("Ford – Xiaomi", "joint venture", "talks", "denied, contested", "2026-02-01"):
        assert word in row


@pytest.mark.parametrize("width", [40, 80, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    for what in (story_table([STORY]), story_timeline(STORY)):
        assert max(map(len, drawn(what, width).splitlines())) <= width


def test_the_timeline_tells_who_said_what_when_and_where() -> None:
    lines = [line.strip() for line in drawn(story_timeline(STORY)).splitlines()]
    assert "2026-02-01 09:30  Car Wire  Both deny" in lines
    assert "Ford, Xiaomi deny talks “completely false”" in lines
    assert "unnamed sources assert talks “four people”" in lines
    assert "▶ opened: Both deny talks" in lines
    assert "independent origins: Financial Times" in lines


def test_what_adds_nothing_is_one_line_unless_wanted() -> None:
    assert "2026-02-01 09:30  Copy Cat  adds nothing" in drawn(story_timeline(STORY))
    assert "the copied words" not in drawn(story_timeline(STORY))
    assert "the copied words" in drawn(story_timeline(STORY, rewrites=True))


def test_claims_of_articles_that_the_story_no_longer_holds_are_told() -> None:
    story = replace(
        STORY, articles=(article("a1"),), claims=(*STORY.claims, claim("BYD", Stance.ASSERTS, "gone", "a9"))
    )
    assert "BYD asserts talks “gone”" in drawn(story_timeline(story))


def test_feeds_cannot_write_to_the_terminal() -> None:
    evil = "\x1b]0;owned\x07[bold]x[/bold]\u202e"
    story = replace(
        STORY,
        parties=(StoryParty("a", evil), StoryParty("b", "B")),
        articles=(article("a1", title=evil, publisher=evil),),
        claims=(claim(evil, Stance.DENIES, evil),),
        origins=(evil,),
        venture=evil,
        headline_en=evil,
    )
    for what in (story_table([story]), story_timeline(story)):
        text = drawn(what, width=200)
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
        assert "[bold]x[/bold]" in text


def test_midnight_is_a_day() -> None:
    assert minute(AT) == "2026-02-01 09:30"
    assert minute(AT.replace(hour=0, minute=0)) == "2026-02-01"
