"""What the master key does: endpoint ids that tell nothing, sealed addresses, signing secrets.

Each purpose has a key of its own, derived with HKDF-SHA256 (RFC 5869). Addresses are sealed with AES-SIV (RFC 5297),
bound to their endpoint's id; it needs no nonce, so the same address gives the same record. Signing secrets follow from
endpoint id and version and stand nowhere.
"""

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tieup.errors import DeliveryError
from tieup.keys import derived_key
from tieup.model.subscription import Channel, Endpoint

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives symmetric secrets
KEPT: Final = 10_000  # secrets and addresses, in memory only


class Sealer:
    """The keys derived from one master key."""

    def __init__(self, master_key: str) -> None:
        self._ids = derived_key(master_key, "tieup endpoint ids")
        self._addresses = AESSIV(derived_key(master_key, "tieup channel addresses", 64))
        self._secrets = derived_key(master_key, "tieup signing secrets")
        self._derived = lru_cache(KEPT)(self._derive)
        self._opened = lru_cache(KEPT)(self._open)

    def endpoint(self, channel: Channel, address: str, owner: str = "") -> Endpoint:
        """Return the endpoint at an address. Another owner's endpoint at the same address is another one."""
        parts = (owner, channel.value, address)
        text = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
        endpoint_id = hmac.digest(self._ids, text, hashlib.sha256)[:16].hex()
        sealed = self._addresses.encrypt(address.encode(), [endpoint_id.encode()])
        return Endpoint(endpoint_id, channel, base64.b64encode(sealed).decode("ascii"))

    def address(self, endpoint: Endpoint) -> str:
        """Return an endpoint's address. Raises DeliveryError if another master key sealed it."""
        return self._opened(endpoint.id, endpoint.address)

    def secret(self, endpoint_id: str, version: int) -> bytes:
        """Return the signing secret of an endpoint: 32 bytes."""
        return self._derived(endpoint_id, version)

    def _open(self, endpoint_id: str, sealed: str) -> str:
        try:
            return self._addresses.decrypt(base64.b64decode(sealed), [endpoint_id.encode()]).decode()
        except (InvalidTag, ValueError) as error:
            raise DeliveryError(f"endpoint {endpoint_id}: its address was sealed under another master key") from error

    def _derive(self, endpoint_id: str, version: int) -> bytes:
        return hmac.digest(self._secrets, f"{endpoint_id}:{version}".encode(), hashlib.sha256)


def shown_secret(secret: bytes) -> str:
    """Return a secret as its owner stores it: `whsec_` and base64 (Standard Webhooks)."""
    return SECRET_PREFIX + base64.b64encode(secret).decode("ascii")
