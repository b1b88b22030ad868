"""The web's odd animals, let loose on the fetching shell and then all at once on the service: each costs its bound."""

import asyncio
import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
import zstandard
from tests.feed_server import CONTENT_TYPES, Answer, FeedServer, Page, document, feed_server, item, rss
from tests.fetching import NOON, Fetching

from tieup.feeds.http import FetchShell
from tieup.feeds.poll import PollRequest
from tieup.feeds.registry import feed_from_url, feeds_to_records
from tieup.feeds.settings import FetchSettings
from tieup.model.feed import FetchOutcome

NOW = datetime(2026, 2, 3, 8, tzinfo=UTC)
XML = (("Content-Type", "application/rss+xml"),)
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))


async def ask(url: str, **settings: object) -> FetchOutcome:
    shell = FetchShell(FetchSettings(**({"allow_private": True, "host_rate": 0.0} | settings)), lambda: NOW)
    try:
        return await shell.poll(PollRequest("f1", url, "127.0.0.1"))
    finally:
        await shell.close()


async def poll(served: FeedServer, answer: object, **settings: object) -> FetchOutcome:
    served.pages["/feed.xml"] = answer
    return await ask(served.url(), **settings)


def guids(outcome: FetchOutcome) -> list[str | None]:
    return [entry.guid for entry in outcome.entries or ()]


async def test_a_head_that_comes_byte_by_byte_ends_at_the_whole_time(served: FeedServer) -> None:
    outcome = await poll(served, Answer(rss(item(1)), slow_head_s=0.02), total_s=0.4)
    assert outcome.error == f"{served.url()}: no whole answer within 0.4 s"


async def test_an_endless_body_ends_at_its_bound(served: FeedServer) -> None:
    outcome = await poll(
        served, Answer(b"x" * 65_536, repeat=10**9, with_length=False, headers=(*XML, ("ETag", '"e"'))),
        max_body_bytes=1_000_000,
    )  # fmt: skip
    assert outcome.error == f"{served.url()}: the body is larger than 1000000 bytes"
    assert (outcome.status, outcome.etag) == (200, '"e"')


PRIVATE = [
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0x7F.0.0x0.1",
        "0",
        "0.0.0.0",
    ),
    *(
        "017700000001",
        "0177.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "foo.localhost",
        "127。0。0。1",
        "１２７.0.0.1",
    ),
    *("ⓛocalhost", "127%2e0%2e0%2e1", "127.0.0.1%00", "localhost%00.example.com"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[fe80::1%25eth0]", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]"),
    *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]"),
    *("[2001:0:7f00:1::]", "[fd00:ec2::254]", "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
]


@pytest.mark.parametrize("host", PRIVATE)
async def test_no_way_of_writing_an_own_address_leads_there(served: FeedServer, host: str) -> None:
    served.pages["/secret"] = Answer(rss(item(1)))
    outcome = await ask(served.url("/secret", host), allow_private=False, connect_s=2.0)
    assert outcome.error is not None
    assert (outcome.status, served.seen) == (None, [])


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_chain_of_redirects_into_the_own_network_is_refused(served: FeedServer, host: str) -> None:
    served.pages |= {
        "/feed.xml": Answer(status=301, headers=(("Location", "http://b.example/2"),)),
        "/2": Answer(status=302, headers=(("Location", "http://c.example/3"),)),
        "/3": Answer(status=308, headers=(("Location", served.url("/secret", host)),)),
        "/secret": Answer(rss(item(1))),
    }
    hosts = {f"{name}.example": served.place for name in "abc"}
    outcome = await ask("http://a.example/feed.xml", allow_private=False, hosts=hosts)
    assert outcome.error is not None
    assert outcome.error.startswith("http://a.example/feed.xml (at ")
    assert outcome.moved_to is None
    assert [seen.path for seen in served.seen] == ["/feed.xml", "/2", "/3"]


class Names:
    """A resolver whose answer changes each time."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int | None, **_: object) -> list[tuple]:
        self.asked += 1
        address = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(2, 1, 6, "", (address, port or 0))]


async def test_a_name_that_turns_to_the_own_network_after_a_check_is_refused(
    served: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", Names("8.8.8.8", "127.0.0.1"))
    served.pages["/feed.xml"] = Answer(rss(item(1)))
    outcome = await ask(served.url(host="rebinding.example"), allow_private=False)
    assert outcome.error is not None
    assert "127.0.0.1: a loopback address; not asked" in outcome.error
    assert served.seen == []


async def test_the_address_that_was_checked_is_the_one_connected_to(
    served: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first name look-up is for the turn, the second is checked; a third, at connecting, would go elsewhere."""
    names = Names("127.0.0.1", "127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names)
    served.pages["/feed.xml"] = Answer(rss(item(1)))
    outcome = await ask(served.url(host="steady.example"))
    assert (outcome.error, names.asked) == (None, 2)


@pytest.mark.parametrize("kind", sorted(CONTENT_TYPES))
@pytest.mark.parametrize(
    "sent",
    ["text/html", "application/json", "image/png", "text/plain; charset=utf-16", "text/xml; charset=no-such", ";"],
)
async def test_a_content_type_that_lies_hides_nothing(served: FeedServer, kind: str, sent: str) -> None:
    outcome = await poll(served, Answer(document(kind, 2, 1), headers=(("Content-Type", sent),)))
    assert outcome.error is None
    assert [entry.title for entry in outcome.entries or ()] == ["Title 2", "Title 1"]


@pytest.mark.parametrize(
    ("claimed", "written"),
    [("utf-8", "cp1252"), ("iso-8859-1", "utf-8"), ("utf-16", "utf-8"), ("us-ascii", "utf-8"), ("shift_jis", "utf-8")],
)
async def test_a_charset_that_lies_loses_no_entry(served: FeedServer, claimed: str, written: str) -> None:
    body = rss(item(1, "Käufer für Škoda"), item(2)).decode().replace("utf-8", claimed).encode(written, "replace")
    outcome = await poll(served, Answer(body, headers=(("Content-Type", f"application/rss+xml; charset={claimed}"),)))
    assert (outcome.error, guids(outcome)) == (None, ["guid-1", "guid-2"])


async def test_of_fifty_thousand_entries_the_first_are_read(served: FeedServer) -> None:
    body = rss(*(item(number, date=None) for number in range(50_000)))
    outcome = await poll(served, Answer(body), max_body_bytes=50_000_000, read_s=60.0)
    assert outcome.error is None
    assert (len(outcome.entries or ()), outcome.bad_entries) == (1_000, 49_000)


async def test_a_billion_laughs_are_not_heard(served: FeedServer) -> None:
    feed = f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{LAUGHS}]>" + rss(item(1, "&l9;")).decode().partition("?>")[2]
    outcome = await poll(served, Answer(feed.encode()))
    assert outcome.error is not None or all("haha" not in entry.plain.text for entry in outcome.entries or ())


@pytest.mark.parametrize("declared", ["<!ENTITY x SYSTEM '{}'>", "<!ENTITY % x SYSTEM '{}'> %x;"])
async def test_external_entities_are_not_fetched(served: FeedServer, declared: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret of this machine")
    served.pages["/secret"] = Answer(b"<!ENTITY y 'a secret of this network'>")
    for place in (secret.as_uri(), str(secret), served.url("/secret")):
        feed = f"<!DOCTYPE rss [{declared.format(place)}]>" + rss(item(1, "&x; and text")).decode().partition("?>")[2]
        outcome = await poll(served, Answer(feed.encode()))
        assert "secret of" not in repr(outcome.entries)
    included = f"<!DOCTYPE rss SYSTEM '{served.url('/secret')}'>" + rss(item(1)).decode().partition("?>")[2]
    await poll(served, Answer(included.encode()))
    assert {seen.path for seen in served.seen} == {"/feed.xml"}


async def test_null_bytes_do_not_get_through(served: FeedServer) -> None:
    outcome = await poll(served, Answer(rss(item(1), item(2)).replace(b"partner", b"part\x00ner") + b"\x00" * 10))
    assert "\x00" not in repr(outcome.entries)
    assert outcome.error is not None or guids(outcome) == ["guid-1", "guid-2"]


@pytest.mark.parametrize("wrapped", ["{}", "<![CDATA[{}]]>", "{}&amp;"])
async def test_a_line_of_ten_megabytes_is_cut(served: FeedServer, wrapped: str) -> None:
    outcome = await poll(served, Answer(rss(item(1, wrapped.format("long " * 1_900_000)), item(2))))
    assert (outcome.error, guids(outcome)) == (None, ["guid-1", "guid-2"])
    assert max(len(entry.plain.text) for entry in outcome.entries or ()) <= 1_000_000


async def test_thousands_of_levels_are_one_feeds_trouble(served: FeedServer) -> None:
    deep = "<b>" * 20_000
    outcome = await poll(served, Answer(rss(item(1), f"<item><title>x</title>{deep}</item>")), parse_s=60.0)
    assert outcome.error is not None or "guid-1" in guids(outcome)


async def test_a_clock_a_year_off_makes_no_wait_of_a_year(served: FeedServer) -> None:
    clock = (("Date", "Wed, 03 Feb 2027 08:00:00 GMT"), ("Expires", "Wed, 03 Feb 2027 09:00:00 GMT"))
    late = ("Last-Modified", "Wed, 03 Feb 2027 07:59:59 GMT")
    fine = await poll(served, Answer(rss(item(1, date="Wed, 03 Feb 2027 07:00:00 GMT")), headers=(*XML, *clock, late)))
    busy = await poll(served, Answer(status=503, headers=(*clock, ("Retry-After", "Wed, 03 Feb 2027 08:30:00 GMT"))))
    assert (fine.max_age_s, fine.last_modified, busy.retry_after_s) == (3_600, late[1], 1_800)


async def test_all_of_them_at_once_stop_no_other_feed(tmp_path: Path) -> None:
    fine = Page(document("rss", 2, 1), '"e"', None)
    animals = {
        "slow-head": Answer(rss(item(1)), slow_head_s=0.05),
        "silent": Answer(b"x", wait_s=60),
        "trickle": Answer(rss(item(1)), trickle_s=0.1),
        "endless": Answer(b"x" * 65_536, repeat=10**9, with_length=False),
        "bomb": Answer(gzip.compress(bytes(100_000_000)), headers=(*XML, ("Content-Encoding", "gzip"))),
        "loop": Answer(status=301, headers=(("Location", "/feed"),)),
        "laughs": Answer(f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{LAUGHS}]><rss>&l9;</rss>".encode()),
        "br-bomb": Answer(brotli.compress(bytes(50_000_000), quality=3), headers=(*XML, ("Content-Encoding", "br"))),
        "zstd-bomb": Answer(zstandard.compress(bytes(50_000_000)), headers=(*XML, ("Content-Encoding", "zstd"))),
        "headers": Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"X-Many: b\r\n" * 50_000),
        "long-header": Answer(raw=b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n"),
        "long-place": Answer(status=301, headers=(("Location", "/" + "a" * 7_000),)),
        "early-words": Answer(raw=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50_000),
        "hangs-up": Answer(raw=b""),
        "html": Answer(b"<!doctype html><html><body>Are you human?</body></html>"),
        "binary": Answer(bytes(range(256)) * 100),
        "torn": Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<rss>"),
        "no-http": Answer(raw=b"SSH-2.0-OpenSSH_9.7\r\n\r\n"),
        "private": Answer(status=302, headers=(("Location", "http://127.0.0.1:1/"),)),
        "gone": Answer(status=410),
        "busy": Answer(status=429, headers=(("Retry-After", "99999999"),)),
    }
    service = Fetching(tmp_path / "log.db")
    async with feed_server({f"http://{name}.example/feed": answer for name, answer in animals.items()}) as served:
        served.pages |= {f"http://fine{number}.example/feed": fine for number in range(4)}
        names = [*animals, *(f"fine{number}" for number in range(4))]
        service.settings = FetchSettings(
            read_s=1.0,
            total_s=2.0,
            max_body_bytes=1_000_000,
            concurrency=4,
            hosts={f"{name}.example": served.place for name in names},
        )
        feeds = [feed_from_url(f"http://{name}.example/feed", NOON) for name in names]
        await service.append(feeds_to_records(feeds))
        await service.run()
        asked = Counter(seen.headers["host"].partition(".")[0] for seen in served.seen)
    # None is asked more than once, and the loop as often as redirects are followed.
    assert asked == dict.fromkeys(names, 1) | {"loop": 6}
    states = await service.states()
    assert len(states) == len(names)
    for url, state in states.items():
        assert (state.error is None) == ("/fine" in url), url
        assert state.next_poll_at <= NOON + timedelta(days=35), url
    articles = await service.articles()
    assert len({article.id for article in articles}) == len(articles) == 8
