"""The fourteen manners of a reader that sites like, over restarts, for each kind of feed.

One life of some twenty feeds is lived per kind, on a clock of its own; each test looks at what the server saw. The
list: rachelbythebay.com on feed readers, m.earth.org.uk on RSS efficiency.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from tests.feed_server import CONTENT_TYPES, Answer, Page, Script, Seen, document, feed_server
from tests.fetching import NOON, Fetching

from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import FeedState

HOUR = timedelta(hours=1)
# Each is a run of its own: everything is closed and opened again in between, also where nothing can be due.
HOURS = (0, 0, 0.5, 1, 1.5, 2.1, 3.3, 4.6, 6, 8, 11, 23.9, 24.2, 26, 27, 49)
ETAG, MODIFIED = 'W/"a\xe9 b"', "Tue, 3 Feb 2026 07:00:00 UTC"  # neither is in order: no one may mend them
ODD_ETAG = 'W/""a\\", \xff;\x80 b'
LONG_ETAG = '"' + "x" * 4_000 + '"'
COOKIE = ("Set-Cookie", "id=1; Path=/")


def host_of(name: str) -> str:
    return f"{name.partition('/')[0]}.example"


def url_of(name: str) -> str:
    return f"http://{host_of(name)}/{name.partition('/')[2]}"


@dataclass
class Life:
    """What happened: requests by URL, in order, and the states at the end."""

    seen: dict[str, list[Seen]] = field(default_factory=dict)
    states: dict[str, FeedState] = field(default_factory=dict)
    states_after: list[dict[str, FeedState]] = field(default_factory=list)

    def of(self, name: str) -> list[Seen]:
        return self.seen.get(url_of(name), [])

    def hours(self, name: str) -> list[float]:
        return [(seen.at - NOON) / HOUR for seen in self.of(name) if seen.at]


def touched(body: bytes, headers: tuple[tuple[str, str], ...], *, same_date: bool) -> Callable[[Seen], Answer]:
    """The same body with new validators each time."""
    count = 0

    def script(_: Seen) -> Answer:
        nonlocal count
        count += 1
        date = MODIFIED if same_date else format_datetime(NOON + count * HOUR, usegmt=True)
        return Answer(body, headers=(*headers, ("ETag", f'"{count}"'), ("Last-Modified", date)))

    return script


def in_turn(*answers: Answer) -> Callable[[Seen], Answer]:
    """These answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def pages(kind: str) -> dict[str, Script]:
    kinds = (("Content-Type", CONTENT_TYPES[kind]), COOKIE)
    body = document(kind, 3, 2, 1)
    known = (*kinds, ("ETag", '"k"'))
    fresh = (("Cache-Control", "max-age=7200"),)
    skips = "<skipHours><hour>13</hour><hour>14</hour></skipHours><skipDays><day>Wednesday</day></skipDays>"
    retry_at = format_datetime(NOON + 4 * HOUR, usegmt=True)

    def moved(status: int, target: str) -> Answer:
        return Answer(status=status, headers=(("Location", target),))

    return {
        "plain/feed": Page(body, ETAG, MODIFIED, kinds),
        "etag/feed": Page(body, ETAG, None, kinds),
        "modified/feed": Page(body, None, MODIFIED, kinds),
        "odd/feed": Page(body, ODD_ETAG, MODIFIED, kinds),
        "long/feed": Page(body, LONG_ETAG, None, kinds),
        "etags/feed": touched(body, kinds, same_date=True),
        "touch/feed": touched(body, kinds, same_date=False),
        "stumble/feed": in_turn(
            Answer(body, headers=known),
            Answer(status=500, headers=(("ETag", '"error"'),)),
            Answer(status=304),
            Answer(status=304, headers=(("ETag", '"l"'),)),
            Answer(status=304),
        ),
        "torn/feed": in_turn(Answer(body, headers=known), Answer(b"<html>", headers=(*kinds, ("ETag", '"h"')))),
        "fresh/feed": Page(body, '"f"', None, (*kinds, *fresh)),
        "expires/feed": in_turn(
            Answer(body, headers=(*known, ("Expires", retry_at), ("Date", format_datetime(NOON, usegmt=True)))),
            Answer(status=304),
        ),
        "bare/feed": Answer(body, headers=kinds),
        "said/feed": Answer(body, headers=(*kinds, ("Cache-Control", "max-age=60"))),
        "busy/a": in_turn(Answer(status=429, headers=(("Retry-After", "10800"),)), Answer(body, headers=known)),
        "busy/b": Page(body, '"b"', None, kinds),
        "later/feed": in_turn(Answer(status=503, headers=(("Retry-After", retry_at),)), Answer(body, headers=known)),
        "blunt/feed": Answer(status=429),
        "query/feed?b=2&a=1": Page(body, '"q"', None, kinds),
        "moved/old": moved(301, "/new"),
        "moved/new": Page(body, '"n"', None, kinds),
        "permanent/old": moved(308, "/new"),
        "permanent/new": Page(body, '"n"', None, kinds),
        "found/old": moved(302, "/new"),
        "found/new": Page(body, '"n"', None, kinds),
        "temporary/old": moved(307, "/new"),
        "temporary/new": Page(body, '"n"', None, kinds),
        "gone/feed": Answer(status=410),
        "sleepy/feed": Page(document(kind, 1, head=skips), '"s"', None, kinds),
        "slow304/feed": in_turn(
            Answer(body, headers=known),
            Answer(status=304, headers=(("Cache-Control", "max-age=18000"),)),
        ),
    }


@pytest.fixture(scope="module", params=sorted(CONTENT_TYPES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def life(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Life:
    return asyncio.run(live(kind, tmp_path_factory.mktemp("manners") / "log.db"))


async def live(kind: str, path: Path) -> Life:
    service = Fetching(path)
    scripts = pages(kind)
    wanted = [name for name in scripts if not name.endswith("/new")]
    async with feed_server({url_of(name): script for name, script in scripts.items()}) as served:
        served.clock = lambda: service.now
        service.settings = FetchSettings(
            jitter=0.0,
            contact="https://example.org/bot",
            host_rate=0.0,
            hosts={host_of(name): served.place for name in scripts},
        )
        await service.append(feeds_to_records([feed_from_url(url_of(name), NOON) for name in wanted]))
        found = Life()
        for hours in HOURS:
            service.now = NOON + hours * HOUR
            await service.run()
            found.states_after.append(await service.states())
        for seen in served.seen:
            found.seen.setdefault(seen.url, []).append(seen)
        found.states = await service.states()
    return found


def values(life: Life, name: str, header: str) -> list[str | None]:
    return [seen.headers.get(header) for seen in life.of(name)]


@pytest.mark.parametrize(
    "name",
    [
        *("plain/feed", "etag/feed", "modified/feed", "odd/feed", "long/feed"),
        *("etags/feed", "touch/feed", "fresh/feed", "stumble/feed", "torn/feed", "slow304/feed"),
    ],
)
def test_1_one_unconditional_request_ever(life: Life, name: str) -> None:
    asked = [seen.conditional for seen in life.of(name)]
    assert len(asked) >= 4
    assert asked == [False, *[True] * (len(asked) - 1)]


def test_2_validators_go_back_byte_for_byte(life: Life) -> None:
    assert set(values(life, "plain/feed", "if-none-match")[1:]) == {ETAG}
    assert set(values(life, "plain/feed", "if-modified-since")[1:]) == {MODIFIED}
    assert set(values(life, "odd/feed", "if-none-match")[1:]) == {ODD_ETAG}
    assert set(values(life, "long/feed", "if-none-match")[1:]) == {LONG_ETAG}


def test_3_no_date_is_ever_made_up(life: Life) -> None:
    assert set(values(life, "etag/feed", "if-modified-since")) == {None}
    assert set(values(life, "modified/feed", "if-none-match")) == {None}
    assert set(values(life, "modified/feed", "if-modified-since")) == {None, MODIFIED}
    assert set(values(life, "bare/feed", "if-modified-since")) == {None}


def test_4_a_new_etag_with_the_old_date_is_the_next_one_sent(life: Life) -> None:
    sent = values(life, "etags/feed", "if-none-match")
    assert sent == [None, *(f'"{number}"' for number in range(1, len(sent)))]


def test_5_new_validators_of_the_same_body_are_the_next_ones_sent(life: Life) -> None:
    tags, dates = values(life, "touch/feed", "if-none-match"), values(life, "touch/feed", "if-modified-since")
    assert tags == [None, *(f'"{number}"' for number in range(1, len(tags)))]
    assert dates[1:] == [format_datetime(NOON + number * HOUR, usegmt=True) for number in range(1, len(dates))]


def test_6_never_an_older_validator_nor_one_of_an_error_page(life: Life) -> None:
    sent = values(life, "stumble/feed", "if-none-match")
    assert sent[:6] == [None, '"k"', '"k"', '"k"', '"l"', '"l"']
    assert values(life, "torn/feed", "if-none-match")[:3] == [None, '"k"', '"h"']


def gaps(life: Life, name: str) -> list[float]:
    return [round(after - before, 6) for before, after in pairwise(life.hours(name))]


def test_7_no_poll_before_its_time_whatever_is_restarted(life: Life) -> None:
    for name in ("plain/feed", "etag/feed", "modified/feed", "touch/feed", "torn/feed", "query/feed?b=2&a=1"):
        assert gaps(life, name)
        assert min(gaps(life, name)) >= 1
    assert min(gaps(life, "fresh/feed")) >= 2
    assert life.hours("expires/feed")[1] >= 4
    for name in ("bare/feed", "said/feed"):
        assert gaps(life, name)
        assert min(gaps(life, name)) >= 24


def test_8_a_host_that_asks_for_rest_gets_it(life: Life) -> None:
    assert life.hours("busy/a")[:2] == [0, 3.3]
    assert all(hours == 0 or hours >= 3 for hours in life.hours("busy/b"))
    assert life.hours("later/feed")[:2] == [0, 4.6]
    slower = gaps(life, "blunt/feed")
    assert len(slower) >= 3
    assert slower == sorted(slower)
    assert slower[0] >= 1


def test_9_no_cookies_no_referrers_no_query_added(life: Life) -> None:
    for url, requests in life.seen.items():
        for seen in requests:
            assert {"cookie", "referer", "from", "authorization"}.isdisjoint(seen.headers), url
    assert {url for url in life.seen if "?" in url} == {"http://query.example/feed?b=2&a=1"}


def test_10_it_says_who_asks_and_takes_compressed_answers(life: Life) -> None:
    for requests in life.seen.values():
        for seen in requests:
            assert seen.headers["user-agent"].startswith("tieup/")
            assert "https://example.org/bot" in seen.headers["user-agent"]
            assert {"gzip", "br", "zstd"} <= set(seen.headers["accept-encoding"].split(", "))


def test_11_subscribing_costs_one_request(life: Life, kind: str) -> None:
    assert life.seen.keys() == {url_of(name) for name in pages(kind)}
    for name in pages(kind):
        assert life.hours(name).count(0) <= 1, name


@pytest.mark.parametrize("name", ["moved", "permanent"])
def test_12_a_permanent_redirect_is_stored(life: Life, name: str) -> None:
    assert len(life.of(f"{name}/old")) == 3
    assert len(life.of(f"{name}/new")) > 4
    state = life.states[url_of(f"{name}/old")]
    assert (state.location, state.error) == (url_of(f"{name}/new"), None)
    assert [seen.conditional for seen in life.of(f"{name}/new")].count(False) == 1


@pytest.mark.parametrize("name", ["found", "temporary"])
def test_12_another_redirect_is_not(life: Life, name: str) -> None:
    assert len(life.of(f"{name}/old")) == len(life.of(f"{name}/new")) > 4
    assert life.states[url_of(f"{name}/old")].location is None


def test_12_gone_is_gone(life: Life) -> None:
    assert len(life.of("gone/feed")) == 1
    assert life.states[url_of("gone/feed")].gone


def test_13_hours_and_days_that_are_skipped_stay_quiet(life: Life, kind: str) -> None:
    if kind != "rss":
        pytest.skip("only RSS has skipHours and skipDays")
    asked: list[datetime] = [seen.at for seen in life.of("sleepy/feed") if seen.at]
    assert len(asked) >= 3
    for at in asked[1:]:
        assert at.hour not in (13, 14)
        assert at.weekday() != 2


def test_14_not_modified_is_success_and_its_headers_count(life: Life) -> None:
    assert min(gaps(life, "slow304/feed")[1:]) >= 5
    assert life.states[url_of("slow304/feed")].last_status == 304
    assert life.states[url_of("slow304/feed")].error is None
    assert life.states[url_of("slow304/feed")].last_success_at == life.of("slow304/feed")[-1].at


def test_a_restart_neither_resets_nor_bursts(life: Life) -> None:
    assert life.states_after[0] == life.states_after[1] == life.states_after[2]
