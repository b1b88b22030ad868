"""E-mail through the operator's own mail server (RFC 5321): text and HTML, one thread for each story.

The server's 2xx to the message is success, a mailbox that is not there means no more, everything else is a failure.
The address guard does not stand before it: the operator names the server, a subscriber only the mailbox.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

import aiosmtplib

from tieup.alerts.attempt import AttemptRequest, Reply
from tieup.alerts.capabilities import Capabilities
from tieup.alerts.channels.html import html_page
from tieup.alerts.channels.text import text_body
from tieup.alerts.settings import AlertSettings, MailSettings
from tieup.alerts.telling import Telling, shortened, telling
from tieup.errors import BadRecord, DeliveryError, SettingsError, UsageError
from tieup.model.delivery import MAX_BODY_BYTES, MAX_EXCERPT_CHARS

MAX_ADDRESS_CHARS: Final = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
MAX_LOCAL_CHARS: Final = 64
MAX_SUBJECT_CHARS: Final = 200
QUIT_S: Final = 1.0
KEPT: Final = (6, 2, 1, 0)  # of each list of an event, until the message is small enough

# Folded at 78 characters, a long id or URL in a header would become an encoded word, which nobody reads as an id.
_WIRE: Final = SMTP.clone(max_line_length=998)

# Enhanced status codes of a mailbox that is not there and will not be (RFC 3463 §3.2, §3.3; RFC 7505).
_GONE: Final = re.compile(r"^5\.(1\.1|1\.6|1\.10|2\.1)\b")
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"
)


class MailSender:
    """Hands messages to the mail server, each over a connection of its own, of which there are few at once."""

    def __init__(self, mail: MailSettings, settings: AlertSettings, links: Capabilities | None) -> None:
        self._mail = mail
        self._settings = settings
        self._links = links
        self._tls = None if mail.security == "none" else _tls(mail)
        self._turns = asyncio.Semaphore(mail.connections)

    async def send(self, request: AttemptRequest, address: str, at: datetime) -> Reply:  # noqa: ARG002 - the contract's signature
        """Send one message. Raises DeliveryError for what gave no answer."""
        if self._mail.host is None or self._mail.sender is None:
            raise DeliveryError("mail.host is not set: no e-mail can be sent")
        try:
            message = mail_bytes(request, address, self._mail.sender, self._links)
        except BadRecord as error:
            raise DeliveryError(str(error)) from error
        async with self._turns:
            try:
                async with asyncio.timeout(self._settings.total_s):
                    return await self._handed(message, self._mail.host, self._mail.sender, address)
            except TimeoutError as error:
                raise DeliveryError(f"the mail server took more than {self._settings.total_s:g} s") from error
            except aiosmtplib.SMTPResponseException as error:
                return _refused(error)
            except (aiosmtplib.SMTPException, OSError) as error:
                raise DeliveryError(_said(error)) from error

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _handed(self, message: bytes, host: str, sender: str, address: str) -> Reply:
        own = parseaddr(sender)[1]
        server = aiosmtplib.SMTP(
            hostname=host,
            port=self._mail.port,
            timeout=self._settings.total_s,
            use_tls=self._mail.security == "tls",
            start_tls=self._mail.security == "starttls",
            tls_context=self._tls,
            username=self._mail.username,
            password=self._mail.password,
            local_hostname=own.rpartition("@")[2],
        )
        try:
            await server.connect()
            await server.mail(own)
            await server.rcpt(address)
            code, said = await server.data(message)
            with suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=QUIT_S)
        finally:
            server.close()
        return Reply(delivered=200 <= code < 300, status=code, excerpt=_excerpt(said))


def mail_address(text: str) -> str:
    """Return an e-mail address as it is written to. Raises UsageError if it is none: no names, no lists, ASCII."""
    address = text.strip()
    local = address.rpartition("@")[0]
    if len(address) > MAX_ADDRESS_CHARS or len(local) > MAX_LOCAL_CHARS or not _ADDRESS.fullmatch(address):
        raise UsageError(f"{text[:100]!r}: not one e-mail address such as desk@example.com")
    return f"{local}@{address.rpartition('@')[2].lower()}"


def mail_bytes(request: AttemptRequest, address: str, sender: str, links: Capabilities | None) -> bytes:
    """Return the message as it is sent, less than 20 kB of it, the same bytes at every attempt.

    Raises BadRecord for a body that cannot be read.
    """
    told = telling(request.body, links)
    for keep in KEPT:
        found = mail_message(request, shortened(told, keep), address, sender, links).as_bytes(policy=_WIRE)
        if len(found) < MAX_BODY_BYTES:
            return found
    raise BadRecord(f"delivery {request.delivery_id}: {len(found)} bytes of e-mail when shortened")


def mail_message(
    request: AttemptRequest, told: Telling, address: str, sender: str, links: Capabilities | None
) -> EmailMessage:
    """Return the message.

    Its Message-ID follows from the delivery, so that a repeat is known as one; all of a story refer to one id that no
    message has, which mail programs take for the lost first of a thread (RFC 5322 §3.6.4).
    """
    name, own = parseaddr(sender)
    domain = own.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=own)
    message["To"] = Address(addr_spec=address)
    message["Subject"] = told.title[:MAX_SUBJECT_CHARS]
    message["Date"] = format_datetime(told.at)
    message["Message-ID"] = f"<{request.delivery_id}@{domain}>"
    thread = f"<{request.story_id}.{request.endpoint.id}@{domain}>"
    message["References"] = thread
    message["In-Reply-To"] = thread
    stop_url = None if links is None else links.stop_url(request.endpoint.id)
    for header, value in _headers(request, told, own, domain, stop_url).items():
        message[header] = value
    message.set_content(_with_stop(text_body(told), stop_url), cte="quoted-printable")
    message.add_alternative(html_page(told, stop_url), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{request.delivery_id}")  # Python's own is random, and a repeat shall be the same bytes
    return message


def _headers(request: AttemptRequest, told: Telling, own: str, domain: str, stop_url: str | None) -> Mapping[str, str]:
    """The headers for machines: whose list it is and how to leave it (RFC 2919, 2369, 8058), and that nobody wrote it.

    One click needs https (RFC 8058 §3.1); without a public URL the sender's own mailbox is asked.
    """
    found = {
        "List-Id": f"<{request.endpoint.id}.tieup.{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Tieup-Event": " ".join(one.event_id for one in told.told[:10]),
    }
    if stop_url is None:
        return found | {"List-Unsubscribe": f"<mailto:{own}?subject=unsubscribe>"}
    if not stop_url.startswith("https://"):
        return found | {"List-Unsubscribe": f"<{stop_url}>"}
    return found | {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _with_stop(text: str, stop_url: str | None) -> str:
    return text if stop_url is None else f"{text}\n-- \nBe told no more at this address: {stop_url}\n"


def _tls(mail: MailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if mail.ca_file is None else str(mail.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"mail.ca_file: {mail.ca_file}: cannot be used: {error}") from error


def _refused(error: aiosmtplib.SMTPResponseException) -> Reply:
    return Reply(
        gone=isinstance(error, aiosmtplib.SMTPRecipientRefused) and bool(_GONE.match(error.message)),
        status=error.code if 100 <= error.code <= 999 else None,
        error=f"the mail server answered {error.code}",
        excerpt=_excerpt(error.message),
    )


def _excerpt(said: str) -> str | None:
    """The server's words; never what we sent, since a refused login may be answered with it."""
    return " ".join("".join(one if one.isprintable() else " " for one in said).split())[:MAX_EXCERPT_CHARS] or None


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
