"""The locks name everything that pyproject.toml asks for, so that a fresh machine gets it."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0].lower().replace("_", "-") for one in requirements}


def locked(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text().splitlines()
    return dict(re.match(r"([a-z0-9._-]+)==([^ ;\\]+)", line).groups() for line in lines if re.match(r"[a-z0-9]", line))


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("requirements.lock", names(PROJECT["project"]["dependencies"])),
        ("requirements-dev.lock", names(PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"])),
    ],
)
def test_every_requirement_is_locked(file: str, wanted: set[str]) -> None:
    assert wanted - locked(file).keys() == set()


def test_both_locks_agree() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev.get(name) for name in run} == run


def test_the_locks_name_no_place() -> None:
    for file in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / file).read_text()
