"""A loopback receiver of webhooks: answers by script, and a record of all that arrived, whole and in order."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came: header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A scripted answer. `cut` closes the connection after so many bytes of it; `repeat` sends the body so often."""

    status: int = 200
    body: bytes = b"thank you"
    headers: tuple[tuple[str, str], ...] = ()
    wait_s: float = 0.0
    cut: int | None = None
    repeat: int = 1

    def encoded(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Scripted", f"Content-Length: {len(self.body) * self.repeat}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode() + self.body * self.repeat


Script = Callable[[Received], Answer]


@dataclass(slots=True)
class Receiver:
    """What arrived, and what is answered; a message counts as received when its answer was a success."""

    script: Script = lambda received: Answer()
    port: int = 0
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    bytes_sent: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                message = Received(head[0].split(" ")[1], headers, body)
                self.received.append(message)
                if not await self._answer(self.script(message), writer):
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            return  # cancelled at the test's end, with the connection open
        finally:
            writer.close()

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        if answer.wait_s:
            await asyncio.sleep(answer.wait_s)
        data = answer.encoded()
        whole = answer.cut is None
        for start in range(0, len(data[: answer.cut]), 65_536):
            piece = data[: answer.cut][start : start + 65_536]
            writer.write(piece)
            await writer.drain()
            self.bytes_sent += len(piece)
        return whole


@asynccontextmanager
async def receiving(script: Script | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Receive on a free loopback port until the block ends."""
    receiver = Receiver(script or (lambda received: Answer()), scheme="http" if tls is None else "https")
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls, limit=1_000_000)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def wrong_tls(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate for hook.example that nobody has signed."""
    key, certificate = str(folder / "key.pem"), str(folder / "cert.pem")
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", "/CN=hook.example", "-keyout", key, "-out", certificate),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
