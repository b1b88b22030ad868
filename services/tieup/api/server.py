"""Serves an ASGI application beside the runner, in the same loop; the process's own signal handling stays in force."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import ClassVar

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from tieup.errors import SettingsError

CLOSE_S = 2
MAX_PORT = 65_535
MAX_CONNECTIONS = 64
MAX_PUBLIC_CONNECTIONS = 256
SEND_BUFFER_BYTES = 65_536


class PromptProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 for the public: a connection that has sent no whole head in time is closed.

    uvicorn bounds a head in bytes (64 kB) and an idle connection after its first answer, but not the time of a head.
    With `stall_s` a client that takes nothing of an answer for so long is dropped, and `on_stall` is told.
    """

    head_s: ClassVar[float] = 20.0
    stall_s: ClassVar[float | None] = None
    on_stall: ClassVar[tuple[Callable[[], None], ...]] = ()
    _late: asyncio.TimerHandle | None = None
    _stalling: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        if self.stall_s is not None:  # what the system keeps for a client that reads nothing is bounded as well
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; what comes after an answer is the start of another head."""
        if self._late is None and self.cycle is not None and self.cycle.response_complete:
            self._wait_for_head()
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._take_up()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes nothing: give it some time."""
        super().pause_writing()
        if self.stall_s is not None and self._stalling is None:
            self._stalling = self.loop.call_later(self.stall_s, self._drop)

    def resume_writing(self) -> None:
        """The client has taken what there was."""
        self._take_up()
        super().resume_writing()

    def _drop(self) -> None:
        for told in self.on_stall:
            told()
        self.transport.abort()

    def _take_up(self) -> None:
        if self._stalling is not None:
            self._stalling.cancel()
            self._stalling = None

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(self.head_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: SIGTERM belongs to the runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(address: str, setting: str = "http") -> socket.socket:
    """Return a listening socket for `host:port` (port 0: any free one).

    Raises SettingsError, naming the setting and the address, if it cannot be had.
    """
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= MAX_PORT):
        raise SettingsError(f"{setting} {address!r}: cannot listen there: not host:port")
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=64)
    except OSError as error:
        raise SettingsError(f"{setting} {address!r}: cannot listen there: {error}") from error


@contextlib.asynccontextmanager
async def serving(
    app: Starlette,
    at: socket.socket,
    *,
    head_s: float | None = None,
    stall_s: float | None = None,
    stalled: Callable[[], None] = lambda: None,
) -> AsyncIterator[str]:
    """Serve the application on the socket while the context is open; gives its URL.

    With `head_s` it is for the public: heads must come in that time, and the server does not name itself. With
    `stall_s` a client that takes nothing for so long is dropped, and `stalled` is told.
    """
    config = uvicorn.Config(
        app,
        http="auto" if head_s is None else _prompt(head_s, stall_s, stalled),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=head_s is None,
        timeout_graceful_shutdown=CLOSE_S,
        limit_concurrency=MAX_CONNECTIONS if head_s is None else MAX_PUBLIC_CONNECTIONS,
    )
    server = _QuietServer(config)
    running = asyncio.create_task(server.serve(sockets=[at]))
    host, port = at.getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running


def _prompt(head_s: float, stall_s: float | None, stalled: Callable[[], None]) -> type[PromptProtocol]:
    fields = {"head_s": head_s, "stall_s": stall_s, "on_stall": (stalled,)}
    return type("PromptProtocol", (PromptProtocol,), fields)
