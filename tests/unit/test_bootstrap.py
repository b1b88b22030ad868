"""Which workers a run gets."""

import pytest

from tieup.bootstrap import utc_now, worker_specs
from tieup.config import load_settings
from tieup.errors import UsageError


def names(*workers: str, **flags: str) -> list[str]:
    return [spec.name for spec in worker_specs(load_settings({}, flags), workers, utc_now)]


def test_all_workers_run_in_the_order_of_the_flow() -> None:
    assert names() == ["fetch", "extract", "story", "match", "deliver"]
    assert names("story", "fetch") == ["fetch", "story"]


def test_a_replay_neither_asks_nor_tells_the_world_outside() -> None:
    assert names(suffix="try1") == ["extract", "story"]
    assert names("fetch", "extract", suffix="try1") == ["extract"]


@pytest.mark.parametrize("worker", ["fetch", "match", "deliver"])
def test_a_replay_of_those_alone_is_refused(worker: str) -> None:
    with pytest.raises(UsageError, match="do not run with a suffix"):
        names(worker, suffix="try1")
