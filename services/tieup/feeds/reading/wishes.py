"""What a feed document asks of its readers: how often to come (ttl, sy:), and when not to (skipHours, skipDays).

Read from the raw bytes around the entries, by patterns: no parser hands all of them out, and they are too simple to be
worth a second parse. RSS 2.0 (rssboard.org) and the RSS 1.0 syndication module define them; all hours are UTC.
"""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

MAX_HEAD_BYTES: Final = 65_536
MAX_TAIL_BYTES: Final = 16_384
_MAX_MINUTES: Final = 10 * 366 * 1_440

_DAYS: Final = (b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday")
_PERIODS: Final = {
    b"hourly": 3_600,
    b"daily": 86_400,
    b"weekly": 604_800,
    b"monthly": 2_592_000,
    b"yearly": 31_536_000,
}

_ENTRY: Final = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_ENTRY_END: Final = re.compile(rb"</(?:[\w.-]{1,40}:)?(?:item|entry)\s*>", re.IGNORECASE)
_COMMENT: Final = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_TTL: Final = re.compile(rb"<ttl(?:\s[^>]{0,80})?>\s*(?:<!\[CDATA\[)?\s*(\d{1,9})", re.IGNORECASE)
_PERIOD: Final = re.compile(rb"<[\w.-]{1,40}:updatePeriod(?:\s[^>]{0,80})?>\s*([a-z]{4,12})", re.IGNORECASE)
_FREQUENCY: Final = re.compile(rb"<[\w.-]{1,40}:updateFrequency(?:\s[^>]{0,80})?>\s*(\d{1,6})", re.IGNORECASE)
_MAX_LIST_BYTES: Final = 4_000
_HOUR: Final = re.compile(rb"<hour[^>]{0,100}>\s*(\d{1,2})\s*<", re.IGNORECASE)
_DAY: Final = re.compile(rb"<day[^>]{0,100}>\s*([a-z]{6,9})\s*<", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wishes:
    """`wait_s` is the longer of ttl and sy:, None where neither is given; days count from Monday, 0."""

    wait_s: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


def wishes(body: bytes) -> Wishes:
    """Return what a document wishes; nonsense, and what would forbid every hour or day, counts as absent.

    Reads at most 64 kB before the first entry and 16 kB after the last. Documents in UTF-16 or JSON wish nothing.
    """
    text = around_entries(body)
    if not text:
        return Wishes()
    waits = [wait for wait in (_ttl_s(text), _syndication_s(text)) if wait is not None]
    return Wishes(max(waits, default=None), _skip_hours(text), _skip_days(text))


def around_entries(body: bytes) -> bytes:
    """Return what an XML document says before its first entry (≤ 64 kB) and after its last (≤ 16 kB), less comments.

    What is no XML in a charset that extends ASCII gives nothing.
    """
    start = body[:MAX_HEAD_BYTES]
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return b""
    return _COMMENT.sub(b"", _around(start, body))


def _around(start: bytes, body: bytes) -> bytes:
    first = _ENTRY.search(start)
    if first is None:
        return start
    tail = body[max(first.end(), len(body) - MAX_TAIL_BYTES) :]
    ends = list(_ENTRY_END.finditer(tail))
    return start[: first.start()] + (tail[ends[-1].end() :] if ends else b"")


def _ttl_s(text: bytes) -> int | None:
    match = _TTL.search(text)
    minutes = int(match[1]) if match else 0
    return min(minutes, _MAX_MINUTES) * 60 or None


def _syndication_s(text: bytes) -> int | None:
    period, frequency = _PERIOD.search(text), _FREQUENCY.search(text)
    length = _PERIODS.get(period[1].lower()) if period else None
    if period is not None and length is None:
        return None
    if length is None:
        length = _PERIODS[b"daily"] if frequency else None  # the module's own default
    return None if length is None else length // max(1, int(frequency[1]) if frequency else 1) or None


def _skip_hours(text: bytes) -> tuple[int, ...]:
    found = (int(hour[1]) for hour in islice(_HOUR.finditer(_inside(text, b"skiphours")), 100))
    hours = {hour % 24 for hour in found if hour <= 24}
    return () if len(hours) >= 24 else tuple(sorted(hours))


def _skip_days(text: bytes) -> tuple[int, ...]:
    names = {day[1].lower() for day in islice(_DAY.finditer(_inside(text, b"skipdays")), 100)}
    days = tuple(number for number, name in enumerate(_DAYS) if name in names)
    return () if len(days) >= len(_DAYS) else days


def _inside(text: bytes, name: bytes) -> bytes:
    """What the first element of this name holds, by finding and not by a pattern: hostile text must cost nothing."""
    _, _, rest = text.lower().partition(b"<" + name)
    return rest.partition(b"</" + name)[0][:_MAX_LIST_BYTES]
