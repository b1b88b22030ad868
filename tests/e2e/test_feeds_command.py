"""`tieup feeds` as an operator uses it: the installed command, beside a running service, against a loopback server."""

import asyncio
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.feed_server import Answer, Page, feed_server, item, rss
from tests.service import running

HTML = (("Content-Type", "text/html"),)
FEED = Page(rss(item(1), item(2)), etag='"a"')
COMMAND = [sys.executable, "-m", "tieup"]


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIEUP_")}
    own = {"PYTHONWARNINGS": "error", "COLUMNS": "80", "TIEUP_FEEDS_ALLOW_PRIVATE": "true", "TIEUP_HTTP": "off"}
    return kept | own | dict(given or {})


async def feeds(folder: Path, *arguments: str) -> Done:
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "feeds", *arguments),
        cwd=folder,
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_importing_shows_a_bar_on_a_terminal_only(tmp_path: Path) -> None:
    outlines = "".join(f'<outline xmlUrl="https://a{n}.example/f"/>' for n in range(50))
    (tmp_path / "in.opml").write_text(f"<opml><body>{outlines}</body></opml>", "utf-8")
    assert (await feeds(tmp_path, "import", "in.opml")).err == ""
    shown = await asyncio.to_thread(on_a_terminal, tmp_path, "feeds", "import", "in.opml")
    assert "50/50" in shown
    assert "0 feeds added, 0 changed, 50 known already" in shown


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """Run the command with a pseudo-terminal as its standard error and output, and return what it wrote there."""
    ours, its = pty.openpty()
    env = environment({"TERM": "xterm"})
    with subprocess.Popen([*COMMAND, *arguments], cwd=folder, env=env, stdin=its, stdout=its, stderr=its):
        os.close(its)
        shown = b"".join(_pieces(ours))
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def _pieces(handle: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(handle, 65_536)
        except OSError:  # the other side is closed
            return
        if not piece:
            return
        yield piece


async def polled(folder: Path) -> None:
    """Wait until the service has taken in what discovery handed over."""
    for _ in range(30):
        if (await feeds(folder, "list", "--json")).rows[0]["polls"]:
            return
    raise AssertionError("it was not taken in")


async def test_found_added_polled_by_hand_and_paused_beside_a_running_service(tmp_path: Path) -> None:
    site = Answer(b"<link rel='alternate' type='application/rss+xml' href='/f'>", headers=HTML)
    async with feed_server({"/": site, "/f": FEED, "/gone": Answer(status=410)}) as server:
        found = await feeds(tmp_path, "discover", server.url("/"), "--add")
        assert found.code == 0, found.err
        assert f"added {server.url('/f')}" in found.out
        env = environment()
        with running(["run", "fetch"], env, tmp_path):
            await polled(tmp_path)
            waited = await feeds(tmp_path, "poll", server.url("/f"), "--wait")
            assert (waited.code, waited.err) == (0, ""), waited.out
            assert "will be polled at once" in waited.out
            assert f"{server.url('/f')}: answered 304, 0 new entries" in waited.out
            assert (await feeds(tmp_path, "add", server.url("/gone"))).code == 0
            gone = await feeds(tmp_path, "poll", server.url("/gone"), "--wait")
            assert gone.code == 1
            assert gone.out.endswith(f"\n{server.url('/gone')}: answered 410\n")
            assert (await feeds(tmp_path, "pause", "--domain", "127.0.0.1")).err == "2 feeds paused\n"
            refused = await feeds(tmp_path, "poll", server.url("/f"), "--wait")
            assert "paused, so not polled" in refused.out
        assert [seen.conditional for seen in server.seen if seen.path == "/f"] == [False, True]
