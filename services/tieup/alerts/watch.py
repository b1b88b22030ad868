"""What an operator is told of alerts: numbers for Prometheus."""

from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tieup.model.delivery import AttemptOutcome
from tieup.model.subscription import PULLED, Channel

OUTCOMES: Final = ("delivered", "failed", "gone")
DROPS: Final = ("no room", "slow", "late form", "gap")
ATTEMPT_BUCKETS_S: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


class DeliveryWatch:
    """Counts attempts, by channel and what came of them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        own = CollectorRegistry() if registry is None else registry
        attempts = Counter(
            "tieup_alert_attempts_total", "Attempts to send a message", ["channel", "outcome"], registry=own
        )
        seconds = Histogram(
            "tieup_alert_attempt_seconds", "Time of one attempt", ["channel"], buckets=ATTEMPT_BUCKETS_S, registry=own
        )
        self._attempts = lru_cache(lambda channel, word: attempts.labels(channel.value, word))
        self._seconds = lru_cache(lambda channel: seconds.labels(channel.value))
        for channel in (one for one in Channel if one not in PULLED):
            for outcome in OUTCOMES:
                self._attempts(channel, outcome)

    def attempted(self, channel: Channel, outcome: AttemptOutcome) -> None:
        """Take note of one attempt."""
        word = "delivered" if outcome.delivered else "gone" if outcome.gone else "failed"
        self._attempts(channel, word).inc()
        self._seconds(channel).observe(max(0.0, (outcome.at - outcome.started_at).total_seconds()))


class ApiWatch:
    """Counts what subscribers fetch and say."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        own = CollectorRegistry() if registry is None else registry
        self._requests = Counter(
            "tieup_api_requests_total", "Requests of subscribers", ["page", "status"], registry=own
        )
        self.streams = Gauge("tieup_api_streams", "Streams open now", registry=own)
        self._sent = Counter("tieup_api_stream_messages_total", "Messages sent over streams", registry=own)
        self._drops = Counter("tieup_api_drops_total", "What was not served as asked", ["reason"], registry=own)
        self._marks = Counter("tieup_api_marks_total", "Events marked as wrong", ["fault"], registry=own)
        for reason in DROPS:
            self._drops.labels(reason)

    def answered(self, page: str, status: int) -> None:
        """Take note of an answer."""
        self._requests.labels(page, str(status)).inc()

    def sent(self) -> None:
        """Take note of one message of a stream."""
        self._sent.inc()

    def dropped(self, reason: str) -> None:
        """Take note of a client that found no room, took nothing for too long, or missed messages."""
        self._drops.labels(reason).inc()

    def marked(self, fault: str) -> None:
        """Take note of an event that a subscriber says is wrong."""
        self._marks.labels(fault).inc()
