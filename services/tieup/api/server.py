"""Serves an ASGI application beside the runner, in the same loop; the process's own signal handling stays in force."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette

from tieup.errors import SettingsError

CLOSE_S = 2
MAX_PORT = 65_535


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: SIGTERM belongs to the runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(address: str) -> socket.socket:
    """Return a listening socket for `host:port` (port 0: any free one).

    Raises SettingsError, naming the address, if it cannot be had.
    """
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= MAX_PORT):
        raise SettingsError(f"http {address!r}: cannot listen there: not host:port")
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=64)
    except OSError as error:
        raise SettingsError(f"http {address!r}: cannot listen there: {error}") from error


@contextlib.asynccontextmanager
async def serving(app: Starlette, at: socket.socket) -> AsyncIterator[str]:
    """Serve the application on the socket while the context is open; gives its URL."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=CLOSE_S, limit_concurrency=64
    )
    server = _QuietServer(config)
    running = asyncio.create_task(server.serve(sockets=[at]))
    host, port = at.getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running
