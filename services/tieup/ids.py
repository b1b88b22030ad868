"""Derived identities: the same content has the same id on every machine, in every run."""

import hashlib

ID_BYTES = 16


def derive_id(*parts: str) -> str:
    """Return 32 hex digits: SHA-256 over the parts, each preceded by its length, cut to 128 bits.

    The lengths keep ("ab", "c") and ("a", "bc") apart. Lone surrogates, which hostile text may hold, are hashed as
    they stand.
    """
    whole = b""
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole += len(data).to_bytes(8, "big") + data
    return hashlib.sha256(whole).hexdigest()[: 2 * ID_BYTES]
