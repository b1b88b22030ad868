from datetime import UTC, datetime

import pytest

from tieup.outside.headers import MAX_WAIT_S, max_age_s, retry_after_s

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 03 Feb 2026 08:10:00 GMT", 600),
        ("Tue, 03 Feb 2026 07:00:00 GMT", 0),
        ("99999999999999999999", MAX_WAIT_S),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_retry_after_in_both_forms(value: str | None, seconds: int | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@pytest.mark.parametrize(
    ("control", "expires", "seconds"),
    [
        ("public, max-age=600", None, 600),
        ('MAX-AGE="60"', "Tue, 03 Feb 2026 09:00:00 GMT", 60),
        ("s-maxage=600", None, None),
        ("max-age=60, s-maxage=9000, max-age=600", None, 600),
        ("max-age=-1", None, None),
        ("max-age=0, no-store", "Tue, 03 Feb 2026 09:00:00 GMT", 0),
        ("no-store", "Tue, 03 Feb 2026 09:00:00 GMT", None),
        (None, "Tue, 03 Feb 2026 07:00:00 GMT", 0),
        (None, "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("max-age=99999999999", None, MAX_WAIT_S),
        (None, "Tue, 03 Feb 2026 09:00:00 GMT", 3_600),
        ("no-cache", "Tue, 03 Feb 2026 09:00:00 GMT", None),
        (None, "0", None),
        (None, None, None),
    ],
)
def test_freshness(control: str | None, expires: str | None, seconds: int | None) -> None:
    assert max_age_s(control, expires, "Tue, 03 Feb 2026 08:00:00 GMT", NOW) == seconds


def test_the_servers_own_clock_counts() -> None:
    assert max_age_s(None, "Sat, 03 Feb 2029 09:00:00 GMT", "Sat, 03 Feb 2029 08:00:00 GMT", NOW) == 3_600


def test_a_date_to_retry_after_counts_by_the_servers_own_clock_be_it_a_year_off() -> None:
    assert retry_after_s("Wed, 03 Feb 2027 08:10:00 GMT", NOW, "Wed, 03 Feb 2027 08:00:00 GMT") == 600
    assert retry_after_s("Wed, 03 Feb 2027 08:10:00 GMT", NOW, "nonsense") == MAX_WAIT_S
    assert retry_after_s("60", NOW, "Wed, 03 Feb 2027 08:00:00 GMT") == 60
