"""An SMTP server on loopback for the tests: aiosmtpd, with scripted answers, TLS and a login."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Script = Callable[[str], str]


@dataclass(slots=True)
class MailServer:
    """What arrived. `recipient` and `data` say how an address and a message are answered."""

    port: int = 0
    recipient: Script = lambda address: "250 OK"
    data: Script = lambda address: "250 OK: queued"
    wait_s: float = 0.0
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    secret: list[bool] = field(default_factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        found = [message_from_bytes(one, policy=policy.default) for one in self.raw]
        assert all(isinstance(one, EmailMessage) for one in found)
        return found  # type: ignore[return-value]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipient(address)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.wait_s)
        answer = self.data(envelope.rcpt_tos[0])
        if answer.startswith("2"):
            assert isinstance(envelope.original_content, bytes)
            self.raw.append(envelope.original_content)
            self.envelopes.append((envelope.mail_from or "", envelope.rcpt_tos))
            self.secret.append(session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None)
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@asynccontextmanager
async def receiving_mail(
    server: MailServer | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    login: bool = False,
) -> AsyncIterator[MailServer]:
    """Receive on a free loopback port until the block ends; with `tls` by STARTTLS, or from the first byte."""
    mine = server or MailServer()
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it takes only STARTTLS for TLS, and warns where a login needs none
            return SMTP(
                mine,
                hostname="mail.example",
                tls_context=None if implicit else tls,
                require_starttls=tls is not None and not implicit,
                authenticator=mine.authenticate if login else None,
                auth_required=login,
                auth_require_tls=not implicit,
                loop=loop,
            )

    listening = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls if implicit else None)
    mine.port = listening.sockets[0].getsockname()[1]
    try:
        yield mine
    finally:
        listening.close()
        await listening.wait_closed()
