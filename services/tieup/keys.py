"""Keys for single purposes, derived from the one master key."""

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_KEY_CHARS: Final = 32


def derived_key(master_key: str, purpose: str, length: int = 32) -> bytes:
    """Return the key for a purpose, `length` bytes: HKDF-SHA256 (RFC 5869) with the purpose as its `info`.

    Two purposes have keys that tell nothing of each other or of the master key.
    """
    return HKDF(SHA256(), length, salt=None, info=purpose.encode()).derive(master_key.encode())
