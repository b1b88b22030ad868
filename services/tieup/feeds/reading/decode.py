"""Content codings undone piece by piece, so that a small body cannot become a large one before anyone counts it.

httpx's own decoding hands out whole pieces: a 481-byte brotli body became 300 MB at once.
"""

import zlib
from typing import Final, Protocol

import brotli
import zstandard

from tieup.errors import FetchError

ACCEPTED: Final = "gzip, deflate, br, zstd"
PIECE_BYTES: Final = 65_536
# RFC 9659 §3: a decoder for the web need not take windows above 8 MB.
ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024


class Body:
    """The decoded body so far. Raises FetchError as soon as it outgrows its bound; with `cut` it has its start then."""

    def __init__(self, limit: int, *, cut: bool = False) -> None:
        self._limit = limit
        self._cut = cut
        self._bytes = bytearray()

    @property
    def full(self) -> bool:
        """Whether nothing more is kept, since it is cut here."""
        return self._cut and len(self._bytes) >= self._limit

    def write(self, piece: bytes) -> int:
        """Take a decoded piece."""
        if len(self._bytes) + len(piece) > self._limit:
            self._bytes += piece[: self._limit - len(self._bytes)] if self._cut else b""
            raise FetchError(f"the body is larger than {self._limit} bytes")
        self._bytes += piece
        return len(piece)

    def content(self) -> bytes:
        """The whole body."""
        return bytes(self._bytes)


class Decoder(Protocol):
    """Undoes one content coding into a body."""

    def feed(self, data: bytes) -> None:
        """Take encoded bytes. Raises FetchError if they are wrong or the body outgrows its bound."""

    def finish(self) -> None:
        """End. Raises FetchError if the coding is cut short."""


def decoder_for(coding: str, body: Body) -> Decoder:
    """Return the decoder of a Content-Encoding header's value. Raises FetchError for one we did not accept."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return _Identity(body)
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib(body, gzip=name != "deflate")
    if name == "br":
        return _Brotli(body)
    if name == "zstd":
        return _Zstd(body)
    raise FetchError(f"the content coding {name[:40]!r} was not asked for")


class _Identity:
    def __init__(self, body: Body) -> None:
        self._body = body

    def feed(self, data: bytes) -> None:
        self._body.write(data)

    def finish(self) -> None:
        pass


class _Zlib:
    """gzip with any number of members, and deflate with or without its zlib frame."""

    def __init__(self, body: Body, *, gzip: bool) -> None:
        self._body = body
        self._gzip = gzip
        self._started = False
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else zlib.MAX_WBITS)

    def feed(self, data: bytes) -> None:
        while data:
            if self._decoder.eof:
                if not self._gzip or not data.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            data = self._step(data)

    def _step(self, data: bytes) -> bytes:
        try:
            piece = self._decoder.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            if self._gzip or self._started:
                raise FetchError(f"the {'gzip' if self._gzip else 'deflate'} coding is broken: {error}") from error
            self._started = True
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            return data
        self._started = True
        self._body.write(piece)
        return self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail

    def finish(self) -> None:
        if self._started and not self._decoder.eof:
            raise FetchError("the body ends in the middle of its coding")


class _Brotli:
    def __init__(self, body: Body) -> None:
        self._body = body
        self._decoder = brotli.Decompressor()
        self._fed = False

    def feed(self, data: bytes) -> None:
        self._fed = True
        try:
            piece = self._decoder.process(data, output_buffer_limit=PIECE_BYTES)
            self._body.write(piece)
            while not self._decoder.can_accept_more_data():
                self._body.write(self._decoder.process(b"", output_buffer_limit=PIECE_BYTES))
        except brotli.error as error:
            raise FetchError(f"the brotli coding is broken: {error}") from error

    def finish(self) -> None:
        if self._fed and not self._decoder.is_finished():
            raise FetchError("the body ends in the middle of its coding")


class _Zstd:
    """The library writes into the body in steps of 64 kB and stops at the error of the first one too many."""

    def __init__(self, body: Body) -> None:
        decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
        self._writer = decoder.stream_writer(body, write_size=PIECE_BYTES, closefd=False)  # type: ignore[arg-type]

    def feed(self, data: bytes) -> None:
        try:
            self._writer.write(data)
        except zstandard.ZstdError as error:
            raise FetchError(f"the zstd coding is broken: {error}") from error

    def finish(self) -> None:
        pass
