"""`tieup feeds` from end to end but for the process: what an operator types, and what comes of it."""

import asyncio
import io
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.feed_server import Answer, Page, document, feed_server, item, rss
from tests.fetching import Fetching

from tieup.cli.app import run
from tieup.cli.session import now
from tieup.feeds.settings import FetchSettings

HTML = (("Content-Type", "text/html"),)


def fresh(*numbers: int) -> Page:
    """A feed whose entries are of today."""
    return Page(rss(*(item(number, date=f"{now():%a, %d %b %Y 00:00:00 GMT}") for number in numbers)), etag='"a"')


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Command:
    """The command in a folder of its own, called in this process."""

    folder: Path
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[bytes]

    def __post_init__(self) -> None:
        self.patch.setenv("COLUMNS", "80")
        self.patch.setenv("TIEUP_FEEDS_ALLOW_PRIVATE", "true")
        self.go_to("here")

    def go_to(self, name: str) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        self.patch.chdir(self.folder / name)

    async def __call__(self, *arguments: str, stdin: str = "", columns: int = 80) -> Done:
        self.patch.setenv("COLUMNS", str(columns))
        self.patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        self.captured.readouterr()
        code = await asyncio.to_thread(run, ["feeds", *arguments])
        out, err = self.captured.readouterr()
        return Done(code, out.decode(), err.decode())

    def files(self) -> list[Path]:
        return list(Path.cwd().iterdir())

    async def fetch(self) -> None:
        """Poll what is due, as `tieup run --once fetch` does."""
        settings = FetchSettings(allow_private=True, read_s=2.0)
        await Fetching(Path("tieup.db"), now() + timedelta(seconds=1), settings).run()


@pytest.fixture
def feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, monkeypatch, capsysbinary)


async def test_a_list_goes_round_with_its_folders_and_touches_nothing_set_by_hand(feeds: Command) -> None:
    inner = '<outline text="de"><outline xmlUrl="https://a.example/f" title="Theirs" language="de"/></outline>'
    opml = f'<opml><body><outline text="trade">{inner}</outline></body></opml>'
    mine = ("--title", "Mine", "--interval", "600", "--category", "my own/cars")
    assert (await feeds("add", "https://a.example/f", *mine)).code == 0
    assert (await feeds("pause", "a.example/f")).out == "paused https://a.example/f\n"
    assert (await feeds("import", "-", stdin=opml)).out.startswith("0 feeds added, 1 changed, 0 known")
    assert (await feeds("import", "-", stdin=opml)).out.startswith("0 feeds added, 0 changed, 1 known")
    (row,) = (await feeds("list", "--json")).rows
    assert (row["title"], row["interval_s"], row["paused"], row["language"]) == ("Mine", 600, True, "de")
    assert row["category"] == ["my own", "cars"]
    exported = (await feeds("export")).out
    feeds.go_to("elsewhere")
    done = await feeds("import", "-", stdin=exported)
    assert (done.code, done.err) == (0, "")
    assert (await feeds("list", "--json")).rows[0]["category"] == ["my own", "cars"]
    assert (await feeds("export")).out == exported


async def test_the_list_tells_how_feeds_fare(feeds: Command) -> None:
    pages = {"/well": fresh(1, 2), "/html": Answer(b"<html>no", headers=HTML), "/busy": Answer(status=429)}
    pages["/named"] = fresh(3)
    async with feed_server(pages) as server:
        await feeds("add", server.url("/well"), "--category", "trade/de", "--title", "Z\u202e[red]well")
        await feeds("add", server.url("/html"), "--category", "trade")
        await feeds("add", server.url("/named"))
        await feeds("add", server.url("/new"), "--category", "Business")
        await feeds("pause", server.url("/new"))
        await feeds.fetch()
        await feeds("resume", server.url("/new"))
        rows = {row["url"]: row for row in (await feeds("list", "--json")).rows}
        assert [rows[server.url(path)]["state"] for path in ("/well", "/html", "/new")] == ["healthy", "failing", "new"]
        assert rows[server.url("/well")]["entries"] == 2
        assert rows[server.url("/html")]["reason"] == "an HTML page, not a feed"
        wide = await feeds("list", "--sort", "state", columns=120)
        narrow = await feeds("list", "--sort", "state")
        for shown, width in ((wide, 120), (narrow, 80)):
            assert max(map(len, shown.out.splitlines())) <= width
            assert shown.out.index("failing") < shown.out.index("healthy")
            assert "an HTML page, not a feed" in shown.out
            assert "Z\ufffd[red]well" in shown.out
        assert "trade/de" in wide.out
        assert [row["url"] for row in (await feeds("list", "--category", "TRADE", "--json")).rows] == sorted(
            (server.url("/html"), server.url("/well"))
        )
        assert (await feeds("list", "--state", "new", "--json")).rows[0]["url"] == server.url("/new")
        told = await feeds("show", server.url("/html"))
        assert "an HTML page, not a feed" in told.out
        assert "no feed is so" in (await feeds("list", "--broken", "--category", "business")).err
        await feeds("add", server.url("/busy"))
        await feeds.fetch()
        assert 'text="Motor News"' in (await feeds("export")).out
        poll = await feeds("poll", server.url("/busy"))
        assert "not polled before" in poll.out
        for command in ("check", "discover"):
            left = await feeds(command, server.url("/well"))
            assert (left.code, "asked to be left alone until" in left.err) == (1, True)


async def test_a_check_fits_one_screen(feeds: Command) -> None:
    atom = Page(document("atom", 1, 2, 3), etag='W/"x"', headers=(("Content-Type", "application/atom+xml"),))
    async with feed_server({"/f": atom, "/page": Answer(b"<html>no", headers=HTML)}) as server:
        done = await feeds("check", server.url("/f"))
        assert (done.code, done.err) == (0, "")
        assert len(done.out.splitlines()) <= 24
        assert max(map(len, done.out.splitlines())) <= 80
        assert "304, not modified" in done.out
        assert "Atom 1.0" in done.out
        assert "wanted" in done.out
        report = json.loads((await feeds("check", server.url("/f"), "--json")).out)
        assert (report["kind"], report["entries"], report["broken"]) == ("Atom 1.0", 3, False)
        broken = await feeds("check", server.url("/page"))
        assert (broken.code, "a web page, not a feed" in broken.out) == (1, True)
        none = await feeds("check", "http://127.0.0.1:1/")
        assert (none.code, len(none.err.splitlines())) == (1, 1)
    assert feeds.files() == []


async def test_discovery_subscribes_to_nothing_unless_told_to(feeds: Command) -> None:
    page = Answer(b"<link rel='alternate' type='application/rss+xml' href='/f'>", headers=HTML)
    async with feed_server({"/": page, "/f": Page(document("rss", 1))}) as server:
        for told, files in ((["--all"], False), (["--add", "--all"], True)):
            found = await feeds("discover", server.url("/"), *told)
            assert (found.code, "1 entry" in found.out, bool(feeds.files())) == (0, True, files)


async def test_the_starter_list_is_unverified_until_polled(feeds: Command) -> None:
    listed = await feeds("starter", "--language", "de", "--category", "trade", "--json")
    assert {row["state"] for row in listed.rows} == {"unverified"}
    assert {row["language"] for row in listed.rows} == {"de"}
    assert feeds.files() == []
    added = await feeds("starter", "--add", "--language", "de", "--category", "trade")
    assert added.out.startswith(f"{len(listed.rows)} feeds added")
    await feeds("pause", "--category", "trade")
    again = await feeds("starter", "--add", "--language", "de", "--category", "trade")
    assert again.out.startswith(f"0 feeds added, 0 changed, {len(listed.rows)} known already")
    rows = (await feeds("list", "--json")).rows
    assert {(row["paused"], row["category"][0]) for row in rows} == {(True, "trade")}
    assert max(map(len, (await feeds("starter")).out.splitlines())) <= 80
    assert (await feeds("starter", "--language", "xx")).code == 1


async def test_a_wish_that_nobody_hears_is_told(feeds: Command) -> None:
    await feeds("add", "https://a.example/f")
    done = await feeds("poll", "a.example/f", "--wait", "--timeout", "1")
    assert (done.code, done.err) == (1, "1 feed not polled within 1 s; is `tieup run` running?\n")
    assert (await feeds("poll", "a.example/f")).code == 0
    for wrong in (["poll"], ["pause", "b.example/f"], ["resume", "--category", "none"]):
        assert (await feeds(*wrong)).code == 2
