"""Signatures after Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, one for each valid secret."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from tieup.alerts.sealing import Sealer
from tieup.model.codec import to_millis
from tieup.model.subscription import Endpoint


def signed_headers(
    message_id: str, at: datetime, body: bytes, secrets: Sequence[bytes]
) -> tuple[tuple[bytes, bytes], ...]:
    """Return the three headers of an attempt at a time; the body must be sent as these very bytes.

    The time counts in whole seconds since 1970 UTC. During a rotation there are two secrets and two signatures.
    """
    named, timestamp = message_id.encode(), b"%d" % (to_millis(at) // 1000)
    sent = b".".join((named, timestamp, body))
    return (
        (b"webhook-id", named),
        (b"webhook-timestamp", timestamp),
        (b"webhook-signature", b" ".join(_signature(sent, secret) for secret in secrets)),
    )


def secrets_of(endpoint: Endpoint, sealer: Sealer, at: datetime) -> tuple[bytes, ...]:
    """Return the secrets that sign for an endpoint at a time, the newest first."""
    versions = [endpoint.secret_version]
    if endpoint.former_until is not None and at < endpoint.former_until and endpoint.secret_version > 1:
        versions.append(endpoint.secret_version - 1)
    return tuple(sealer.secret(endpoint.id, version) for version in versions)


def _signature(sent: bytes, secret: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(secret, sent, hashlib.sha256))
