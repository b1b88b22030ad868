"""What a robots.txt says to us."""

import pytest

from tieup.feeds.pages import robots
from tieup.feeds.pages.robots import Verdict, judge
from tieup.model.codec import decode

URL = "https://news.example/cars/1?page=2"


@pytest.fixture(autouse=True)
def _unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is the worker processes'; it would hold for all later tests of this one."""
    monkeypatch.setattr(robots, "bound_memory", lambda: None)


def said(text: str | bytes, url: str = URL) -> Verdict:
    return decode(Verdict, judge(text if isinstance(text, bytes) else text.encode(), url), "test")


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /", False),
        ("user-agent: TIEUP\ndisallow: /cars", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: tieup\nDisallow:", True),
        ("User-agent: other\nUser-agent: tieup\nDisallow: /", False),
        ("User-agent: *\nDisallow: /cars/\nAllow: /cars/1", True),
        ("User-agent: *\nDisallow: /*?page=", False),
        ("User-agent: *\nDisallow: /cars/1$", True),
        ("User-agent: *\r\nDisallow: /\r\n", False),
        ("\ufeffUser-agent: *\nDisallow: /", False),
        (b"\xff\xfe\x00 nonsense \x80\nUser-agent: *\nDisallow: /", False),
        ("<!doctype html><title>Home</title>", True),
    ],
)
def test_rules_for_us_come_before_those_for_all(text: str | bytes, allowed: bool) -> None:
    assert said(text).allowed is allowed


@pytest.mark.parametrize(
    ("delay", "seconds"), [("2.5", 2.5), ("86400", 10.0), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0)]
)
def test_a_crawl_delay_is_heeded_within_a_bound(delay: str, seconds: float) -> None:
    assert said(f"User-agent: *\nCrawl-delay: {delay}\nDisallow: /private") == Verdict(True, seconds)
