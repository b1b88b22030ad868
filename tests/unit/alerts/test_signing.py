"""Signatures that the public library verifies, rotation, and what is sealed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.unit.alerts.making import sealer

from tieup.alerts.sealing import Sealer, shown_secret
from tieup.alerts.signing import secrets_of, signed_headers
from tieup.errors import DeliveryError
from tieup.model.subscription import Channel

BODY = '{"ü":1}'.encode()
ENDPOINT = sealer().endpoint(Channel.WEBHOOK, "https://a.example/")


def headers(versions: int = 1, **changed: object) -> dict[str, str]:
    now = datetime.now(UTC)
    endpoint = replace(ENDPOINT, secret_version=versions, **changed)
    signed = signed_headers("an-id", now, BODY, secrets_of(endpoint, sealer(), now))
    return {name.decode(): value.decode() for name, value in signed}


def verifier(version: int) -> Webhook:
    return Webhook(shown_secret(sealer().secret(ENDPOINT.id, version)))


def test_the_public_library_verifies_and_refuses() -> None:
    assert verifier(1).verify(BODY, headers()) == {"ü": 1}
    for wrong in (headers() | {"webhook-id": "other"}, headers() | {"webhook-timestamp": "1"}):
        with pytest.raises(WebhookVerificationError):
            verifier(1).verify(BODY, wrong)
    with pytest.raises(WebhookVerificationError):
        verifier(1).verify(BODY + b" ", headers())
    with pytest.raises(WebhookVerificationError):
        verifier(2).verify(BODY, headers())


def test_in_a_rotation_both_secrets_verify_and_afterwards_the_new_one_alone() -> None:
    rotating = headers(2, former_until=datetime.now(UTC) + timedelta(minutes=1))
    assert verifier(1).verify(BODY, rotating) == verifier(2).verify(BODY, rotating)
    over = headers(2, former_until=datetime.now(UTC) - timedelta(minutes=1))
    verifier(2).verify(BODY, over)
    with pytest.raises(WebhookVerificationError):
        verifier(1).verify(BODY, over)


def test_the_time_counts_whole_seconds_whatever_the_zone() -> None:
    """The public library signs the local digits of another zone's time: its verifier would be five hours off."""
    at = datetime.fromisoformat("2026-02-01T12:00:00.900-05:00")
    assert dict(signed_headers("id", at, BODY, [b"x" * 32]))[b"webhook-timestamp"] == b"1769965200"


def test_an_address_opens_under_its_key_and_id_only() -> None:
    assert sealer().address(ENDPOINT) == "https://a.example/"
    assert "example" not in ENDPOINT.address + ENDPOINT.id
    for key, endpoint in (
        (Sealer("another key of more than 32 characters"), ENDPOINT),
        (sealer(), replace(ENDPOINT, id="0" * 32)),
    ):
        with pytest.raises(DeliveryError, match="another master key"):
            key.address(endpoint)
