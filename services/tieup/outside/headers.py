"""What response headers say, read leniently: nonsense counts as absent."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_WAIT_S: Final = 31 * 86_400  # what a host may ask for at most

_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


def retry_after_s(value: str | None, now: datetime, date: str | None = None) -> int | None:
    """Return the seconds that `Retry-After` asks for, given as seconds or as a date (RFC 9110 §10.2.3), ≤ 31 days.

    A date is counted from the answer's own `Date`, where it has one: the server's clock may be a year off.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]), MAX_WAIT_S)
    return _seconds_until(value, _http_date(date) or now)


def max_age_s(cache_control: str | None, expires: str | None, date: str | None, now: datetime) -> int | None:
    """Return how long the answer stays fresh: `max-age`, else `Expires` less `Date` (RFC 9111 §4.2.1), ≤ 31 days.

    `s-maxage` is for shared caches, and `Age` is not taken off: whoever counts gaps counts from the answer. Of several
    `max-age` the longest counts.
    """
    ages = [int(age) for age in _MAX_AGE.findall(cache_control or "")]
    if ages:
        return min(max(ages), MAX_WAIT_S)
    if not expires or re.search(r"no-(?:cache|store)", cache_control or "", re.IGNORECASE):
        return None
    return _seconds_until(expires, _http_date(date) or now)


def _seconds_until(value: str, now: datetime) -> int | None:
    date = _http_date(value)
    return None if date is None else max(0, min(int((date - now).total_seconds()), MAX_WAIT_S))


def _http_date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
