"""What subscriptions are asked for on the command line: which events, and when they are told."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tieup.cli.session import say
from tieup.config import Settings
from tieup.errors import UsageError
from tieup.model.subscription import Mode

if TYPE_CHECKING:
    from tieup.companies.gazetteer import Gazetteer
    from tieup.model.subscription import Filter

LONGEST_H: Final = 36_500
OFF: Final = "off"
_SPANS: Final = {"hourly": 1, "daily": 24}

FilterText = Annotated[
    str | None, typer.Argument(metavar="FILTER", help='Such as "company:ford kind:joint_venture -type:updated".')
]
WatchlistFile = Annotated[
    Path | None,
    typer.Option("--watchlist", metavar="FILE.csv", help="Any of these companies: names, ISINs, tickers or LEIs."),
]
Digest = Annotated[str | None, typer.Option("--digest", metavar="hourly|daily|HOURS", help="All in digests.")]
At = Annotated[str | None, typer.Option("--at", metavar="HH:MM", help="When the daily digest is made, local time.")]
AtOnce = Annotated[
    int | None,
    typer.Option("--at-once", metavar="N", help="Never more than so many messages in --window, the rest in a digest."),
]
Window = Annotated[int | None, typer.Option("--window", metavar="SECONDS", help="The span of --at-once: 3600.")]
Quiet = Annotated[str | None, typer.Option("--quiet", metavar="22:00-07:00", help="Then a digest; `off`: no more.")]
Zone = Annotated[str | None, typer.Option("--timezone", metavar="NAME", help="IANA zone of local times: UTC.")]
Backfill = Annotated[
    bool | None, typer.Option("--backfill/--no-backfill", help="Also what a new feed's first poll brings.")
]
MaxAge = Annotated[
    int | None, typer.Option("--max-age-h", min=1, max=LONGEST_H, help="Older news is left out: 48 hours.")
]


def wanted_filter(
    settings: Settings, text: str | None, watchlist: Path | None, before: "Filter | None" = None
) -> "Filter":
    """Return the filter that a line and a watchlist ask for, and tell the rows that could not be matched.

    Without a line the watchlist takes the place of the one in the filter `before`. Raises UsageError if neither is
    given, or nothing of the list is known.
    """
    from tieup.alerts.filters import filter_of_companies, filter_of_other_companies, parse_filter
    from tieup.companies.gazetteer import load_gazetteer

    if text is None and watchlist is None:
        raise UsageError('which events? FILTER or --watchlist FILE; "" is every event')
    gazetteer = load_gazetteer(settings.gazetteer)
    wanted = parse_filter(text or "", gazetteer)
    if watchlist is None:
        return wanted
    companies = _companies(watchlist, gazetteer)
    if text is None and before is not None:
        return filter_of_other_companies(companies, before)
    return filter_of_companies(companies, wanted)


def mode_after(
    before: Mode,
    digest: str | None,
    at: str | None,
    at_once: int | None,
    window: int | None,
    quiet: str | None,
    zone: str | None,
) -> Mode:
    """Return a mode with what is given changed. Raises UsageError for one that cannot be kept."""
    from tieup.alerts.modes import check_mode
    from tieup.alerts.subscribe import quiet_hours

    if at_once is not None and (digest is not None or at is not None):
        raise UsageError("--at-once and --digest: one of them")
    mode = before
    if digest is not None or (at is not None and before.digest_h is None):
        mode = replace(mode, digest_h=24 if digest is None else _hours(digest), at_once=None)
    if at_once is not None:
        mode = replace(mode, at_once=at_once, digest_h=None, daily_at=None)
    if quiet is not None:
        begin, end = (None, None) if quiet == OFF else quiet_hours(quiet)
        mode = replace(mode, quiet_from=begin, quiet_to=end)
    mode = replace(
        mode,
        daily_at=at or mode.daily_at,
        window_s=mode.window_s if window is None else window,
        timezone=zone or mode.timezone,
    )
    check_mode(mode)
    return mode


def _hours(text: str) -> int:
    if text in _SPANS:
        return _SPANS[text]
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"--digest {text}: not hourly, daily or a number of hours")
    return int(text)


def _companies(path: Path, gazetteer: "Gazetteer") -> tuple[str, ...]:
    from tieup.alerts.watchlist import MAX_BYTES, read_watchlist

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    found = read_watchlist(data, gazetteer, path.name)
    for one in found.unmatched:
        say(f"{path.name}, line {one.line}: {one.row}: {one.reason}")
    say(f"{path.name}: companies found: {len(found.companies)}, rows not matched: {len(found.unmatched)}")
    if not found.companies:
        raise UsageError(f"{path.name}: names no company of the gazetteer")
    return found.companies
