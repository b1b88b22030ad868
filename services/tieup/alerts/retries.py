"""When an attempt comes again, and how an endpoint that fails is left alone: pure arithmetic.

The schedule is the example of Standard Webhooks 1.0.0: ten attempts over 75.6 hours.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tieup.alerts.settings import AlertSettings
from tieup.ids import derive_id
from tieup.model.delivery import AttemptOutcome, EndpointHealth

HOUR_S: Final = 3_600
WAITS_S: Final = (5, 300, 1_800, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S)
JITTER: Final = 0.1
MAX_RETRY_AFTER_S: Final = 24 * HOUR_S
THROTTLED: Final = frozenset({429, 503})


def next_attempt_at(delivery_id: str, tries: int, outcome: AttemptOutcome) -> datetime | None:
    """Return when a failed delivery is tried again, `tries` counting the one that failed; None after the last.

    A wait grows by up to a tenth, derived from the delivery and the number, so that a crowd does not come back at once.
    """
    if tries > len(WAITS_S):
        return None
    wait = WAITS_S[tries - 1]
    spread = int(derive_id("retry", delivery_id, str(tries))[:12], 16) % int(wait * JITTER * 1000 + 1)
    at = outcome.at + timedelta(seconds=wait, milliseconds=spread)
    asked = throttled_until(outcome)
    return at if asked is None else max(at, asked)


def throttled_until(outcome: AttemptOutcome) -> datetime | None:
    """Return until when the endpoint asked to be left alone (429 or 503 with Retry-After, at most a day)."""
    if outcome.status not in THROTTLED or outcome.retry_after_s is None:
        return None
    return outcome.at + timedelta(seconds=min(outcome.retry_after_s, MAX_RETRY_AFTER_S))


def health_after(health: EndpointHealth, outcome: AttemptOutcome, settings: AlertSettings) -> EndpointHealth:
    """Return how the endpoint fares after an attempt. A stopped one starts afresh."""
    if health.stopped_at is not None:
        health = EndpointHealth(health.endpoint_id)
    if outcome.delivered:
        return EndpointHealth(health.endpoint_id)
    if outcome.gone:
        return replace(health, stopped_at=outcome.at, reason=f"the receiver wants no more messages ({outcome.status})")
    failed = replace(
        health,
        failures=health.failures + 1,
        failing_since=health.failing_since or outcome.at,
    )
    asked = (health.not_before, throttled_until(outcome), _broken_until(failed, outcome, settings))
    waits = [until for until in asked if until is not None]
    failed = replace(failed, not_before=max(waits) if waits else None)
    if outcome.at - (failed.failing_since or outcome.at) >= timedelta(days=settings.failing_days):
        return replace(failed, stopped_at=outcome.at, reason=f"failed for {settings.failing_days} days")
    return failed


def _broken_until(health: EndpointHealth, outcome: AttemptOutcome, settings: AlertSettings) -> datetime | None:
    beyond = health.failures - settings.breaker_failures
    if beyond < 0:
        return None
    return outcome.at + timedelta(seconds=min(settings.breaker_s << min(beyond, 20), settings.breaker_max_s))
