"""When a message may go out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieup.alerts.modes import check_mode, counted, release
from tieup.errors import UsageError
from tieup.model.delivery import SendingWindow
from tieup.model.subscription import Mode

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def held(mode: Mode, at: str) -> str | None:
    moment = utc(at)
    found = release(mode, moment, SendingWindow("e", "s", moment)).held_until
    return None if found is None else found.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("mode", "at", "until"),
    [
        (Mode(), "2026-02-01T12:00", None),
        (Mode(digest_h=1), "2026-02-01T12:00", "2026-02-01T13:00"),
        (Mode(digest_h=1), "2026-02-01T12:59:59", "2026-02-01T13:00"),
        (Mode(digest_h=24), "2026-02-01T12:00", "2026-02-02T00:00"),
        (Mode(digest_h=24, daily_at="07:30", timezone=BERLIN), "2026-02-01T06:29", "2026-02-01T06:30"),
        (Mode(digest_h=24, daily_at="07:30", timezone=BERLIN), "2026-02-01T06:30", "2026-02-02T06:30"),
        (Mode(digest_h=24, daily_at="07:30", timezone=BERLIN), "2026-03-28T12:00", "2026-03-29T05:30"),  # summer time
        (Mode(digest_h=6, daily_at="07:00"), "2026-02-01T12:00", "2026-02-01T13:00"),
        (Mode(quiet_from="22:00", quiet_to="07:00"), "2026-02-01T21:59", None),
        (Mode(quiet_from="22:00", quiet_to="07:00"), "2026-02-01T22:00", "2026-02-02T07:00"),
        (Mode(quiet_from="22:00", quiet_to="07:00"), "2026-02-02T06:59", "2026-02-02T07:00"),
        (Mode(quiet_from="12:00", quiet_to="13:00", timezone=BERLIN), "2026-07-01T10:30", "2026-07-01T11:00"),
        (Mode(digest_h=1, quiet_from="22:00", quiet_to="07:00"), "2026-02-01T23:10", "2026-02-02T07:00"),
        (Mode(digest_h=1, quiet_from="22:00", quiet_to="07:00"), "2026-02-01T21:50", "2026-02-02T07:00"),
        # The night of 25 October 2026 shows the hour from two to three twice in Berlin, that of 29 March skips it.
        (Mode(digest_h=1, timezone=BERLIN), "2026-10-25T00:10", "2026-10-25T01:00"),
        (Mode(digest_h=1, timezone=BERLIN), "2026-10-25T01:10", "2026-10-25T02:00"),
        (Mode(digest_h=1, timezone=BERLIN), "2026-03-29T00:10", "2026-03-29T01:00"),
        (Mode(digest_h=24, daily_at="02:30", timezone=BERLIN), "2026-03-28T12:00", "2026-03-29T01:30"),
        (Mode(digest_h=24, daily_at="02:30", timezone=BERLIN), "2026-10-25T00:40", "2026-10-26T01:30"),
        (Mode(quiet_from="01:00", quiet_to="02:30", timezone=BERLIN), "2026-10-24T23:10", "2026-10-25T00:30"),
        (Mode(quiet_from="01:00", quiet_to="02:30", timezone=BERLIN), "2026-10-25T01:10", "2026-10-25T01:30"),
    ],
)
def test_of_one_message(mode: Mode, at: str, until: str | None) -> None:
    check_mode(mode)
    assert held(mode, at) == until


@given(
    st.integers(1, 4), st.sampled_from([60, 900, 3_600]), st.lists(st.integers(0, 1_200), max_size=60), st.booleans()
)
def test_in_no_span_go_out_more_than_so_many_and_nothing_overtakes(
    most: int, window_s: int, gaps: list[int], quiet: bool
) -> None:
    """What is held goes out together at its time, as one message that counts."""
    at, began = utc("2026-02-01T21:30"), utc("2026-02-01T21:30")
    mode = Mode(at_once=most, window_s=window_s, **({"quiet_from": "22:00", "quiet_to": "23:00"} if quiet else {}))
    window, held, sent = SendingWindow("e", "s", began), [], []
    for number, gap in enumerate(gaps):
        at += timedelta(seconds=gap)
        while held and min(held)[0] <= at:
            due = min(held)[0]
            sent.append((due, [one for when, one in held if when <= due]))
            held = [(when, one) for when, one in held if when > due]
            window = counted(mode, window, due)
        found = release(mode, at, window, min(held)[0] if held else None)
        window = found.window
        if found.held_until is None:
            sent.append((at, [number]))
        else:
            held.append((found.held_until, number))
    times = [when for when, _ in sent]
    assert all(
        later - earlier >= timedelta(seconds=window_s) for earlier, later in zip(times, times[most:], strict=False)
    )
    told = [one for _, several in sent for one in several]
    assert told == sorted(told)


def test_a_burst_is_one_message_and_then_digests_a_window_apart() -> None:
    mode, window = Mode(at_once=1, window_s=900), SendingWindow("e", "s", utc("2026-02-01T12:00"))
    first = release(mode, utc("2026-02-01T12:00"), window)
    second = release(mode, utc("2026-02-01T12:01"), first.window)
    assert (first.held_until, second.held_until) == (None, utc("2026-02-01T12:15"))
    after = counted(mode, second.window, utc("2026-02-01T12:15"))
    assert release(mode, utc("2026-02-01T12:20"), after).held_until == utc("2026-02-01T12:30")
    assert release(mode, utc("2026-02-01T12:30"), after).held_until is None


@given(
    st.builds(
        Mode,
        digest_h=st.sampled_from([None, 1, 6, 24]),
        daily_at=st.sampled_from([None, "02:30", "23:59"]),
        at_once=st.sampled_from([None, 1]),
        quiet_from=st.just("01:00"),
        quiet_to=st.sampled_from(["02:30", "00:30"]),
        timezone=st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "UTC"]),
    ),
    st.integers(0, 365 * 86_400),
)
def test_nothing_is_held_into_the_past_or_beyond_two_days(mode: Mode, seconds: int) -> None:
    moment = utc("2026-01-01") + timedelta(seconds=seconds)
    until = release(mode, moment, SendingWindow("e", "s", moment)).held_until
    assert until is None or moment < until <= moment + timedelta(days=2)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (Mode(timezone="Europe/Berln"), "no IANA time zone"),
        (Mode(timezone="../etc/passwd"), "no IANA time zone"),
        (Mode(daily_at="25:00"), "daily_at: '25:00'"),
        (Mode(quiet_from="22:00"), "needs a beginning and an end"),
        (Mode(quiet_from="22:00", quiet_to="22:00"), "the beginning is the end"),
        (Mode(digest_h=5), "must divide a day"),
        (Mode(digest_h=48), "must divide a day"),
        (Mode(at_once=0), "between 1 and 100"),
        (Mode(window_s=0), "between 1 and 86400"),
    ],
)
def test_a_mode_that_cannot_be_kept_is_refused(mode: Mode, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_mode(mode)
