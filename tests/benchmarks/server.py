"""The benchmarks' web server, in a process of its own: any number of feeds, each on a loopback address of its own.

`/feed/<number>` is an RSS document of `entries` entries of about 2 kB. `/set?round=3&validators=1` begins a
round: other entries, and whether ETag and Last-Modified are sent and heeded.
"""

import argparse
import asyncio
import random
import sys
from urllib.parse import parse_qs, urlsplit

WORDS = (
    "Ford",
    "Toyota",
    "alliance",
    "partner",
    "battery",
    "plant",
    "talks",
    "venture",
    "agreed",
    "market",
    "the",
    "of",
    "and",
)
LAST_MODIFIED = "Mon, 02 Feb 2026 10:{:02}:00 GMT"


def template(entries: int) -> str:
    """A document with marks for the feed's number and the round."""
    words = random.Random(1)
    items = "".join(_item(number, words) for number in range(entries))
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' "
        "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>Motor news @FEED@</title><language>en</language>"
        "<link>https://news@FEED@.example/</link><atom:link rel='self' href='https://news@FEED@.example/rss'/>"
        f"{items}</channel></rss>"
    )


def _item(number: int, words: random.Random) -> str:
    name = f"@FEED@-@ROUND@-{number}"
    text = " ".join(words.choice(WORDS) for _ in range(280))
    title = " ".join(words.choice(WORDS) for _ in range(8))
    return (
        f"<item><title>{title} {name}</title><link>https://news@FEED@.example/articles/{name}?id={number}</link>"
        f"<guid isPermaLink='false'>{name}</guid><pubDate>Mon, 02 Feb 2026 0{number % 9 + 1}:15:00 +0100</pubDate>"
        f"<dc:creator>A. Writer</dc:creator><category>Motor</category><description><![CDATA[{text[:150]}]]>"
        f"</description><content:encoded><![CDATA[<p>{name}: {text[:900]}</p><p><a href='https://news.example/'>"
        f"{text[900:1000]}</a> &amp; {text[1000:]}</p>]]></content:encoded></item>"
    )


class Site:
    """What is served now."""

    def __init__(self, entries: int) -> None:
        self._template = template(entries)
        self._round = ""
        self._validators = False
        self.begin(1, validators=True)

    def begin(self, number: int, *, validators: bool) -> None:
        self._round, self._validators = str(number), validators
        self._body = self._template.replace("@ROUND@", self._round).encode()

    def answer(self, target: str, headers: dict[str, str]) -> bytes:
        path, query = urlsplit(target)[2:4]
        if path == "/set":
            asked = parse_qs(query)
            self.begin(int(asked["round"][0]), validators=asked["validators"] == ["1"])
            return _response("200 OK", b"")
        etag, modified = f'"{self._round}{path}"', LAST_MODIFIED.format(int(self._round) % 60)
        validators = f"ETag: {etag}\r\nLast-Modified: {modified}\r\n" if self._validators else ""
        if self._validators and headers.get("if-none-match") == etag:
            return _response("304 Not Modified", None, validators)
        body = self._body.replace(b"@FEED@", path.rpartition("/")[2].encode())
        return _response("200 OK", body, f"Content-Type: application/rss+xml; charset=utf-8\r\n{validators}")


def _response(status: str, body: bytes | None, headers: str = "") -> bytes:
    length = "" if body is None else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{headers}{length}\r\n".encode() + (body or b"")


class Connection(asyncio.Protocol):
    """HTTP/1.1 as far as a GET needs it, with keep-alive."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while b"\r\n\r\n" in self._data:
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            first, *rest = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
            self._transport.write(self._site.answer(first.split()[1], headers))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=50)
    site = Site(parser.parse_args().entries)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(site), "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the benchmark ends


if __name__ == "__main__":
    asyncio.run(main())
