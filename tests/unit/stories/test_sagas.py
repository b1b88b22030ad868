"""The sagas in `tests/data/sagas`, whole way: a true change is alerted once, a rewrite never."""

from tests.unit.stories.told_sagas import FOLDER, tell

from tieup.companies.gazetteer import load_gazetteer


def test_true_changes_are_alerted_once_and_nothing_else() -> None:
    tally = tell(load_gazetteer())
    assert len(list(FOLDER.glob("*.toml"))) >= 33
    assert tally.share_alerted >= 0.85, tally.missed
    assert tally.share_wrong <= 0.10, tally.wrong
