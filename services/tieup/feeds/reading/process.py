"""A process that does jobs apart, one at a time, asked over a pair of sockets.

    8 bytes  how long the rest is
    1 byte   of an answer only: whether it is the result (1) or a pickled exception (0)
    n bytes  the job, pickled as (function, arguments), or the answer

A document and what is read in it are 100 kB each way. A pipe and asyncio's streams hold 64 kB, so that either takes
several turns of the event loop, and each turn may wait for the interpreter's lock: a process that was done waited
longer for its next job than that took.
"""

import asyncio
import pickle
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVarTuple, cast

from tieup.errors import ProcessEnded

READ_BYTES: Final = 262_144
MAX_BYTES: Final = 1 << 30  # of an answer: half of the memory that a process may take
_LENGTH: Final = struct.Struct(">Q")
_HEAD: Final = struct.Struct(">Q?")

Given = TypeVarTuple("Given")


class Process(asyncio.BufferedProtocol):
    """The near side of a process. Made by `start`; it ends with the event loop, or when nobody is on the near side."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._system: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._ending = False

    @classmethod
    async def start(cls) -> "Process":
        """Start a process that finds the modules that this one finds. Raises OSError where the system has none left."""
        near, far = socket.socketpair()
        try:
            with far:
                system = await _spawned(near, far)
            _, self = await asyncio.get_running_loop().create_unix_connection(cls, sock=near)
        except BaseException:
            near.close()
            raise
        self._system = system
        self._keeping = asyncio.create_task(self._keep(system), name="tieup-process")  # which the loop's end cancels
        self._send(sys.path)
        await asyncio.sleep(0)  # from now on it is kept: whatever happens to us, it is ended
        return self

    @property
    def usable(self) -> bool:
        """Whether it waits for a job."""
        return self._transport is not None and self._answer is None and not self._ending

    async def run(self, job: Callable[[*Given], bytes], *given: *Given) -> bytes:
        """Do a job, importable by name there. Raises what it raises, and ProcessEnded.

        A caller that is cancelled ends the process: nobody knows how long its job would take.
        """
        if not self.usable:
            raise ProcessEnded("the process has ended, or is at work")
        self._answer = asyncio.get_running_loop().create_future()
        self._send((job, given))
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.end()
            raise
        finally:
            self._answer = None

    def end(self) -> None:
        """End the process at once, whatever it does."""
        self._ending = True
        if self._system is not None and self._system.returncode is None:
            self._system.kill()

    async def _keep(self, system: asyncio.subprocess.Process) -> None:
        """Wait for the process's end; bring it about at the loop's."""
        try:
            await system.wait()
        finally:
            self.end()
            await system.wait()
            if self._transport is not None:
                self._transport.abort()

    def _send(self, what: object) -> None:
        data = pickle.dumps(what, protocol=pickle.HIGHEST_PROTOCOL)
        if self._transport is not None:
            self._transport.write(_LENGTH.pack(len(data)) + data)

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's interface
        """Return where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has come; hand the answer over when it is whole."""
        self._received += self._buffer[:nbytes]
        if len(self._received) < _HEAD.size:
            return
        length, fine = _HEAD.unpack_from(self._received)
        if length > MAX_BYTES or len(self._received) > _HEAD.size + length or self._answer is None:
            self.end()
        elif len(self._received) == _HEAD.size + length:
            answer, self._received = bytes(memoryview(self._received)[_HEAD.size :]), bytearray()
            self._tell(answer, fine=fine)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        self._transport = None
        self._tell_error(ProcessEnded(str(exc or "the process has ended")))

    def _tell(self, answer: bytes, *, fine: bool) -> None:
        if fine and self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
        elif not fine:
            self._tell_error(pickle.loads(answer))  # noqa: S301 - of our own process

    def _tell_error(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


async def _spawned(near: socket.socket, far: socket.socket) -> asyncio.subprocess.Process:
    for end in (near, far):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, READ_BYTES)
    silent, number = asyncio.subprocess.DEVNULL, far.fileno()
    command = (sys.executable, "-m", __name__, str(number))
    return await asyncio.create_subprocess_exec(*command, stdin=silent, stdout=silent, pass_fds=(number,))


def serve(far: socket.socket) -> None:
    """Do jobs until nobody is on the near side: the process's own side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's interrupt is the near side's to take
    with far, suppress(ConnectionError):  # which is how it ends where the near side ends in the middle of something
        path = _receive(far)
        if path is not None:
            sys.path[:] = pickle.loads(path)  # noqa: S301 - of our own process
        while (data := _receive(far)) is not None:
            far.sendall(_answer(data))


def _answer(data: bytes) -> bytes:
    try:
        job, given = pickle.loads(data)  # noqa: S301 - of our own process
        answer, fine = bytes(job(*given)), True
    except Exception as error:  # noqa: BLE001 - it is raised where the job was given
        answer, fine = pickle.dumps(error), False
    return _HEAD.pack(len(answer), fine) + answer


def _receive(far: socket.socket) -> bytes | None:
    head = far.recv(_LENGTH.size, socket.MSG_WAITALL)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = bytearray(length)
    rest = memoryview(data)
    while rest and (read := far.recv_into(rest)):
        rest = rest[read:]
    return None if rest else bytes(data)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
