import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.reading.wishes import Wishes, wishes

RSS = "<rss><channel><title>T</title>{}<item><title>x</title><ttl>1</ttl></item>{}</channel></rss>"


def read(head: str, tail: str = "") -> Wishes:
    return wishes(RSS.format(head, tail).encode())


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("", None),
        ("<ttl>90</ttl>", 5_400),
        ("<ttl> 90 </ttl>", 5_400),
        ("<TTL><![CDATA[90]]></TTL>", 5_400),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<!-- <ttl>90</ttl> -->", None),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 43_200),
        ("<sy:updatePeriod>\n hourly\n</sy:updatePeriod><sy:updateFrequency>\n 1\n</sy:updateFrequency>", 3_600),
        ("<sy:updateFrequency>4</sy:updateFrequency>", 21_600),
        ("<sy:updatePeriod>fortnightly</sy:updatePeriod>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3_600),
        ("<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 3_600),
    ],
)
def test_how_often_a_feed_wants_to_be_asked(head: str, seconds: int | None) -> None:
    assert read(head).wait_s == seconds


def test_what_stands_after_the_entries_counts_and_what_stands_in_them_does_not() -> None:
    assert read("").wait_s is None
    assert read("", "<ttl>60</ttl>").wait_s == 3_600


def test_hours_and_days() -> None:
    found = read(
        "<skipHours><hour>0</hour><hour>24</hour><hour>5</hour><hour>77</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>Saturday</day><day>Someday</day></skipDays>"
    )
    assert found == Wishes(None, (0, 5), (5, 6))


def test_a_feed_that_forbids_every_hour_forbids_none() -> None:
    every = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    days = "".join(f"<day>{day}day</day>" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"))
    assert read(f"<skipHours>{every}</skipHours><skipDays>{days}</skipDays>") == Wishes()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ttl": 5}', b"\xff\xfe<\x00r\x00", b"<rss", b"<ttl>60"])
def test_what_wishes_nothing(body: bytes) -> None:
    assert wishes(body).skip_hours == ()


@given(st.lists(st.sampled_from(["<ttl>", "</ttl>", "9", "<skipHours>", "<hour>", "</hour>", "<item>", "<!--", "-->"])))
def test_any_document_is_survived(parts: list[str]) -> None:
    found = wishes(("<rss>" + "".join(parts)).encode())
    assert found.wait_s is None or found.wait_s > 0


@pytest.mark.parametrize("piece", [b"<skipHours>", b"<ttl ", b"<!--", b"<a:updatePeriod ", b"<", b"<a:", b"</item"])
def test_hostile_repetition_wishes_nothing_and_does_not_hang(piece: bytes) -> None:
    assert wishes(b"<rss>" + piece * 1_000_000) == Wishes()
