"""A connection without a network: what it makes of bytes must not depend on how they arrive."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieup.outside.wire import AHEAD_BYTES, MAX_FIELDS, PIECE_BYTES, Wire


class Line(asyncio.Transport):
    """asyncio's side of a connection, which remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.ended = self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@dataclass(frozen=True)
class Heard:
    status: int | None
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    error: type[Exception] | None


async def connected() -> tuple[Wire, Line]:
    line = Line()
    wire = Wire(asyncio.get_running_loop(), memoryview(bytearray(PIECE_BYTES)), lambda _: None)
    wire.connection_made(line)
    return wire, line


def arrive(wire: Wire, data: bytes) -> None:
    for start in range(0, len(data), PIECE_BYTES):
        piece = data[start : start + PIECE_BYTES]
        wire.get_buffer(-1)[: len(piece)] = piece
        wire.buffer_updated(len(piece))


async def hear(pieces: Sequence[bytes], *, then_closed: bool = True) -> tuple[Heard, bool]:
    """Let an answer arrive piece by piece; returns what was read, and whether the connection may be used again."""
    wire, line = await connected()
    asking = asyncio.ensure_future(wire.ask(b"GET / HTTP/1.1\r\n\r\n", 5.0))
    await asyncio.sleep(0)
    body, status, headers, error = b"", None, (), None
    for piece in pieces:
        if not line.ended:
            arrive(wire, piece)
    reusable = wire.reusable
    if then_closed or line.ended:
        wire.connection_lost(None)
    try:
        await asyncio.wait_for(asking, 5.0)
        status, headers = wire.status, tuple(wire.headers)
        while got := await asyncio.wait_for(wire.piece(), 5.0):
            body += got
    except httpx.TransportError as found:
        error = type(found)
    return Heard(status, headers, body, error), reusable


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


TOKENS = st.text("abcXYZ-09", min_size=1, max_size=8).map(lambda text: b"X-" + text.encode())
VALUES = st.binary(max_size=12).map(lambda value: bytes(one for one in value if one >= 0x20 and one != 0x7F).strip())
FIELDS = st.lists(st.tuples(TOKENS, VALUES), max_size=4)
BODIES = st.binary(max_size=300)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, Heard, bool]:
    """A proper answer, what it says, and whether it says where it ends."""
    fields, body, how = draw(FIELDS), draw(BODIES), draw(st.sampled_from(["length", "chunks", "end", "none"]))
    status = draw(st.sampled_from([204, 304])) if how == "none" else draw(st.sampled_from([200, 301, 404, 503]))
    sent = body
    if how == "length":
        fields = [*fields, (b"Content-Length", b"%d" % len(body))]
    elif how == "chunks":
        fields = [*fields, (b"Transfer-Encoding", b"chunked")]
        pieces = [piece for piece in cut(body, draw(st.lists(st.integers(0, 300), max_size=4))) if piece]
        trailer = draw(st.sampled_from([b"", b"X-Trailer: 1\r\n"]))
        sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"
    elif how == "none":
        sent = body = b""
    early = draw(st.sampled_from([b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]))
    head = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    whole = early + b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, head, sent)
    return whole, Heard(status, tuple(fields), body, None), how != "end"


PLACES = st.lists(st.integers(0, 2_000), max_size=30)


@settings(deadline=None)
@given(answers(), PLACES, st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n\r\nsmuggled", b"leftovers"]))
def test_an_answer_is_the_same_however_it_arrives(
    answer: tuple[bytes, Heard, bool], places: list[int], extra: bytes
) -> None:
    data, meant, bounded = answer
    if not bounded:
        extra = b""
    heard, reusable = asyncio.run(hear(cut(data + extra, places), then_closed=not bounded))
    assert heard == meant
    assert reusable == (bounded and not extra)


@settings(deadline=None)
@given(answers(), PLACES, st.integers(0, 2_000), st.binary(max_size=4), st.integers(0, 4))
def test_a_damaged_answer_is_the_same_however_it_arrives_and_always_ends(
    answer: tuple[bytes, Heard, bool], places: list[int], at: int, put: bytes, left_out: int
) -> None:
    at %= len(answer[0]) + 1
    data = answer[0][:at] + put + answer[0][at + left_out :]
    whole, _ = asyncio.run(hear([data]))
    assert asyncio.run(hear(cut(data, places)))[0] == whole
    assert asyncio.run(hear([data[n : n + 1] for n in range(len(data))]))[0] == whole


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * (MAX_FIELDS + 1) + b"\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n" * 100_000,
    ],
)
async def test_what_does_not_say_clearly_where_it_ends_is_no_answer(data: bytes) -> None:
    heard, reusable = await hear([data])
    assert (heard.error, reusable) == (httpx.RemoteProtocolError, False)


async def test_fields_come_as_they_were_written() -> None:
    data = b'HTTP/1.1 304 X\r\nX-None:\r\nETag: W/"a\xe9\xfc" \t\r\nlast-MODIFIED:  soon\r\n\r\n'
    heard, _ = await hear([data], then_closed=False)
    assert heard.headers == ((b"X-None", b""), (b"ETag", b'W/"a\xe9\xfc"'), (b"last-MODIFIED", b"soon"))


async def test_a_body_that_nobody_takes_is_not_read_on() -> None:
    wire, line = await connected()
    asking = asyncio.ensure_future(wire.ask(b"", None))
    await asyncio.sleep(0)
    arrive(wire, b"HTTP/1.1 200 OK\r\n\r\n")
    await asking
    sent = 0
    while not line.paused:
        arrive(wire, b"x" * 10_000)
        sent += 10_000
    assert sent <= AHEAD_BYTES + PIECE_BYTES
    assert (len(await wire.piece()), line.paused) == (sent, False)
    wire.connection_lost(None)
    assert await wire.piece() == b""


async def test_a_head_has_its_time_however_busily_it_comes_and_a_kept_connection_the_rest_of_its_own() -> None:
    wire, line = await connected()
    clock = asyncio.get_running_loop().time
    asking = asyncio.ensure_future(wire.ask(b"", None, clock() + 0.02))
    while not asking.done():
        await asyncio.sleep(0)
        arrive(wire, b"HTTP/1.1 200 OK\r\nX: " if not wire.heard else b"x")
    with pytest.raises(httpx.ReadTimeout, match="no whole head in time"):
        await asking
    assert line.ended
    wire.connection_lost(None)

    wire, line = await connected()
    for _ in range(2):  # the timer of the first stands for the second
        asking = asyncio.ensure_future(wire.ask(b"", None, clock() + 30))
        await asyncio.sleep(0)
        arrive(wire, b"HTTP/1.1 204 No Content\r\n\r\n")
        await asking
        wire.rest(0.01)
    while not line.ended:  # noqa: ASYNC110 - what is awaited is a flag of the fake
        await asyncio.sleep(0.001)
    wire.connection_lost(None)


async def test_a_body_that_somebody_takes_slowly_is_not_silent() -> None:
    wire, line = await connected()
    asking = asyncio.ensure_future(wire.ask(b"", 0.01))
    await asyncio.sleep(0)
    arrive(wire, b"HTTP/1.1 200 OK\r\n\r\n")
    await asking
    arrive(wire, b"x" * (AHEAD_BYTES + 1))
    wire._look()
    assert (line.paused, line.ended) == (True, False)
    assert len(await wire.piece()) == AHEAD_BYTES + 1
    with pytest.raises(httpx.ReadTimeout):
        await wire.piece()
    assert line.ended
    wire.connection_lost(None)
