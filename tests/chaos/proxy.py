"""A TCP proxy before one broker: it cuts connections, delays what is sent, holds one request back, refuses one or lies.

It runs on a thread and an event loop of its own, so that nothing that a test does holds it up.
"""

import asyncio
import contextlib
import io
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import Self

from aiokafka.protocol import commit, produce, transaction

PRODUCE = 0
"""Kafka's number of the request that appends records."""
OFFSET_FETCH = 9
"""Kafka's number of the request for a group's positions."""
INIT_PRODUCER_ID = 22
"""Kafka's number of the request that opens a transactional producer, and fences the former one."""
END_TXN = 26
"""Kafka's number of the request that ends a transaction."""
TOPIC_AUTHORIZATION_FAILED = 29
"""An error that no client tries again: a right was taken away for a moment."""


class Proxy:
    """Listens on loopback and passes everything on to `target`. A context manager."""

    def __init__(self, target: int, port: int = 0) -> None:
        self.target = target
        self.port = port
        self.delay_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy of {target}", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hold: int | None = None
        self.held = threading.Event()
        self._let_go: asyncio.Event | None = None
        self._after: tuple[int, ...] = ()
        self._task: set[str] = set()
        self.passed_on = threading.Event()
        self._refuse = False
        self.refused = threading.Event()
        self.retold: Callable[[int, int, bytes], bytes] = lambda api, version, body: body
        """What clients are told instead of an answer: of which request (number, version), and its body."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> int:
        """Break every connection; returns how many there were."""
        return self._call(self._cut())

    def hold(self, api: int, after: tuple[int, ...] = ()) -> None:
        """Keep the next request of this number, break its client's connection, and pass it on at `let_go` only.

        With `after`, an end of a transaction is passed on when the broker has answered the next request of one of these
        numbers about the same task, and before whoever sent that has its answer.
        """
        self._let_go, self._over = asyncio.Event(), asyncio.Event()
        self._after = after
        self.held.clear()
        self.passed_on.clear()
        self._hold = api

    def let_go(self) -> None:
        """Pass on what is held, and wait until the broker has answered it (the answer goes nowhere)."""
        assert self._let_go is not None
        self._loop.call_soon_threadsafe(self._let_go.set)
        assert self.passed_on.wait(10)

    def hold_no_more(self) -> None:
        """Forget a hold that nothing came for."""
        self._hold, self._after = None, ()

    def refuse(self) -> None:
        """Answer the next append with an error instead of passing it on."""
        self.refused.clear()
        self._refuse = True

    def refuse_no_more(self) -> None:
        """Forget a refusal that nothing came for."""
        self._refuse = False

    def swallow(self) -> None:
        """Pass nothing on any more, while connections stay open: a network that has lost its other half."""
        self.delay_s = 1e6

    def pass_on_again(self) -> None:
        """End that, and break the connections whose requests were swallowed."""
        self.delay_s = 0.0
        self.cut()

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _cut(self) -> int:
        count = len(self._writers)
        for writer in list(self._writers):
            writer.transport.abort()
        return count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = asyncio.current_task()
        self._tasks.add(own)
        try:
            await self._pass_both_ways(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(own)

    async def _pass_both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, broker = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers |= {writer, broker}
        owed = _Owed()
        try:
            back = asyncio.create_task(self._pass_answers(there, writer, owed))
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._pass_requests(reader, broker, writer, back, owed)
            back.cancel()
            await asyncio.wait({back})
        finally:
            self._writers -= {writer, broker}
            broker.transport.abort()

    async def _pass_requests(self, reader, broker, writer, back, owed) -> None:
        while True:
            size = await reader.readexactly(4)
            frame = await reader.readexactly(struct.unpack(">i", size)[0])
            if self._hold is not None and struct.unpack(">h", frame[:2])[0] == self._hold:
                self._hold = None
                self._writers.discard(broker)  # a cut must not reach it: the request is on its way
                back.cancel()
                writer.transport.abort()
                self._task = tasks_of(frame)
                self.held.set()
                await self._let_go.wait()
                try:
                    broker.write(size + frame)
                    await broker.drain()
                    await asyncio.sleep(0.5)  # its answer is of no use; the broker has acted by then
                finally:
                    self.passed_on.set()
                    self._over.set()
                return
            if self._refuse and struct.unpack(">h", frame[:2])[0] == PRODUCE:
                self._refuse = False
                await owed.none.wait()  # answers come in the order of the requests
                writer.write(refusal(frame))
                self.refused.set()
                continue
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            owed.request(*struct.unpack(">hh", frame[:4]), self._was_waited_for(frame))
            broker.write(size + frame)
            await broker.drain()

    def _was_waited_for(self, frame: bytes) -> bool:
        if not (self.held.is_set() and struct.unpack(">h", frame[:2])[0] in self._after):
            return False
        return tasks_of(frame) == self._task

    async def _pass_answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, owed: "_Owed") -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                (size,) = struct.unpack(">i", await there.readexactly(4))
                answer = await there.readexactly(size)
                api, version, waited_for = owed.first()
                if waited_for:
                    self._after = ()
                    self._let_go.set()
                    await self._over.wait()
                body = self.retold(api, version, answer[4:])
                writer.write(struct.pack(">i", 4 + len(body)) + answer[:4] + body)
                owed.answered()
                await writer.drain()
        writer.transport.abort()


class _Owed:
    """The requests whose answers a connection's broker still owes, in their order: number, version, and whether what
    is held was to be held until then.
    """

    def __init__(self) -> None:
        self._requests: deque[tuple[int, int, bool]] = deque()
        self.none = asyncio.Event()
        self.none.set()

    def request(self, api: int, version: int, waited_for: bool) -> None:
        self._requests.append((api, version, waited_for))
        self.none.clear()

    def first(self) -> tuple[int, int, bool]:
        return self._requests[0]

    def answered(self) -> None:
        self._requests.popleft()
        if not self._requests:
            self.none.set()


ABOUT_TASKS = {
    END_TXN: lambda version: getattr(transaction, f"EndTxnRequest_v{version}"),
    INIT_PRODUCER_ID: lambda version: getattr(transaction, f"InitProducerIdRequest_v{version}"),
    OFFSET_FETCH: lambda version: getattr(commit, f"OffsetFetchRequest_v{version}"),
}


def tasks_of(frame: bytes) -> set[str]:
    """The transactional ids of the tasks that a request is about, for requests in `ABOUT_TASKS`."""
    api, version, _, length = struct.unpack(">hhih", frame[:10])
    if api not in ABOUT_TASKS:
        return set()
    first, *more = ABOUT_TASKS[api](version).SCHEMA.decode(io.BytesIO(frame[10 + max(0, length) :]))
    if api != OFFSET_FETCH:
        return {first}
    return {f"{first}-{partition}" for _, partitions in more[0] or () for partition in partitions}


def refusal(frame: bytes) -> bytes:
    """The answer to an append that the broker does not allow (Produce, versions 5 to 7)."""
    _, version, correlation, length = struct.unpack(">hhih", frame[:10])
    body = io.BytesIO(frame[10 + max(0, length) :])
    _, _, _, topics = getattr(produce, f"ProduceRequest_v{version}").SCHEMA.decode(body)
    refused = [
        (topic, [(partition, TOPIC_AUTHORIZATION_FAILED, -1, -1, -1) for partition, _ in partitions])
        for topic, partitions in topics
    ]
    answer = struct.pack(">i", correlation) + getattr(produce, f"ProduceResponse_v{version}")(refused, 0).encode()
    return struct.pack(">i", len(answer)) + answer
