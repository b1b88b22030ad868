from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.feeds.reading.dates import of_any_form, parse_date


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("Mon, 17 Nov 2025 10:00:00 +0100", utc(2025, 11, 17, 9)),
        ("Mon, 17 Nov 2025 10:00:00 GMT", utc(2025, 11, 17, 10)),
        ("Mon, 17 Nov 25 10:00 CET", utc(2025, 11, 17, 9)),
        ("Thu, 17 Jul 2025 10:00:00 CEST", utc(2025, 7, 17, 8)),
        ("Mo, 17 Nov 2025 10:00:00 MEZ", utc(2025, 11, 17, 9)),
        ("Do., 17. Juli 2025 10:00 MESZ", utc(2025, 7, 17, 8)),
        ("Mon, 17 Nov 2025 10:00:00 JST", utc(2025, 11, 17, 1)),
        ("Thu, 17 Jul 2025 10:00:00 BST", utc(2025, 7, 17, 9)),
        ("Mon, 17 Nov 2025 10:00:00 EST", utc(2025, 11, 17, 15)),
        ("Mon, 17 Nov 2025 10:00:00 GMT+0800 (CST)", utc(2025, 11, 17, 2)),
        ("Mon Nov 17 10:00:00 UTC 2025", utc(2025, 11, 17, 10)),
        ("Montag, 17. März 2025", utc(2025, 3, 17)),
        ("17. November 2025, 10.30 Uhr", utc(2025, 11, 17, 10, 30)),
        ("17.11.2025 10:30", utc(2025, 11, 17, 10, 30)),
        ("01.02.2026", utc(2026, 2, 1)),
        ("2025-11-17T10:00:00Z", utc(2025, 11, 17, 10)),
        ("2025-11-17T10:00:00.123+01:00", utc(2025, 11, 17, 9)),
        ("2025-11-17 10:00", utc(2025, 11, 17, 10)),
        ("2025年11月17日 10:00", utc(2025, 11, 17, 10)),
        ("2025年11月17日", utc(2025, 11, 17)),
        ("2025年11月17日(月) 10時05分 JST", utc(2025, 11, 17, 1, 5)),
        ("2025年11月17日 星期一 下午3:05 +0800", utc(2025, 11, 17, 7, 5)),
        ("２０２５年１１月１７日", utc(2025, 11, 17)),
        ("2025년 11월 17일 오후 3시 5분", utc(2025, 11, 17, 15, 5)),
        ("lun. 17 novembre 2025 10h30", utc(2025, 11, 17, 10, 30)),
        ("20 de noviembre de 2025", utc(2025, 11, 20)),
        ("Mon,17 Nov 2025 10:00:00 +0100", utc(2025, 11, 17, 9)),
        ("Do.,4. Dez. 2025, 10:00 Uhr MEZ", utc(2025, 12, 4, 9)),
        ("Di, 04 Mrz 2025 09:15:00 +0100", utc(2025, 3, 4, 8, 15)),
        ("17.11.25, 10:00 Uhr", utc(2025, 11, 17, 10)),
        ("20251117T100000Z", utc(2025, 11, 17, 10)),
        ("20251117T1000+0100", utc(2025, 11, 17, 9)),
        ("2025-11-17T10:00:00+01:00[Europe/Berlin]", utc(2025, 11, 17, 9)),
        ("2025. 11. 17. 10:00", utc(2025, 11, 17, 10)),
        ("2025年11月17日 10:00 CST", utc(2025, 11, 17, 2)),
        ("2025-11-17 10:00 CST", utc(2025, 11, 17, 16)),
        ("2025年11月17日 上午12:05 +0800", utc(2025, 11, 16, 16, 5)),
        ("Пн, 17 ноя 2025 10:00:00 +0300", utc(2025, 11, 17, 7)),
        ("17 Kasım 2025 10:00", utc(2025, 11, 17, 10)),
        ("pon., 17 lis 2025 10:00:00 +0100", utc(2025, 11, 17, 9)),
        ("seg., 17 de nov. de 2025", utc(2025, 11, 17)),
        ("ma, 17 maart 2025 10:00", utc(2025, 3, 17, 10)),
        ("Mon, 17 Nov 2025 24:00:00 +0000", utc(2025, 11, 18)),
        ("Mon, 17 Nov 2025 10:00:60 GMT", utc(2025, 11, 17, 10, 0, 59)),
        ("November 17, 2025 3:04 PM", utc(2025, 11, 17, 15, 4)),
    ],
)
def test_dates_as_feeds_write_them(raw: str, moment: datetime) -> None:
    assert parse_date(raw) == moment


@pytest.mark.parametrize(
    "raw",
    [
        *(None, "", "heute", "5", "Mai", "2026-02-30", "Mon, 02 Feb 2026 10:00:00 XYZ", "17/11/2025", "25:00"),
        *("Thu, 01 Jan 1970 00:00:00 GMT", "2026-02-02T25:00:00Z", "3. Quux 2025", "9999-12-31T23:59:59-14:00"),
        "1763373600",
    ],
)
def test_what_cannot_be_told_is_none(raw: str | None) -> None:
    assert parse_date(raw) is None


@given(st.text(max_size=60))
def test_any_text_is_survived(raw: str) -> None:
    parse_date(raw)


@given(st.integers(700_000_000, 4_000_000_000))
def test_iso_times_come_back(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert parse_date(moment.strftime("%Y-%m-%dT%H:%M:%SZ")) == moment


@given(
    st.sampled_from(["Mon, ", "Xyz, ", ""]),
    st.integers(0, 32),
    st.sampled_from(["Jan", "feb", "Mai", "Okt", "DEC", "Foo"]),
    st.sampled_from([1, 1989, 1990, 2026, 2100, 2101, 9999]),
    st.tuples(st.integers(0, 25), st.integers(0, 61), st.integers(0, 61)),
    st.sampled_from(["GMT", "Z", "CET", "+0100", "-0530", "+1559", "+1600", "-1630", "+0060", "+2400", ""]),
)
def test_the_short_way_for_usual_dates_agrees_with_the_long_one(
    weekday: str, day: int, month: str, year: int, time: tuple[int, int, int], zone: str
) -> None:
    clock = ":".join(f"{part:02}" for part in time)
    number = {"Jan": 1, "feb": 2, "Mai": 5, "Okt": 10, "DEC": 12}.get(month, 13)
    colon = f"{zone[:3]}:{zone[3:]}" if zone[:1] in ("+", "-") else zone
    for text in (f"{weekday}{day} {month} {year} {clock} {zone}", f"{year:04}-{number:02}-{day:02}T{clock}{colon}"):
        assert parse_date(text) == of_any_form(" ".join(text.split()))
