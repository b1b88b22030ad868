"""The loopback server that publishes the sample feeds, politely: with ETags, and 304 when nothing is new."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import urlsplit

from tieup.demo.sample import Sample, SampleFeed

_LOOPBACK = "127.0.0.1"

_ROBOTS_PATH = "/robots.txt"
_ROBOTS = b"# The sample's articles have no pages beside their entries.\nUser-agent: *\nDisallow: /20\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says to one request; `headers` without Date and Content-Length, which the shell adds."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Served:
    """One request that was answered, for the demo's own report and for tests."""

    host: str
    path: str
    status: int


def etag_of(body: bytes) -> str:
    """Return the strong ETag of a body: a hash of its bytes, in quotes as RFC 9110 section 8.8.3 wants."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def answer(feeds: Mapping[tuple[str, str], SampleFeed], poll: int, host: str, path: str, match: str | None) -> Answer:
    """Decide on one GET: the feed's body at this poll (counted from 0), 304 if its ETag was sent, 404 if none such.

    A site's robots.txt keeps readers from the pages of its articles: there are none.
    """
    if path == _ROBOTS_PATH:
        return Answer(200, (("Content-Type", "text/plain"),), _ROBOTS)
    feed = feeds.get((host, path))
    if feed is None:
        return Answer(404, (("Content-Type", "text/plain"),), b"no such feed\n")
    body = feed.bodies[poll]
    etag = etag_of(body)
    headers = (("ETag", etag), ("Cache-Control", "max-age=0"))
    if match is not None and etag in (tag.strip().removeprefix("W/") for tag in match.split(",")):
        return Answer(304, headers)
    return Answer(200, (*headers, ("Content-Type", feed.content_type)), body)


class DemoServer:
    """Serves the sample feeds on loopback while its context is open, all hosts on one port.

    The host is taken from the Host header, or from the address itself where the server is used as a plain HTTP proxy
    (`GET http://www.autoblatt.example/feed.rss`), so that fixed host names need no DNS. The Date header is the fixed
    moment of the poll that is shown.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._feeds = {(feed.host, feed.path): feed for feed in sample.feeds}
        self._poll = 0
        self._served: list[Served] = []
        self._http: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._http = _Server((_LOOPBACK, 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="demo-feeds", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._http = self._thread = None

    @property
    def port(self) -> int:
        """The loopback port, while the context is open. Raises RuntimeError outside it."""
        if self._http is None:
            raise RuntimeError("the demo server is not running")
        return self._http.server_port

    @property
    def url(self) -> str:
        """The server's own address, also usable as an HTTP proxy."""
        return f"http://{_LOOPBACK}:{self.port}"

    @property
    def hosts(self) -> dict[str, str]:
        """Each host name of the sample and this server's `address:port`, as the fetching settings take them."""
        return {feed.host: f"{_LOOPBACK}:{self.port}" for feed in self._sample.feeds}

    @property
    def served(self) -> tuple[Served, ...]:
        """The requests answered so far, in order, but those for a robots.txt."""
        return tuple(self._served)

    def show(self, poll: int) -> None:
        """Show the feeds as they stand at this poll, counted from 1. Raises ValueError if there is none such."""
        if not 1 <= poll <= len(self._sample.polls):
            raise ValueError(f"poll {poll}: the sample has polls 1 to {len(self._sample.polls)}")
        self._poll = poll - 1

    @property
    def date(self) -> str:
        """The Date header: the moment of the poll that is shown."""
        return format_datetime(self._sample.polls[self._poll], usegmt=True)

    def respond(self, host: str, path: str, match: str | None) -> Answer:
        """Answer one request and remember it, unless it is for a robots.txt."""
        found = answer(self._feeds, self._poll, host, path, match)
        if path != _ROBOTS_PATH:
            self._served.append(Served(host, path, found.status))
        return found


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing the server waits for the answers under way


class _Handler(BaseHTTPRequestHandler):
    timeout: ClassVar[float] = 5.0  # an idle connection must not hold the server open

    def __init__(self, demo: DemoServer, *args: object) -> None:
        self._demo = demo
        super().__init__(*args)  # type: ignore[arg-type]  # request, address and server, as socketserver hands them

    def do_GET(self) -> None:  # the name is http.server's
        target = urlsplit(self.path)
        host = target.hostname or (self.headers.get("Host") or "").partition(":")[0]
        found = self._demo.respond(host.lower(), target.path, self.headers.get("If-None-Match"))
        self.send_response_only(found.status)
        self.send_header("Date", self._demo.date)
        for name, value in found.headers:
            self.send_header(name, value)
        if found.status != 304:
            self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the signature is http.server's
        """Say nothing: the demo prints its own report."""
