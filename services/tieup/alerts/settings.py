"""The settings of alerts, with their units and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tieup import __version__
from tieup.errors import SettingsError

_AT_LEAST_1: Final = (
    "concurrency", "per_endpoint", "max_pending", "max_waiting", "breaker_failures", "breaker_s", "failing_days",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """How alerts are sent. Times in seconds.

    `connect_s` bounds connecting, `total_s` a whole attempt. `concurrency` attempts run at once in one task,
    `per_endpoint` to one endpoint; `max_pending` deliveries wait for one endpoint and `max_waiting` in one task, the
    rest is given up to the dead letters. `keep_days` and `keep_ended` bound what is remembered of deliveries that are
    over. After `breaker_failures` in a row an endpoint is left alone for `breaker_s`, doubling up to
    `breaker_max_s`; after `failing_days` of failure it is stopped. `allow_private` allows private addresses and plain
    http; `hosts` maps a host name to `address:port` and is trusted.
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

    @property
    def user_agent(self) -> str:
        """Who sends, for the logs of the receiver."""
        return f"tieup/{__version__} (alerts)"
