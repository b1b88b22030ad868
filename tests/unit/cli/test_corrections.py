"""What an operator's words mean."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.cli.making import STORY

from tieup.cli.corrections import correction, correction_record
from tieup.errors import UsageError
from tieup.events.validate import SchemaValidator
from tieup.model.story import Action, Correction

AT = datetime(2026, 2, 2, tzinfo=UTC)
ARTICLES = tuple(replace(STORY.articles[0], article_id=digit * 32) for digit in "12")
TOLD = replace(STORY, articles=ARTICLES)
OTHER = replace(TOLD, id="ac" * 16)
STORIES = {TOLD.id: TOLD, OTHER.id: OTHER}


def given(action: Action, *articles: str, into: str | None = None, reason: str = "why") -> Correction:
    return correction(STORIES, action, TOLD.id[:6] + TOLD.id[6:], articles, reason, "anna", AT, into)


def test_first_digits_are_enough() -> None:
    split = given(Action.SPLIT, "1")
    assert (split.story_id, split.article_ids, split.into_story_id) == (TOLD.id, ("1" * 32,), None)
    assert given(Action.MERGE, into="ac").into_story_id == OTHER.id


def test_a_retraction_without_articles_means_all_of_them() -> None:
    assert given(Action.RETRACT).article_ids == ("1" * 32, "2" * 32)


def test_its_record_is_valid_and_its_own() -> None:
    record = correction_record(given(Action.SPLIT, "1"))
    SchemaValidator().check(record.topic, record.value)
    assert record.key == TOLD.id.encode()
    assert given(Action.SPLIT, "1").id != given(Action.SPLIT, "2").id


@pytest.mark.parametrize(
    ("action", "articles", "into", "reason", "word"),
    [
        (Action.SPLIT, ("3",), None, "why", "no such article"),
        (Action.SPLIT, ("1", "2"), None, "why", "no article would be left"),
        (Action.SPLIT, (), None, "why", "no article"),
        (Action.MERGE, (), TOLD.id, "why", "into itself"),
        (Action.MERGE, (), "ff", "why", "no such story"),
        (Action.SPLIT, ("1",), None, " ", "say why"),
    ],
)
def test_what_cannot_be_is_said(action: Action, articles: tuple[str, ...], into: str, reason: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        given(action, *articles, into=into, reason=reason)
