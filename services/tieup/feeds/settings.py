"""The settings of fetching, with their units and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tieup import __version__
from tieup.errors import SettingsError

MAX_SEEN: Final = 10_000  # 58 bytes each, in a record of at most 1 MB

_TIMES: Final = (
    *("interval_s", "quiet_interval_s", "min_interval_s", "unconditional_interval_s", "retry_s", "max_interval_s"),
    *("connect_s", "read_s", "total_s", "parse_s"),
)
_COUNTS: Final = (
    *("max_body_bytes", "max_entries", "max_versions", "forget_days", "concurrency", "parsers"),
    *("per_host", "host_burst", "per_address", "address_burst"),
)
_NATURALS: Final = ("max_redirects", "host_rate", "address_rate")


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How feeds are fetched. Times in seconds, sizes in bytes.

    `interval_s`: a feed without a wish of its own is polled this often at first, then between that and
    `quiet_interval_s` as its entries arrive; `min_interval_s` is for feeds so fast that entries would be lost,
    `unconditional_interval_s` for servers that give no validators. `retry_s` doubles with every error in a row, up to
    `max_interval_s`, which also bounds what a site may wish; `jitter` is the greatest share of the wait that is added
    to it. `connect_s`, `read_s` bound one step, `total_s` a whole request with its redirects, `parse_s` the parsing of
    one body. `per_host`, `host_rate` (a second; 0: no rate) and `host_burst` bound the requests to one registrable
    domain, `per_address`, `address_rate` and `address_burst` those to one address, behind which there may be a small
    shared server or a thousand sites. `max_body_bytes` bounds what a body decodes to. A removed feed is
    forgotten `forget_days` after its last poll. `contact` is an address or URL
    for site owners, shown in the User-Agent. `allow_private` allows private, loopback and link-local addresses; `hosts`
    maps a host name to `address:port` and is trusted.
    """

    interval_s: int = 3_600
    quiet_interval_s: int = 14_400
    min_interval_s: int = 900
    unconditional_interval_s: int = 86_400
    retry_s: int = 900
    max_interval_s: int = 86_400
    jitter: float = 0.1
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 60.0
    parse_s: float = 20.0
    max_body_bytes: int = 10_000_000
    max_redirects: int = 5
    max_entries: int = 1_000
    max_seen: int = 2_000
    max_versions: int = 24
    forget_days: int = 90
    concurrency: int = 16
    per_host: int = 2
    host_rate: float = 1.0
    host_burst: int = 10
    per_address: int = 2
    address_rate: float = 5.0
    address_burst: int = 20
    parsers: int = 2
    contact: str | None = None
    allow_private: bool = False
    hosts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot work: SettingsError names the setting."""
        for names, low in ((_COUNTS, 1), (_NATURALS, 0)):
            for name in names:
                if getattr(self, name) < low:
                    raise SettingsError(f"feeds.{name}: must be at least {low}")
        for name in _TIMES:
            if getattr(self, name) <= 0:
                raise SettingsError(f"feeds.{name}: must be above 0 seconds")
        if not 0 <= self.jitter <= 1:
            raise SettingsError("feeds.jitter: must be between 0 and 1")
        if self.max_seen > MAX_SEEN:
            raise SettingsError(f"feeds.max_seen: must be at most {MAX_SEEN}, or a feed's memory outgrows its record")
        if self.max_seen < self.max_entries:
            raise SettingsError("feeds.max_seen: must be at least feeds.max_entries, or entries would come back as new")
        if self.contact is not None and not (self.contact.isprintable() and self.contact.isascii()):
            raise SettingsError("feeds.contact: must be one line of ASCII")

    @property
    def user_agent(self) -> str:
        """Who asks, for the logs of the site's owner."""
        return f"tieup/{__version__} (feed reader{f'; +{self.contact}' if self.contact else ''})"


@dataclass(frozen=True, slots=True)
class WebSubSettings:
    """How hubs are subscribed to. Times in seconds.

    `public_url` is where hubs reach `listen` (`host:port`); without either there is no WebSub. `lease_s` is asked of
    hubs; `renewal_s` is the least time between two requests about one feed. `backup_interval_s`: a feed whose hub
    pushes is still polled this often. `ping_gap_s` is the least time between two polls that pushes cause. `rate` (a
    second; 0: none) and `burst` bound the pushes of one feed, `concurrency` those read at once, `body_s` the time that
    one may take to come.
    """

    public_url: str | None = None
    listen: str | None = None
    lease_s: int = 864_000
    renewal_s: int = 600
    backup_interval_s: int = 86_400
    ping_gap_s: int = 60
    rate: float = 1.0
    burst: int = 60
    concurrency: int = 16
    body_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot work: SettingsError names the setting."""
        for name in ("lease_s", "renewal_s", "backup_interval_s", "ping_gap_s", "burst", "concurrency", "body_s"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"websub.{name}: must be above 0")
        if self.rate < 0:
            raise SettingsError("websub.rate: must be at least 0")
