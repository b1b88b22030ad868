"""The settings of alerts, with their units and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Final, Literal

from tieup import __version__
from tieup.errors import SettingsError
from tieup.model.subscription import Channel

_AT_LEAST_1: Final = (
    "concurrency", "per_endpoint", "max_pending", "max_waiting", "breaker_failures", "breaker_s", "failing_days",
    "chat_processes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """How alerts are sent. Times in seconds.

    `connect_s` bounds connecting, `total_s` a whole attempt. `concurrency` attempts run at once in one task,
    `per_endpoint` to one endpoint; `max_pending` deliveries wait for one endpoint and `max_waiting` in one task, the
    rest is given up to the dead letters. `keep_days` and `keep_ended` bound what is remembered of deliveries that are
    over. After `breaker_failures` in a row an endpoint is left alone for `breaker_s`, doubling up to
    `breaker_max_s`; after `failing_days` of failure it is stopped. `allow_private` allows private addresses and plain
    http; `hosts` maps a host name to `address:port` and is trusted. `chat_processes` is how many processes send to
    chats at once.
    """

    connect_s: float = 5.0
    total_s: float = 20.0
    concurrency: int = 64
    per_endpoint: int = 4
    max_pending: int = 1_000
    max_waiting: int = 20_000
    breaker_failures: int = 5
    breaker_s: int = 30
    breaker_max_s: int = 1_800
    failing_days: int = 5
    keep_days: int = 7
    keep_ended: int = 100_000
    chat_processes: int = 4
    allow_private: bool = False
    hosts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot work: SettingsError names the setting."""
        for name in ("connect_s", "total_s"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"alerts.{name}: must be above 0 seconds")
        for name in _AT_LEAST_1:
            if getattr(self, name) < 1:
                raise SettingsError(f"alerts.{name}: must be at least 1")

    def at_once(self, channel: Channel) -> tuple[int, int]:
        """Return how many attempts of a channel, and of one endpoint of it, may be under way in one task.

        A process sends one chat message at a time, and mail servers are slow: what would only wait for its turn there
        must not take the place of a webhook.
        """
        if channel is Channel.CHAT:
            return self.chat_processes, 1
        if channel is Channel.EMAIL:
            return max(1, self.concurrency // 4), self.per_endpoint
        return self.concurrency, self.per_endpoint

    @property
    def user_agent(self) -> str:
        """Who sends, for the logs of the receiver."""
        return f"tieup/{__version__} (alerts)"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The operator's own mail server, which hands messages on. Without `host` no e-mail is sent.

    `security` is how the connection is made secret: `starttls` (RFC 3207), `tls` from the first byte (RFC 8314) or
    `none`, for a server on the same machine. `sender` is the From of every message, its domain that of their
    Message-IDs. `ca_file` holds certificates that are trusted instead of the system's.
    """

    host: str | None = None
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str | None = None
    ca_file: Path | None = None
    connections: int = 4

    def __post_init__(self) -> None:
        """Refuse what cannot work: SettingsError names the setting."""
        if self.host is not None and self.sender is None:
            raise SettingsError("mail.sender: not set; mail.host needs the address that messages come from")
        if self.sender is not None:
            _check_sender(self.sender)
        if (self.username is None) != (self.password is None):
            raise SettingsError("mail.username: needs mail.password, and the other way round")
        if self.username is not None and self.security == "none":
            raise SettingsError("mail.security: none: a password is not sent in the clear; starttls or tls")
        if self.connections < 1:
            raise SettingsError("mail.connections: must be at least 1")


def _check_sender(sender: str) -> None:
    """Whoever gives a name must give it in the form that mail has (RFC 5322 §3.4)."""
    name, address = parseaddr(sender)
    try:
        Address(name, addr_spec=address)
    except (ValueError, MessageError, IndexError) as error:
        raise SettingsError(f"mail.sender: {sender!r}: not an address such as Alerts <alerts@example.com>") from error
    if not (address.isascii() and "@" in address):
        raise SettingsError(f"mail.sender: {sender!r}: not an address such as Alerts <alerts@example.com>")


NO_MAIL = MailSettings()
