"""A loopback web server for tests: scripted answers, conditional GET, and a record of every request it saw."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import orjson


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came: header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    at: datetime | None = None

    @property
    def url(self) -> str:
        """What was asked for, by the name that was asked."""
        return f"http://{self.headers.get('host')}{self.path}"

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


@dataclass(frozen=True, slots=True)
class Answer:
    """A scripted answer. `raw` replaces everything; `repeat` sends the body so many times, `trickle_s`
    byte by byte with such pauses, `slow_head_s` the head so."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/rss+xml"),)
    raw: bytes | None = None
    repeat: int = 1
    wait_s: float = 0.0
    trickle_s: float = 0.0
    slow_head_s: float = 0.0
    with_length: bool = True


@dataclass(slots=True)
class Page:
    """A page with validators; answers 304 to whoever shows one that still holds."""

    body: bytes
    etag: str | None = None
    last_modified: str | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/rss+xml"),)

    def __call__(self, seen: Seen) -> Answer:
        validators = (("ETag", self.etag), ("Last-Modified", self.last_modified))
        headers = (*self.headers, *((name, value) for name, value in validators if value is not None))
        asked_etag = seen.headers.get("if-none-match")
        same = asked_etag == self.etag if asked_etag else seen.headers.get("if-modified-since") == self.last_modified
        if seen.conditional and same:
            return Answer(status=304, headers=headers)
        return Answer(self.body, headers=headers)


Script = Answer | Callable[[Seen], Answer]


@dataclass(slots=True)
class FeedServer:
    """What is served, by path or by whole URL, and what was asked; `clock` gives the time of each request."""

    port: int = 0
    clock: Callable[[], datetime] | None = None
    pages: dict[str, Script] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def url(self, path: str = "/feed.xml", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            seen = Seen(method, path, headers, self.clock() if self.clock else None)
            self.seen.append(seen)
            script = self.pages.get(seen.url) or self.pages.get(path, Answer(status=404))
            await _send(writer, script if isinstance(script, Answer) else script(seen))
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # the other side had enough
        finally:
            writer.close()


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    if answer.wait_s:
        await asyncio.sleep(answer.wait_s)
    if answer.raw is not None:
        writer.write(answer.raw)
        await writer.drain()
        return
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers)]
    if answer.with_length:
        lines.append(f"Content-Length: {len(answer.body) * answer.repeat}")
    text = "\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n"
    head = text.encode("latin-1" if max(text) <= "\xff" else "utf-8")
    for piece in [head[at : at + 1] for at in range(len(head))] if answer.slow_head_s else [head]:
        writer.write(piece)
        await asyncio.sleep(answer.slow_head_s)
    if answer.trickle_s:
        for at in range(len(answer.body)):
            writer.write(answer.body[at : at + 1])
            await asyncio.sleep(answer.trickle_s)
        return
    for _ in range(answer.repeat):
        writer.write(answer.body)
        await writer.drain()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def loopback(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free loopback port; at the end every connection is closed, and gone."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        try:
            await handler(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            with suppress(AttributeError):  # Python 3.11's, of one that was lost while it still had bytes to send
                writer.transport.abort()
        await asyncio.sleep(0)
        await server.wait_closed()


@asynccontextmanager
async def feed_server(
    pages: Mapping[str, Script] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FeedServer]:
    """Serve pages on a free loopback port."""
    served = FeedServer(pages=dict(pages or {}))
    async with loopback(served.serve, tls) as served.port:
        yield served


@contextmanager
def served_by_a_thread(answer: Callable[[str], bytes], address: str = "127.0.0.1") -> Iterator[int]:
    """Serve feeds from a thread, for tests that wait without a loop: what `answer` gives for a host. Gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self.headers["Host"].partition(":")[0])
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


ENTRY = (
    "<item><title>{title}</title><link>{link}</link><guid isPermaLink='false'>{guid}</guid>{date}"
    "<description>{text}</description></item>"
)


def rss(*items: str, title: str = "Motor News") -> bytes:
    """An RSS 2.0 document of these items."""
    body = "".join(items)
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>"
        f"<title>{title}</title>{body}</channel></rss>"
    ).encode()


def item(number: int, text: str | None = None, *, date: str | None = "Mon, 02 Feb 2026 10:00:00 +0100") -> str:
    """An RSS item whose guid and link hold the number."""
    return ENTRY.format(
        title=f"Title {number}",
        link=f"/articles/{number}",
        guid=f"guid-{number}",
        date=f"<pubDate>{date}</pubDate>" if date else "",
        text=text or f"Ford and partner number {number} speak about an alliance.",
    )


def document(kind: str, *numbers: int, head: str = "", text: str = "Ford and partner number {} speak.") -> bytes:
    """A feed of the kind (rss, atom, json) with an entry, undated, for each number; `head` stands before them."""
    if kind == "json":
        entries = [
            {"id": f"guid-{n}", "url": f"/articles/{n}", "title": f"Title {n}", "content_text": text.format(n)}
            for n in numbers
        ]
        return orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Motor News", "items": entries})
    if kind == "rss":
        return rss(head, *(item(n, text.format(n), date=None) for n in numbers))
    made = "".join(
        f"<entry><id>guid-{n}</id><title>Title {n}</title><link href='/articles/{n}'/>"
        f"<content type='html'>{escape(text.format(n))}</content></entry>"
        for n in numbers
    )
    return (
        "<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom'>"
        f"<title>Motor News</title>{head}{made}</feed>"
    ).encode()


CONTENT_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
