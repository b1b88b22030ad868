"""Turns: few requests at once, and not too many in a row, to one registrable domain and to one address."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from tieup.articles.urls import registrable_domain
from tieup.errors import HostBusy
from tieup.feeds.settings import FetchSettings

ADDRESS_KEPT_S: Final = 300.0
TURN_S: Final = 10.0
ADDRESS: Final = "address "
MAX_KEPT: Final = 10_000

Seconds = Callable[[], float]


@dataclass(slots=True)
class Pace:
    """A token bucket in the form of the generic cell rate algorithm: `next_at` is when it would be full again."""

    rate: float
    burst: int
    next_at: float = 0.0

    def take(self, now: float) -> float:
        """Take a token and return the seconds to wait for it; a rate of 0 waits for nothing."""
        if not self.rate:
            return 0.0
        self.next_at = max(self.next_at, now) + 1 / self.rate
        return max(0.0, self.next_at - self.burst / self.rate - now)


@dataclass(slots=True)
class _Place:
    """One domain or address: its few slots, its pace, and how many wait or are served."""

    slots: asyncio.Semaphore
    pace: Pace
    users: int = 0


@dataclass(slots=True)
class Turns:
    """Gives turns by domain and by address; `hosts` are trusted fixed hosts, whose addresses count for nothing.

    `waited` is told the seconds of each wait.
    """

    settings: FetchSettings
    hosts: Mapping[str, object] = field(default_factory=dict)
    waited: Callable[[float], None] | None = None
    seconds: Seconds = time.monotonic
    _places: dict[str, _Place] = field(default_factory=dict)
    _addresses: dict[str, tuple[float, str | None]] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait for a turn at the URL's domain, then at its address, and keep it for the context.

        Raises HostBusy if none comes within ten seconds: its feed must not keep others waiting.
        """
        async with AsyncExitStack() as held:
            started = self.seconds()
            try:
                async with asyncio.timeout(TURN_S):
                    for key in await self._keys(url):
                        await held.enter_async_context(self._at(key))
            except TimeoutError as error:
                raise HostBusy(f"{url}: its host was busy for {TURN_S:g} s") from error
            if self.waited is not None:
                self.waited(self.seconds() - started)
            yield

    def __len__(self) -> int:
        """How many domains and addresses are in use."""
        return sum(place.users > 0 for place in self._places.values())

    async def _keys(self, url: str) -> Sequence[str]:
        """The domain comes before the address, always: no two requests wait for each other."""
        host = (urlsplit(url).hostname or "").lower()
        domain, address = registrable_domain(url), await self._address(host)
        return (domain,) if address in (None, domain) else (domain, f"{ADDRESS}{address}")

    async def _address(self, host: str) -> str | None:
        if host in self.hosts:
            return None
        literal = _literal(host)
        if literal is not None:
            return literal
        kept = self._addresses.get(host)
        if kept is not None and kept[0] > self.seconds():
            return kept[1]
        address = await self._resolved(host)
        if len(self._addresses) >= MAX_KEPT:
            self._addresses.clear()
        self._addresses[host] = (self.seconds() + ADDRESS_KEPT_S, address)
        return address

    async def _resolved(self, host: str) -> str | None:
        """One address stands for all of a host; what cannot be resolved is the connection's to tell."""
        try:
            async with asyncio.timeout(self.settings.connect_s):
                found = await asyncio.get_running_loop().getaddrinfo(host, None)
        except (OSError, UnicodeError, TimeoutError):
            return None
        return min((str(row[4][0]) for row in found), default=None)

    @asynccontextmanager
    async def _at(self, key: str) -> AsyncIterator[None]:
        place = self._place(key)
        place.users += 1
        try:
            async with place.slots:
                wait_s = place.pace.take(self.seconds())
                if wait_s:
                    await asyncio.sleep(wait_s)
                yield
        finally:
            place.users -= 1

    def _place(self, key: str) -> _Place:
        if len(self._places) >= MAX_KEPT and key not in self._places:
            now = self.seconds()
            idle = [name for name, place in self._places.items() if not place.users and place.pace.next_at <= now]
            for name in idle:
                del self._places[name]
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _place(self.settings, is_address=key.startswith(ADDRESS))
        return place


def _place(settings: FetchSettings, *, is_address: bool) -> _Place:
    if is_address:
        return _Place(asyncio.Semaphore(settings.per_address), Pace(settings.address_rate, settings.address_burst))
    return _Place(asyncio.Semaphore(settings.per_host), Pace(settings.host_rate, settings.host_burst))


def _literal(host: str) -> str | None:
    """The address that a host is, or None if it is a name."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return None
