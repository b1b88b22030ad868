"""A receiver of webhooks in a process of its own: says thank you at once, and counts. It costs the sender nothing but
what any receiver does.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray
from typing import cast

import httptools

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthank you"
MAX_TIMES = 100_000


@dataclass(frozen=True, slots=True)
class Sink:
    """Where it listens, and what came: how many messages, and when each, by the machine's monotonic clock."""

    port: int
    counted: "Synchronized[int]"
    times: "SynchronizedArray[float]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def count(self) -> int:
        return self.counted.value


class _Connection(asyncio.Protocol):
    def __init__(self, sink: "_Counts") -> None:
        self._sink = sink
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._sink.note()
        self._transport.write(ANSWER)


@dataclass(frozen=True, slots=True)
class _Counts:
    counted: "Synchronized[int]"
    times: "SynchronizedArray[float]"

    def note(self) -> None:
        number = self.counted.value
        if number < MAX_TIMES:
            self.times[number] = time.monotonic()
        self.counted.value = number + 1


async def _serve(counts: _Counts, port: "Synchronized[int]") -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(counts), "127.0.0.1", 0)
    port.value = server.sockets[0].getsockname()[1]
    await server.serve_forever()


def _run(counts: _Counts, port: "Synchronized[int]") -> None:
    asyncio.run(_serve(counts, port))


@contextmanager
def sinking() -> Iterator[Sink]:
    """Receive on a free loopback port until the block ends."""
    context = multiprocessing.get_context("spawn")
    port, counted = context.Value("i", 0), context.Value("i", 0)
    times = context.Array("d", MAX_TIMES)
    process = context.Process(target=_run, args=(_Counts(counted, times), port), daemon=True)
    process.start()
    try:
        while not port.value:
            assert process.is_alive(), "the receiver did not start"
            time.sleep(0.01)
        yield Sink(port.value, counted, times)
    finally:
        process.kill()
        process.join()
