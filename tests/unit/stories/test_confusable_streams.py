"""Deals that are easily taken for one another stay apart, and one deal told in many ways stays one."""

import pytest
from tests.unit.stories.confusable_streams import by_class, run, streams

from tieup.companies.gazetteer import load_gazetteer
from tieup.stories.worker import StoryWorker


@pytest.mark.parametrize(("half", "floor"), [("read", 0.97), ("scored", 0.94)])
def test_confusable_deals_are_told_apart(half: str, floor: float) -> None:
    gazetteer = load_gazetteer()
    worker = StoryWorker(gazetteer)
    scores = by_class([run(stream, worker, gazetteer) for stream in streams(half, gazetteer)])
    assert scores["all"].streams >= 59
    assert scores["all"].stories >= floor
    assert scores["all"].stories >= scores["all"].baseline + 0.1
    assert all(one.stories >= 0.9 for one in scores.values()), scores
