"""One HTTP/1.1 connection (RFC 9112): requests go out one after another, each answer is read as it is taken.

llhttp reads the answers (httptools); here are their bounds. It is as lenient as browsers about how lines end and what
values hold, and strict in everything that says where an answer ends.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import httptools
import httpx

PIECE_BYTES: Final = 131_072
AHEAD_BYTES: Final = 32_768  # with one piece more: what is held of a body that nobody takes
MAX_FIELDS: Final = 128  # of a head, the interim answers before it and the trailers together
MAX_FIELD_BYTES: Final = 8_190  # as Apache's LimitRequestFieldSize
MAX_BARREN_BYTES: Final = 262_144  # that come in a row and are no body: heads, chunk sizes and extensions, trailers

Header = tuple[bytes, bytes]

_VERSIONS: Final = frozenset({"1.0", "1.1"})


class Wire(asyncio.BufferedProtocol):
    """A connection to one place. `lost` is called once, when it ends.

    `buffer` (PIECE_BYTES) may be shared by all connections of a loop: what is read into it is taken out of it before
    the loop does anything else.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, buffer: memoryview, lost: Callable[["Wire"], None]) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.heard = False  # whether anything of the present answer has come
        self.kept = False  # whether it has answered before
        self._loop, self._buffer, self._lost = loop, buffer, lost
        self._transport: asyncio.Transport | None = None
        self._parser = _parser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._read_s: float | None = None
        self._moved_at = 0.0
        self._head_by: float | None = None  # by the loop's clock
        self._rest_until: float | None = None
        self._error: Exception | None = None
        self._pieces: list[bytes] = []
        self._held = self._fields = self._barren = 0
        self._told = self._complete = self._reusable = self._to_the_end = self._paused = False
        self._fault = ""

    @property
    def complete(self) -> bool:
        """Whether the whole answer has come."""
        return self._complete

    @property
    def reusable(self) -> bool:
        """Whether the answer is complete, has left nothing behind and lets the connection be used again."""
        return self._complete and self._reusable and self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, read_s: float | None, head_by: float | None = None) -> None:
        """Send a request and wait for the head of its answer: `status` and `headers`.

        `read_s` bounds each silence, those within the body too; `head_by`, by the loop's clock, when the head has to be
        there. Raises httpx.ReadTimeout, and httpx.RemoteProtocolError where the peer hangs up or speaks no HTTP/1.
        """
        self.headers, self._pieces = [], []
        self._fields = self._barren = self._held = 0
        self.heard = self._told = self._complete = self._reusable = False
        self._read_s, self._head_by, self._moved_at = read_s, head_by, self._loop.time()
        self._rest_until = None
        if self._transport is None:
            raise self._error or self._disconnected(None)
        self._transport.write(request)
        self._look_at(self._due())
        while not self._told:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def piece(self) -> bytes:
        """Return what has come of the body, empty at its end.

        Raises httpx.ReadTimeout, httpx.ReadError where the body is cut short, httpx.RemoteProtocolError.
        """
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._complete:
                return b""
            await self._wait()
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        if self._paused and self._transport is not None:
            self._paused, self._moved_at = False, self._loop.time()
            self._transport.resume_reading()
        return piece

    def rest(self, for_s: float) -> None:
        """Wait to be asked again, so long at most."""
        self._rest_until = self._loop.time() + for_s
        self._look_at(self._rest_until)

    def abort(self) -> None:
        """End the connection at once; what is not taken yet is lost."""
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.abort()
        self._wake()

    def _due(self) -> float | None:
        """Return when the peer has been silent, or has kept us waiting, for too long; None while nothing is due.

        While nobody takes what came, it cannot speak.
        """
        if self._complete:
            return self._rest_until
        silent = (
            None if self._read_s is None else (self._loop.time() if self._paused else self._moved_at) + self._read_s
        )
        bounds = [bound for bound in (silent, None if self._told else self._head_by) if bound is not None]
        return min(bounds, default=None)

    def _look_at(self, due: float | None) -> None:
        """See to it that somebody looks by then. One timer stands for many requests: it finds out what is due."""
        if due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        due = self._due()
        if due is None or due > self._loop.time():
            self._look_at(due)
        elif self._complete:
            self.abort()
        elif self._head_by is not None and not self._told and due >= self._head_by:
            self._fail(httpx.ReadTimeout("no whole head in time"))
        else:
            self._fail(httpx.ReadTimeout(f"silent for {self._read_s:g} s"))

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's interface
        """Return where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read what has come. What comes when no answer is due ends the connection."""
        if self._complete or self._error is not None or self._transport is None:
            self._reusable = False
            self.abort()
            return
        self.heard, self._moved_at = True, self._loop.time()
        self._barren += nbytes
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._reusable = False
            if not self._complete:  # else it is about what follows the answer, which is nobody's
                self._fail(_improper(self._fault or str(error)))
        else:
            if self._barren > MAX_BARREN_BYTES and not self._complete:
                self._fail(_improper(f"more than {MAX_BARREN_BYTES} bytes without a body"))
            elif self._held > AHEAD_BYTES and not self._complete and not self._paused:
                self._paused = True
                self._transport.pause_reading()
        if self._told:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say how the answer ends: properly only where its end is the connection's."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._complete and self._error is None:
            if not self._told:
                self._error = self._disconnected(exc)
            elif self._to_the_end and exc is None:
                self._complete = True
            else:
                said = f": {exc}" if exc else ""
                self._error = httpx.ReadError(f"the peer closed the connection before the body's end{said}")
        self._wake()
        del self._parser  # which refers to us
        self._lost(self)

    # llhttp's side

    def on_message_begin(self) -> None:
        """Start a head: the answer's, or one more after interim ones (RFC 9110 §15.2)."""
        if self._complete:
            raise self._refused("more than one answer")
        self.headers = []

    def on_status(self, status: bytes) -> None:
        """Bound the status line."""
        if len(status) > MAX_FIELD_BYTES:
            raise self._refused("its status line is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; those of the trailer are only counted."""
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise self._refused(f"too many headers: more than {MAX_FIELDS}")
        if len(name) + len(value) > MAX_FIELD_BYTES:
            raise self._refused(f"a header field of more than {MAX_FIELD_BYTES} bytes")
        if b"\0" in value or b"\r" in value or b"\n" in value:
            raise self._refused("a header value with a character that none may have")
        if not self._told:
            self.headers.append((name, value.rstrip(b" \t")))  # llhttp leaves what may follow a value, RFC 9110 §5.5

    def on_headers_complete(self) -> None:
        """See which answer it is and where its body ends (RFC 9112 §6.3)."""
        self.status = self._parser.get_status_code()
        if self._parser.get_http_version() not in _VERSIONS:
            raise self._refused("not HTTP/1")
        if self.status == 101:
            raise self._refused("it switches protocols, unasked")
        self._told = self.status >= 200
        names = {name.lower() for name, _ in self.headers}
        self._to_the_end = b"content-length" not in names and b"transfer-encoding" not in names

    def on_body(self, body: bytes) -> None:
        """Hold a piece of the body."""
        self._barren = 0
        self._held += len(body)
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """End the answer, unless it was an interim one."""
        if self._told:
            self._complete, self._reusable = True, self._parser.should_keep_alive()

    def _disconnected(self, error: Exception | None) -> httpx.RemoteProtocolError:
        what = "a whole head" if self.heard else "a response"
        return httpx.RemoteProtocolError(
            f"the server disconnected without sending {what}{f': {error}' if error else ''}"
        )

    def _refused(self, fault: str) -> ValueError:
        self._fault = fault
        return ValueError(fault)


def _parser(wire: Wire) -> httptools.HttpResponseParser:
    parser = httptools.HttpResponseParser(wire)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser


def _improper(fault: str) -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(f"the answer is no proper HTTP: {' '.join(fault.split())}")
