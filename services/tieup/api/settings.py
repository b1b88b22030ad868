"""The settings of what subscribers fetch, with their units and defaults."""

from dataclasses import dataclass

from tieup.errors import SettingsError


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How feeds, streams and pages are served. Times in seconds.

    `public_url` is where subscribers reach `listen` (`host:port`); without either nothing is served. A feed holds
    `feed_items` messages, a stream can be resumed over `stream_items`; of
    all together `keep_items` are kept. `streams` are open at once in a process,
    `streams_per_subscription` of one subscription; each says something every `heartbeat_s`. A client that takes nothing
    for `stall_s` is dropped.
    """

    public_url: str | None = None
    listen: str | None = None
    feed_items: int = 50
    stream_items: int = 1_000
    keep_items: int = 100_000
    streams: int = 100
    streams_per_subscription: int = 5
    heartbeat_s: float = 15.0
    stall_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot work: SettingsError names the setting."""
        for name in (
            "feed_items",
            "stream_items",
            "keep_items",
            "streams",
            "streams_per_subscription",
            "heartbeat_s",
            "stall_s",
        ):
            if getattr(self, name) <= 0:
                raise SettingsError(f"api.{name}: must be above 0")
