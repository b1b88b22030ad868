"""The address guard: a connection goes only to an address that was checked, and to that very address.

A name is resolved, its addresses are checked, and the socket connects to a checked one; so neither a redirect, nor an
encoded address, nor a name that resolves differently a moment later reaches the network that tieup runs in.
"""

import asyncio
import socket
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from tieup.errors import DataError, FetchError, SettingsError

Address = IPv4Address | IPv6Address
MAX_ADDRESSES: Final = 4

_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an address is refused."""

    reason: str


def refusal(address: Address) -> Refusal | None:
    """Return why an address is not of the public internet, or None if it is. Embedded IPv4 addresses count."""
    for found in _faces(address):
        for network, reason in _refused():
            if found.version == network.version and found in network:
                return Refusal(reason)
        if not found.is_global or found.is_multicast or found.is_reserved or found.is_unspecified:
            return Refusal("not a public address")
    return None


def _faces(address: Address) -> Iterable[Address]:
    """The address, and the IPv4 addresses that mapping, 6to4, Teredo and NAT64 hide in it."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    hidden: list[IPv4Address | None] = [address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address, *(found for found in hidden if found is not None))


@cache
def _refused() -> tuple[tuple[IPv4Network | IPv6Network, str], ...]:
    try:
        table = tomllib.loads(files("tieup.outside").joinpath("refused_addresses.toml").read_text("utf-8"))
        return tuple((ip_network(row["network"]), str(row["reason"])) for row in table["refused"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"outside/refused_addresses.toml: {error}") from error


def read_hosts(hosts: Mapping[str, str], setting: str = "feeds.hosts") -> dict[str, tuple[str, int]]:
    """Return the fixed hosts as address and port. Raises SettingsError naming the setting and the entry."""
    found = {}
    for host, target in hosts.items():
        address, _, port = target.rpartition(":")
        try:
            found[host.lower()] = (str(ip_address(address.strip("[]"))), int(port))
        except ValueError as error:
            raise SettingsError(f"{setting}: {host} = {target!r}: must be address:port") from error
    return found


class AddressGuard:
    """Says which addresses a host may be asked at.

    `hosts` maps names to places that the operator trusts; they are not checked.
    """

    def __init__(self, *, allow_private: bool, hosts: Mapping[str, str]) -> None:
        self._allow_private = allow_private
        self._hosts = read_hosts(hosts)
        self._trusted = frozenset(self._hosts.values())

    async def places(self, host: str, port: int, limit: float | None) -> Sequence[tuple[str, int]]:
        """Return the host's addresses that may be asked, with ports. Raises FetchError if there is none."""
        fixed = self._hosts.get(host.lower())
        if fixed is not None:
            return [fixed]
        addresses = await _resolve(host, port, limit)
        allowed = [address for address in addresses if self._allow_private or refusal(address) is None]
        if not allowed:
            why = refusal(addresses[0]) if addresses else Refusal("no address")
            shown = str(addresses[0]) if addresses else "nothing"
            named = host if host == shown else f"{host} is {shown}"
            raise FetchError(f"{named}: {why.reason if why else 'refused'}; not asked")
        return [(str(address), port) for address in allowed]

    def allows(self, address: str, port: int) -> bool:
        """Whether a socket may connect to this very place."""
        if self._allow_private or (address, port) in self._trusted:
            return True
        return refusal(ip_address(address.partition("%")[0])) is None


async def _resolve(host: str, port: int, limit: float | None) -> list[Address]:
    """Return the host's addresses, each once, in the resolver's order; an address in plain form is itself."""
    with suppress(ValueError):
        return [ip_address(host.partition("%")[0])]
    try:
        async with asyncio.timeout(limit):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise FetchError(f"{host} was not resolved within {limit:g} s") from error
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host} cannot be resolved: {error}") from error
    return [ip_address(text) for text in dict.fromkeys(str(row[4][0]).partition("%")[0] for row in found)]
