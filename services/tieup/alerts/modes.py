"""When a message may go out: at once, in a digest, after the quiet hours, and never too many at once."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tieup.errors import UsageError
from tieup.model.delivery import SendingWindow
from tieup.model.subscription import Mode

MAX_WINDOW_S = 86_400
MAX_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Release:
    """When a message goes out: `held_until` None is at once. `window` is the subscription's window afterwards."""

    held_until: datetime | None
    window: SendingWindow


def release(mode: Mode, at: datetime, window: SendingWindow, ahead: datetime | None = None) -> Release:
    """Decide on one message that matched at a time; times of the day are local in the mode's zone.

    `ahead` is when the earliest of the subscription's held messages goes out, which none overtakes.
    """
    if mode.digest_h is not None:
        return Release(_after_quiet(mode, _digest_at(mode, mode.digest_h, at)), window)
    quiet_end = _quiet_end(mode, at)
    if quiet_end is not None:
        return Release(quiet_end, window)
    if mode.at_once is None:
        return Release(None, window)
    span = timedelta(seconds=mode.window_s)
    if ahead is not None and ahead <= at + span:
        return Release(ahead, window)
    recent = tuple(one for one in window.times if one > at - span)
    if len(recent) < mode.at_once:
        return Release(None, counted(mode, replace(window, times=recent), at))
    return Release(_after_quiet(mode, recent[-mode.at_once] + span), window)


def counted(mode: Mode, window: SendingWindow, at: datetime) -> SendingWindow:
    """Return the window after one more message went out; a digest counts as one. Without a limit nothing is counted."""
    if mode.at_once is None:
        return window
    times = (*window.times, at)[-mode.at_once :]
    return replace(window, began_at=times[0], sent=len(times), times=times)


def patience(mode: Mode) -> int:
    """How long a mode may keep a message, as a rank: of several subscriptions the least patient decides."""
    if mode.digest_h is not None:
        return 2 + mode.digest_h
    return 0 if mode.at_once is None and mode.quiet_from is None else 1


def check_mode(mode: Mode) -> None:
    """Refuse a mode that cannot be kept. Raises UsageError naming the field."""
    try:
        _zone(mode.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"timezone: {mode.timezone!r} is no IANA time zone, such as Europe/Berlin") from error
    for name in ("daily_at", "quiet_from", "quiet_to"):
        value = getattr(mode, name)
        if value is not None:
            _clock(value, name)
    if (mode.quiet_from is None) != (mode.quiet_to is None):
        raise UsageError("quiet: needs a beginning and an end, such as 22:00-07:00")
    if mode.quiet_from is not None and mode.quiet_from == mode.quiet_to:
        raise UsageError("quiet: the beginning is the end")
    if mode.digest_h is not None and (not 1 <= mode.digest_h <= 24 or 24 % mode.digest_h):
        raise UsageError(f"digest: {mode.digest_h} hours: must divide a day")
    if mode.at_once is not None and not 1 <= mode.at_once <= MAX_AT_ONCE:
        raise UsageError(f"at once: must be between 1 and {MAX_AT_ONCE}")
    if not 1 <= mode.window_s <= MAX_WINDOW_S:
        raise UsageError(f"window: must be between 1 and {MAX_WINDOW_S} seconds")


def _digest_at(mode: Mode, hours: int, at: datetime) -> datetime:
    """Return the next time after `at` on the digest's grid, which begins at `daily_at` of the local day (00:00).

    A local time that the clock skips counts as the moment after the gap; an hour that it shows twice has its hourly
    digest twice, every other digest comes once.
    """
    zone = _zone(mode.timezone)
    start = _clock(mode.daily_at or "00:00", "daily_at")
    day = at.astimezone(zone).date() - timedelta(days=1)
    grid = (
        datetime.combine(day + timedelta(days=offset), start, tzinfo=zone) + timedelta(hours=step)
        for offset in range(3)
        for step in range(0, 24, hours)
    )
    folds = (0, 1) if hours == 1 else (0,)
    return min(due for one in grid for fold in folds if (due := one.replace(fold=fold).astimezone(UTC)) > at)


def _after_quiet(mode: Mode, due: datetime) -> datetime:
    return _quiet_end(mode, due) or due


def _quiet_end(mode: Mode, at: datetime) -> datetime | None:
    """Return when the quiet hours around a time end, None outside of them."""
    if mode.quiet_from is None or mode.quiet_to is None:
        return None
    zone = _zone(mode.timezone)
    begin, end = _clock(mode.quiet_from, "quiet_from"), _clock(mode.quiet_to, "quiet_to")
    local = at.astimezone(zone)
    now = local.time()
    quiet = begin <= now < end if begin < end else (now >= begin or now < end)
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if begin > end and now >= begin else 0)
    ends_at = datetime.combine(day, end, tzinfo=zone)
    first = ends_at.astimezone(UTC)
    return first if first > at else ends_at.replace(fold=1).astimezone(UTC)


def _clock(text: str, name: str) -> time:
    try:
        hours, minutes = text.split(":")
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise UsageError(f"{name}: {text!r} is no time of the day as HH:MM") from error


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
