"""The quick reader against feedparser on feedparser's own test cases, which its source distribution carries."""

import os
import re
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tieup.errors import BadFeed
from tieup.feeds.reading.document import ParsedFeed
from tieup.feeds.reading.parse import parse_feed, parse_quickly, parse_slowly

RELEASE = "6.0.14"
CACHE = Path(__file__).parents[1] / ".cache" / "feedparser"
URL = "https://news.example/feeds/motor.xml"
MOST = 1_000
WELL_FORMED, OTHERS = ("wellformed",), ("illformed", "encoding", "entities")

_HEADER = re.compile(rb"Header:\s+Content-type:\s*([^\r\n]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    name: str
    body: bytes
    content_type: str


@pytest.fixture(scope="module")
def cases() -> dict[str, list[Case]]:
    """The cases by folder."""
    try:
        archive = _archive()
    except (subprocess.SubprocessError, OSError) as error:
        words = f"FEEDPARSER'S CASES CANNOT BE HAD, the quick reader is NOT compared with them: {error}"
        if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    found: dict[str, list[Case]] = {}
    for name, body in _files(archive):
        header = _HEADER.search(body)
        kind = header[1].decode("latin-1").strip() if header else "application/xml"
        found.setdefault(name.split("/")[2], []).append(Case(name, body, kind))
    return found


def _archive() -> Path:
    archive = CACHE / f"feedparser-{RELEASE}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        options = ["--no-binary", ":all:", "--no-deps", "--dest", str(CACHE), f"feedparser=={RELEASE}"]
        subprocess.run([*command, *options], check=True, timeout=120, capture_output=True)
    return archive


def _files(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isfile() and "/tests/" in member.name and member.name.endswith(".xml"):
                file = opened.extractfile(member)
                assert file is not None
                yield member.name, file.read()


def compared(cases: list[Case]) -> tuple[int, int, list[str]]:
    """Return how many cases feedparser reads, how many of them the quick reader answers, and which differ."""
    read = answered = 0
    different = []
    for case in cases:
        slow, quick = _slowly(case), parse_quickly(case.body, URL, case.content_type, MOST)
        read += slow is not None
        answered += quick is not None and slow is not None
        if quick is not None and quick != slow:
            different.append(case.name)
    return read, answered, different


def _slowly(case: Case) -> ParsedFeed | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return parse_slowly(case.body, URL, case.content_type, MOST)
        except BadFeed:
            return None


def test_the_quick_reader_answers_nine_of_ten_well_formed_feeds_as_feedparser_does(
    cases: dict[str, list[Case]],
) -> None:
    read, answered, different = compared([case for folder in WELL_FORMED for case in cases[folder]])
    assert different == []
    assert read > 1_700
    assert answered >= 0.9 * read


def test_where_it_answers_the_ill_formed_and_oddly_encoded_it_agrees_too(cases: dict[str, list[Case]]) -> None:
    read, answered, different = compared([case for folder in OTHERS for case in cases[folder]])
    assert different == []
    assert 0 < answered < read


def test_every_case_is_read_or_refused(cases: dict[str, list[Case]]) -> None:
    for case in (case for folder in cases.values() for case in folder):
        quick = parse_quickly(case.body, URL, case.content_type, MOST)
        if quick is not None:
            assert parse_feed(case.body, URL, case.content_type, MOST) == quick
