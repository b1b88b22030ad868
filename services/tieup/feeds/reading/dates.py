"""Dates as feeds write them, read from the raw string.

feedparser's own dates are wrong for zones that RFC 822 does not know (CET, MEZ, JST become UTC) and for Chinese and
Japanese forms (2025年11月17日 becomes the first of the month), so only the string is taken from it.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from tieup.errors import DataError

MAX_DATE_CHARS: Final = 100
FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100

_TIME: Final = r"(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\.?)?"
_ZONE: Final = (
    r"\s*(?:\(?(?P<zone>[a-z]{1,5})\)?)?\s*(?P<offset>[+-]\d{1,2}:?(?:\d{2})?)?\s*(?:\([^)]*\)|\[[^]]*\])?\s*"
)
_REST: Final = rf"(?:\s*(?:,|t|um|at|-|à|alle)?\s*{_TIME}(?:\s*uhr)?{_ZONE})?"
_DAY_NAME: Final = r"(?:[^\W\d_]+(?:\.?,\s*|\.?\s+))?"
_FORMS: Final = tuple(
    re.compile(form + _REST + r"\.?", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(?:[-/]|\.\s?)(?P<month>\d{1,2})(?:[-/]|\.\s?)(?P<day>\d{1,2})\.?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        _DAY_NAME
        + r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[.\s-]+(?:de\s+)?(?P<name>[^\W\d_]+)\.?[,\s-]+(?:de\s+)?"
        + r"(?P<year>\d{4}|\d{2})",
        _DAY_NAME + r"(?P<name>[^\W\d_]+)\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
        _DAY_NAME + r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4}|\d{2})",
    )
)
# ISO 8601's basic form.
_BASIC: Final = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})t(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?" + _ZONE,
    re.IGNORECASE,
)
_EAST: Final = re.compile(
    r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日일]?"
    r"\s*(?:[（(]?\s*(?:星期|周|週)?[一二三四五六日天月火水木金土월화수목금토일]?(?:曜日?|요일)?\s*[)）]?)\s*"
    r"(?P<half>上午|下午|午前|午後|오전|오후)?\s*"
    r"(?:(?P<hour>\d{1,2})\s*[:：時时点點시]\s*(?:(?P<minute>\d{1,2})\s*[分분]?)?(?:\s*[:：]?\s*(?P<second>\d{1,2})\s*[秒초]?)?)?"
    + _ZONE,
    re.IGNORECASE,
)
# ASCTIME: the year stands last.
_ASCTIME: Final = re.compile(
    rf"[a-z]+\s+(?P<name>[a-z]+)\s+(?P<day>\d{{1,2}})\s+{_TIME}{_ZONE}(?P<year>\d{{4}})", re.IGNORECASE
)
# What most feeds write: RFC 822 with a numeric zone or GMT, and RFC 3339.
_USUAL: Final = re.compile(
    r"(?:[A-Za-z]{3}, )?(?P<day>\d{1,2}) (?P<name>[A-Za-z]{3}) (?P<year>\d{4})"
    r" (?P<time>\d{2}:\d{2}:\d{2}) (?:(?P<offset>[+-]\d{2}[0-5]\d)|GMT)",
    re.ASCII,
)
_RFC3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:[0-5]\d)", re.ASCII)
_FARTHEST: Final = timedelta(hours=16)  # from Greenwich
_AFTERNOON: Final = frozenset({"下午", "午後", "오후"})
_WIDE: Final = str.maketrans("０１２３４５６７８９：／－　", "0123456789:/- ")


@dataclass(frozen=True, slots=True)
class DateWords:
    """Months by name and zones as minutes east."""

    months: dict[str, int]
    zones: dict[str, int]


@cache
def load_date_words() -> DateWords:
    """Return the packaged table. Raises DataError if the file is not as it should be."""
    try:
        table = tomllib.loads(files("tieup.feeds.reading").joinpath("dates.toml").read_text("utf-8"))
        months = {name: int(number) for number, names in table["months"].items() for name in names}
        return DateWords(months, {name: int(minutes) for name, minutes in table["zones"].items()})
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"feeds/reading/dates.toml: {error}") from error


def parse_date(raw: str | None) -> datetime | None:
    """Return the UTC time that a feed's date means, or None where it cannot be told.

    A date without a zone is taken as UTC, one without a time as midnight; numbers with dots are day first. Years
    outside 1990 to 2100 and unknown zones give None, as a wrong time is worse than none.
    """
    if not raw:
        return None
    raw = raw[:MAX_DATE_CHARS]
    text = " ".join((raw if raw.isascii() else raw.translate(_WIDE)).split())
    return _usual(text) or of_any_form(text)


def of_any_form(text: str) -> datetime | None:
    """Read a date by the patterns for all forms: what the short way for usual ones agrees with."""
    for form in (*_FORMS, _EAST, _ASCTIME, _BASIC):
        match = form.fullmatch(text)
        if match:
            found = match.groupdict()
            if form is _EAST and (found["zone"] or "").upper() == "CST":
                found["zone"] = "HKT"  # China's time, where Chinese is written
            return _read(found)
    return None


def _usual(text: str) -> datetime | None:
    """Read the forms that most dates have; None leaves a date to all the forms, which say the same of these."""
    match = _USUAL.fullmatch(text)
    if match is not None:
        month = load_date_words().months.get(match["name"].lower())
        if month is None:
            return None
        text = f"{match['year']}-{month:02}-{int(match['day']):02}T{match['time']}{match['offset'] or 'Z'}"
    elif not _RFC3339.fullmatch(text):
        return None
    try:
        local = datetime.fromisoformat(text)
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    believable = abs(local.utcoffset() or timedelta()) < _FARTHEST and FIRST_YEAR <= moment.year <= LAST_YEAR
    return moment if believable else None


def _read(found: dict[str, str | None]) -> datetime | None:
    words = load_date_words()
    month = found.get("month") or words.months.get((found.get("name") or "").lower().rstrip("."))
    minutes = _offset(found.get("zone"), found.get("offset"), words)
    if month is None or minutes is None:
        return None
    try:
        day = datetime(_year(found["year"]), int(month), int(found["day"] or 0), tzinfo=UTC)
        time = _time(found)
        moment = day + time - timedelta(minutes=minutes)
    except (ValueError, OverflowError):
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _year(text: str | None) -> int:
    year = int(text or 0)
    return year + 2000 if year < 100 else year


def _time(found: dict[str, str | None]) -> timedelta:
    hour, minute, second = (int(found.get(part) or 0) for part in ("hour", "minute", "second"))
    half = (found.get("half") or "").lower()
    if half:
        hour = hour % 12 + (12 if half in _AFTERNOON or half.startswith("p") else 0)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("no such time of day")
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59))


def _offset(zone: str | None, offset: str | None, words: DateWords) -> int | None:
    """Return minutes east; an offset beside a name (GMT+0200) adds to it, None means an unknown zone."""
    east = 0 if zone is None else words.zones.get(zone.upper())
    if east is None or offset is None:
        return east
    digits = offset[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours >= 16 or minutes > 59:
        return None
    return east + (hours * 60 + minutes) * (-1 if offset[0] == "-" else 1)
